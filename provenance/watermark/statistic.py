"""From verify lines to a p-value that holds for every picture.

Under the null hypothesis (the picture was not marked with this key) key and picture never met: given the
picture, the verify phases are uniform and independent. Geometry, offset, gains and the noise of each
band come from pilots and data lines only, and the verify lines enter with their sizes. So
``sum(gain · |line| · cos(phase error))`` is a sum of cosines of random phases with *known* sizes, and its
null distribution is known for each picture by itself:

    K(t) = sum(log I0(t · size))                      its cumulant generating function

The tail is read from K by the saddlepoint formula of Lugannani and Rice (1980), which is right to a few
per cent at any depth. Random decoy keys on the same tile, the usual null, are draws from this very
distribution (``decoys``; tests hold the two together), so evaluating some hundred of them in each
detection would tell less, with a floor at one over their number. The simple bound exp(-z²/2)
(Chernoff, with I0(a) ≤ exp(a²/4)) is about a decade larger, and always holds.

Multiplied by every hypothesis that was followed (Bonferroni), the p-value stays one. A search that ends
early, because a CRC passed, was not followed to all its hypotheses; without a mark that happens with
probability below 1e-8 (see ``GATE_LOG10_P``), so the p-value is true down to there.

The private layer (``private``) asks the same of signs instead of phases: K(t) = sum(log cosh(t · size)).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

GATE_LOG10_P = -2.0
"""With the CRC: a false acceptance needs 1e-2 (over all hypotheses) and then ``ecc.FALSE_PASS``, 2**-23: a
CRC of 28 bits at each of the 32 entries of the decoder's list, for each size of the key. Below 1e-8."""
TRACE_LOG10_P = -6.0
"""Without the CRC: from here on "a mark is there but cannot be read" is said instead of "none"."""

_LN10 = float(np.log(10))


class Null(StrEnum):
    """What is random about each term of the sum without a mark."""

    PHASES = "phases"
    """size · cos(uniform phase)"""
    SIGNS = "signs"
    """size · (a fair +1 or -1)"""


def statistic(lines: NDArray[np.complex128], gain: NDArray[np.float64]) -> float:
    """Matched filter over derotated verify lines in units of its standard deviation.

    Args:
        lines: (n,) verify lines with their keyed phases and the offset taken out.
        gain: (n,) weights ≥ 0 that were chosen without looking at ``lines``' phases.
    """
    spread = np.sqrt(np.sum((gain * np.abs(lines)) ** 2) / 2)
    return float(np.sum(gain * lines.real) / max(spread, 1e-12))


def log10_tail(total: float, sizes: NDArray[np.float64], null: Null) -> float:
    """log10 of the probability that the sum reaches ``total`` without a mark; -0.3 at most from 0 up.

    Args:
        total: the sum that was seen.
        sizes: (n,) size of each of its terms; signs do not matter.
        null: what is random about the terms.
    """
    sizes = np.abs(sizes)
    sizes = sizes[sizes > 1e-12 * max(float(sizes.max(initial=0.0)), 1e-300)]
    reach = float(sizes.sum())
    if total <= 0 or not len(sizes):
        return 0.0
    if null is Null.SIGNS and total > reach - 2 * float(sizes.min()):
        return _rarest(sizes, null) / _LN10  # exact: nothing but all signs agreeing is beyond
    total = min(total, reach * (1 - 1e-6))  # every term at its largest
    t = _saddlepoint(total, sizes, null)
    cumulant, _, curvature = _cumulants(t, sizes, null)
    bound = min(cumulant - t * total, 0.0)  # Chernoff's, with this K: the tail is never above
    w, u = np.sqrt(-2 * bound), t * np.sqrt(curvature)
    if w < 0.05:  # the correction is 0 / 0 here, and this near the middle the normal tail is right
        return float(special.log_ndtr(-w) / _LN10)
    # Q(w) + pdf(w) · (1/u - 1/w), in logarithms: pdf(w) · (Mills' ratio + 1/u - 1/w).
    mills = np.sqrt(np.pi / 2) * special.erfcx(w / np.sqrt(2))
    factor = (mills + 1 / u - 1 / w) / np.sqrt(2 * np.pi)
    tail = min(bound + np.log(max(factor, 1e-12)), bound, np.log(0.5))
    return float(max(tail, _rarest(sizes, null)) / _LN10)


