"""Receiver operating characteristics of a score, with intervals that respect where the pictures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

RATES = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""False alarm rates at which a curve is given."""
_RESAMPLES = 400


def points(benign: Sequence[float], edited: Sequence[float]) -> list[dict[str, float]]:
    """For each false alarm rate the threshold that keeps it, and the share of edits found at it."""
    low, high = np.sort(benign), np.asarray(edited, float)
    found = []
    for rate in RATES:
        allowed = int(rate * len(low))
        threshold = float(low[len(low) - 1 - allowed]) if allowed < len(low) else 0.0
        share = float((high > threshold).mean()) if allowed < len(low) else 1.0
        found.append({"false_alarms": rate, "threshold": round(threshold, 3), "found": round(share, 4)})
    return found


def area(
    benign: Sequence[tuple[str, float]], edited: Sequence[tuple[str, float]], *, seed: int = 0
) -> dict[str, float]:
    """Area under the curve, with a 95 % interval from resampling whole sources, not copies.

    Args:
        benign: (source, score) of each benign copy.
        edited: the same of each edited one.
        seed: of the resampling.
    """
    random, sources = np.random.default_rng(seed), sorted({source for source, _ in (*benign, *edited)})
    grouped = [
        {name: np.array([score for source, score in trials if source == name]) for name in sources}
        for trials in (benign, edited)
    ]

    def auc(names: Sequence[str]) -> float:
        low, high = (np.concatenate([group[name] for name in names]) for group in grouped)
        both = np.sort(low)
        below = np.searchsorted(both, high, "left") + np.searchsorted(both, high, "right")
        return float(below.mean() / 2 / len(low))

    drawn = [auc([str(name) for name in random.choice(sources, len(sources))]) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "auc": round(auc(sources), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "sources": len(sources),
    }
