"""From verify lines to a p-value that holds for every picture.

Under the null hypothesis (the picture was not marked with this key) the verify phases are uniform and
independent of the picture, because key and picture never met. The sum of gain · |line| · cos(phase
error) is then sub-Gaussian with variance Σ (gain · |line|)² / 2: the moment generating function of
a·cos(uniform) is I0(a) ≤ exp(a²/4). Chernoff's bound turns that into p ≤ exp(-z²/2), for any picture and
any z. Gains come from the pilots, never from the verify lines. Multiplied by every hypothesis that was
followed (Bonferroni), the bound stays a bound; it is conservative by about one decade.

It speaks about keys drawn at random. It has not been measured below about 1e-3, where measuring takes
more pictures than were at hand; nothing below that should be read as a calibrated rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GATE_LOG10_P = -2.0
"""With the CRC: a false acceptance needs 1e-2 and 2**-24 at each of about ten hypotheses, < 1e-8."""
TRACE_LOG10_P = -6.0
"""Without the CRC: from here on "a mark is there but cannot be read" is said instead of "none"."""


def statistic(lines: NDArray[np.complex128], gain: NDArray[np.float64]) -> float:
    """Matched filter over derotated verify lines in units of its standard deviation.

    Args:
        lines: (n,) verify lines with their keyed phases and the offset taken out.
        gain: (n,) weights ≥ 0 that were chosen without looking at ``lines``' phases.
    """
    spread = np.sqrt(np.sum((gain * np.abs(lines)) ** 2) / 2)
    return float(np.sum(gain * lines.real) / max(spread, 1e-12))


def log10_p(z: float, hypotheses: int) -> float:
    """Upper bound on log10 of the p-value after ``hypotheses`` tries; 0 at most."""
    exponent = max(z, 0.0) ** 2 / 2
    return float(min(0.0, np.log10(max(hypotheses, 1)) - exponent / np.log(10)))


def needed(log10_level: float, hypotheses: int) -> float:
    """The smallest z whose ``log10_p`` is at most ``log10_level``."""
    return float(np.sqrt(2 * np.log(10) * (np.log10(max(hypotheses, 1)) - log10_level)))