def _rarest(sizes: NDArray[np.float64], null: Null) -> float:
    """Log of the least probability of a sum that can be reached: a sum of signs is discrete."""
    return -len(sizes) * float(np.log(2)) if null is Null.SIGNS else -np.inf


def verify_log10_tail(lines: NDArray[np.complex128], gain: NDArray[np.float64]) -> float:
    """log10 of the probability that a random key sees as much in these verify lines; as ``statistic``."""
    return log10_tail(float(np.sum(gain * lines.real)), gain * np.abs(lines), Null.PHASES)


def decoys(
    lines: NDArray[np.complex128], gain: NDArray[np.float64], phases: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(m,) statistics that m other keys would see on the same synchronised tile.

    Args:
        lines: (n,) as in ``statistic``.
        gain: (n,) as in ``statistic``.
        phases: (m, n) what these keys have instead of the verify phases, relative to them.
    """
    spread = np.sqrt(np.sum((gain * np.abs(lines)) ** 2) / 2)
    return np.asarray((np.exp(-1j * phases) @ (gain * lines)).real / max(spread, 1e-12))


def corrected(log10_single: float, hypotheses: int) -> float:
    """log10 of a p-value after ``hypotheses`` tries (Bonferroni); 0 at most."""
    return float(min(0.0, log10_single + np.log10(max(hypotheses, 1))))


def log10_p(z: float, hypotheses: int) -> float:
    """Upper bound on log10 of the p-value after ``hypotheses`` tries, from the statistic alone; 0 at most."""
    return corrected(-(max(z, 0.0) ** 2) / 2 / _LN10, hypotheses)


def needed(log10_level: float, hypotheses: int) -> float:
    """The smallest z whose ``log10_p`` is at most ``log10_level``."""
    return float(np.sqrt(2 * _LN10 * (np.log10(max(hypotheses, 1)) - log10_level)))


def _cumulants(t: float, sizes: NDArray[np.float64], null: Null) -> tuple[float, float, float]:
    """K(t) and its first two derivatives."""
    a = t * sizes
    if null is Null.SIGNS:
        tanh = np.tanh(a)
        log_cosh = a + np.log1p(np.exp(-2 * a)) - np.log(2)
        return (
            float(log_cosh.sum()),
            float(sizes @ tanh),
            float(sizes**2 @ np.cosh(np.minimum(a, 300)) ** -2.0),
        )
    scaled = special.i0e(a)
    ratio = special.i1e(a) / scaled
    # (I1/I0)' = 1 - I1/(a I0) - (I1/I0)²: 1/2 at 0, and 1/(2 a²) where the differences lose all digits.
    slope = 1 - np.where(a > 1e-6, ratio / np.maximum(a, 1e-6), 0.5) - ratio**2
    slope = np.where(a > 1e3, 0.5 / np.maximum(a, 1) ** 2, slope)
    return float((np.log(scaled) + a).sum()), float(sizes @ ratio), float(sizes**2 @ slope)


def _saddlepoint(total: float, sizes: NDArray[np.float64], null: Null) -> float:
    """The t > 0 with K'(t) = total, by Newton's method kept inside a bracket; K' rises with t."""
    variance = float(sizes @ sizes) * (1.0 if null is Null.SIGNS else 0.5)
    low, high, t = 0.0, np.inf, total / variance
    for _ in range(60):
        _, slope, curvature = _cumulants(t, sizes, null)
        if abs(slope - total) <= 1e-6 * total:  # the exponent is flat here
            break
        low, high = (t, high) if slope < total else (low, t)
        step = t + (total - slope) / max(curvature, 1e-300)
        t = step if low < step < high else (2 * t if np.isinf(high) else (low + high) / 2)
    return t
