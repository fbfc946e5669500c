"""Intervals of figures over two sets of pictures: the delete-half jackknife, over random halves.

A bootstrap draws pictures twice, and distances between features take the repeats for closeness: its
replicates lie above the figure they belong to. Halves drawn without replacement hold no repeats, and their
spread is that of the whole: a mean over n/2 of n has variance (1 - 1/2)/(n/2) = 1/n (the delete-half
jackknife; Shao and Wu, Annals of Statistics 17, 1989).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Statistic = Callable[[NDArray[np.float64], NDArray[np.float64]], float]

LEAST = 8
"""Pictures of each set, below which nothing is said."""
REPLICATES = 40
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: over all pictures.
        low: lower end of the interval.
        high: upper end.
        confidence: of the interval, 0 to 1.
        half: mean over the halves: how the figure depends on the number of pictures.
        n_reference: pictures of the reference.
        n_generated: generated pictures.
    """

    value: float
    low: float
    high: float
    confidence: float
    half: float
    n_reference: int
    n_generated: int

    @property
    def extrapolated(self) -> float:
        """The bias of a distance goes as 1/n, so 2·value - half is without most of it.

        Chong and Forsyth, "Effectively unbiased FID", CVPR 2020, in its two-point form.
        """
        return 2 * self.value - self.half


def estimated(
    statistic: Statistic,
    reference: NDArray[np.float64],
    generated: NDArray[np.float64],
    *,
    seed: int,
    replicates: int = REPLICATES,
) -> Estimate:
    """``statistic`` over two sets of features (N, D), (M, D), with its 95 % interval.

    Raises:
        InputError: ``quality.too-few``.
    """
    enough(len(reference), LEAST, "reference")
    enough(len(generated), LEAST, "generated")
    value = statistic(reference, generated)
    rng = np.random.default_rng(seed)
    halves = np.array(
        [statistic(_half(reference, rng), _half(generated, rng)) for _ in range(replicates)], np.float64
    )
    away = halves - halves.mean()
    low, high = np.quantile(away, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(
        value=value,
        low=value + float(low),
        high=value + float(high),
        confidence=CONFIDENCE,
        half=float(halves.mean()),
        n_reference=len(reference),
        n_generated=len(generated),
    )


def enough(have: int, need: int, which: str) -> None:
    """Refuse figures that too few pictures cannot carry.

    Raises:
        InputError: ``quality.too-few``.
    """
    if have < need:
        raise InputError(
            "quality.too-few",
            f"{have} {which} pictures, where this figure needs {need}",
            hint="take more pictures (-n), or features of fewer dimensions (--features pixels-8x8)",
        )


def _half(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return rows[rng.permutation(len(rows))[: len(rows) // 2]]
