"""Shares with intervals: no rate is reported without its n and how far it could be off."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10, sqrt
from statistics import NormalDist


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """``successes`` of ``n`` with a confidence interval.

    Attributes:
        successes: how many.
        n: of how many independent trials.
        low: lower end of the interval, 0 to 1.
        high: upper end of the interval, 0 to 1.
        confidence: of the interval, 0 to 1.
    """

    successes: int
    n: int
    low: float
    high: float
    confidence: float

    @property
    def rate(self) -> float:
        """The observed share."""
        return self.successes / self.n

    def to_json(self) -> dict[str, int | float]:
        """Plain numbers for a report, to four digits: of a rare event some are left."""
        return {
            "successes": self.successes,
            "n": self.n,
            "rate": _digits(self.rate),
            "low": _digits(self.low),
            "high": _digits(self.high),
            "confidence": self.confidence,
        }


def _digits(value: float) -> float:
    """Four significant digits, counted from 0 or 1, whichever is nearer: rounding never reaches either."""
    near = min(value, 1 - value)
    return round(value, 4 if near <= 0 else max(4, 3 - floor(log10(near))))


def wilson(successes: int, n: int, *, confidence: float = 0.95) -> Proportion:
    """Wilson's score interval: keeps its coverage for rates near 0 and 1 (Wilson 1927; Brown et al. 2001).

    Raises:
        ValueError: no trials, more successes than trials, or a confidence outside (0, 1).
    """
    if n < 1 or not 0 <= successes <= n or not 0 < confidence < 1:
        raise ValueError("wilson needs 0 ≤ successes ≤ n, n ≥ 1 and a confidence in (0, 1)")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = successes / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return Proportion(successes=successes, n=n, low=low, high=high, confidence=confidence)
