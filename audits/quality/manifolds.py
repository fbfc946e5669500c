"""Precision, recall, density and coverage: whether the generated lie where the real do, and the reverse.

Each set is taken for the union of balls around its members, as wide as the distance to the k-th neighbour.
Precision and recall: Kynkäänniemi et al., NeurIPS 2019. Density and coverage: Naeem et al., ICML 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.quality.delete_half import LEAST, enough
from audits.statistics import Proportion, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 3
"""k of precision and recall, as in the paper."""
NEIGHBOURS_OF_DENSITY = 5
"""k of density and coverage, as in theirs."""
_ROWS = 1024
"""Rows of distances at a time, so that memory stays below n × 8 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifolds:
    """What the balls say. Intervals are over the pictures counted, with the other set's balls as they are.

    Attributes:
        precision: generated pictures inside a ball of the reference.
        recall: reference pictures inside a ball of the generated.
        density: balls of the reference that a generated picture lies in, over k; 1 where the sets are alike,
            and not bounded by it.
        coverage: balls of the reference with a generated picture in them.
    """

    precision: Proportion
    recall: Proportion
    density: float
    coverage: Proportion


def manifolds(reference: NDArray[np.float64], generated: NDArray[np.float64]) -> Manifolds:
    """Over features (N, D) and (M, D).

    Raises:
        InputError: ``quality.too-few``.
    """
    enough(len(reference), LEAST, "reference")
    enough(len(generated), LEAST, "generated")
    real, wide = _radii(reference, NEIGHBOURS), _radii(reference, NEIGHBOURS_OF_DENSITY)
    made = _radii(generated, NEIGHBOURS)
    precise, recalled, inside, covered = 0, np.zeros(len(reference), bool), 0, np.zeros(len(reference), bool)
    for start in range(0, len(generated), _ROWS):
        part = slice(start, start + _ROWS)
        far = _squared(generated[part], reference)
        precise += int((far <= real).any(1).sum())
        recalled |= (far <= made[part, None]).any(0)
        inside += int((far <= wide).sum())
        covered |= (far <= wide).any(0)
    return Manifolds(
        precision=wilson(precise, len(generated)),
        recall=wilson(int(recalled.sum()), len(reference)),
        density=inside / (NEIGHBOURS_OF_DENSITY * len(generated)),
        coverage=wilson(int(covered.sum()), len(reference)),
    )


def _radii(features: NDArray[np.float64], neighbours: int) -> NDArray[np.float64]:
    """Squared distance of each to its k-th neighbour, itself not counted."""
    parts = [
        np.partition(_squared(features[start : start + _ROWS], features), neighbours, axis=1)[:, neighbours]
        for start in range(0, len(features), _ROWS)
    ]
    return np.concatenate(parts)


def _squared(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances (N, M); the short form loses digits only far below the distances that matter."""
    table = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    clipped: NDArray[np.float64] = table.clip(0)
    return clipped
