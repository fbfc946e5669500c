"""Intervals for what we report: no rate without its n and how far it could be off."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
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
        """Plain numbers for a report."""
        return {
            "successes": self.successes,
            "n": self.n,
            "rate": round(self.rate, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "confidence": self.confidence,
        }


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
