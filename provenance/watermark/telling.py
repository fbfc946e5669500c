"""What of a reading's numbers is told to people and written into reports.

Coarse on purpose, for two reasons. A p-value is told as far as it was measured: below one over the trials
of ``benchmarks/mark_calibration.py`` nobody has seen whether the theory holds, so there "< 1/n measured"
is all that is said, or "< 1/n by theory" of a reading that those trials were not about (clips, and copies
that are cropped, turned or skewed). And whoever may ask a detector as often as they like removes a mark by
watching the digits of its statistic move (an oracle attack); whole numbers make that slow. They do not make
it impossible: who holds a locator key has the whole detector anyway.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.watermark.interface import Geometry

CLAIM = "carries a mark of one of the locator keys tried"
"""What a channel of marks is asked, read or not."""

MEASURED_TRIALS = 100_000
"""Unmarked trials in benchmarks/results/mark_calibration.json, and at most those of the private layer and of
latent marks in theirs; a test holds them together."""

_TILE_SPREADS = (1.0, 1.6)
_SAME_SCALE = 2e-3


def told_statistic(z: float) -> int:
    """The statistic in whole standard deviations, rounded down in size; never more digits."""
    return floor(z) if z > 0 else 0


def told_log10_p(log10_p: float) -> float:
    """log10 of the p-value, up to the next tenth, never below log10 of one over the trials measured."""
    return max(ceil(10 * log10_p) / 10, round(-log10(MEASURED_TRIALS), 1))


def p_in_words(log10_p: float, *, measured: bool = True) -> str:
    """The p-value for a sentence: ``p ≤ 0.002``, or ``p < 1/100,000 measured``; a bound, so rounded up.

    Args:
        log10_p: as read.
        measured: whether the trials were about readings like this one.
    """
    if log10_p < -log10(MEASURED_TRIALS):
        return f"p < 1/{MEASURED_TRIALS:,} {'measured' if measured else 'by theory'}"
    told = told_log10_p(log10_p)
    digit = ceil(10 ** (told - floor(told)) - 1e-9)  # of 1 to 10: powers of ten stay what they are
    return f"p ≤ {digit * 10.0 ** floor(told):.1g}"


def in_numbers(z: float, log10_p: float, hypotheses: int, *, measured: bool = True) -> str:
    """The numbers of a reading for one line."""
    words = p_in_words(log10_p, measured=measured)
    return f"z ≥ {told_statistic(z)}, {words}; hypotheses tried: {hypotheses}"


def is_where_size_says(geometry: Geometry | None, width: int, height: int) -> bool:
    """Whether a picture's tile lies upright as its size in pixels implies, as in the trials."""
    if geometry is None:
        return False
    (a, b), (c, d) = geometry.matrix
    scales = (512 / (spread * (width * height) ** 0.5) for spread in _TILE_SPREADS)
    return any(max(abs(a - scale), abs(d - scale), abs(b), abs(c)) <= _SAME_SCALE * scale for scale in scales)
