"""What of a reading's numbers is told to people and written into reports.

Coarse on purpose, for two reasons. A p-value is told as far as it was measured: below one over the trials
of ``benchmarks/mark_calibration.py`` nobody has seen whether the theory holds, so there "< 1/n measured"
is all that is said. And whoever may ask a detector as often as they like removes a mark by watching the
digits of its statistic move (an oracle attack); whole numbers make that slow. They do not make it
impossible: who holds a locator key has the whole detector anyway.
"""

from __future__ import annotations

from math import floor, log10

MEASURED_TRIALS = 100_000
"""Unmarked trials in benchmarks/results/mark_calibration.json; a test holds the two together."""


def told_statistic(z: float) -> int:
    """The statistic in whole standard deviations, rounded down in size; never more digits."""
    return floor(z) if z > 0 else 0


def told_log10_p(log10_p: float) -> float:
    """log10 of the p-value to one digit, never below log10 of one over the trials measured."""
    return max(round(log10_p, 1), round(-log10(MEASURED_TRIALS), 1))


def p_in_words(log10_p: float) -> str:
    """The p-value for a sentence: ``p ≤ 0.002``, or ``p < 1/100,000 measured``."""
    if log10_p < -log10(MEASURED_TRIALS):
        return f"p < 1/{MEASURED_TRIALS:,} measured"
    return f"p ≤ {10 ** told_log10_p(log10_p):.1g}"


def in_numbers(z: float, log10_p: float, hypotheses: int) -> str:
    """The numbers of a reading for one line."""
    return f"z ≥ {told_statistic(z)}, {p_in_words(log10_p)}; hypotheses tried: {hypotheses}"
