"""Fréchet and kernel distance between two sets of features, in double precision.

Both are 0 between a distribution and itself. The Fréchet distance looks at mean and covariance only, and is
too large by a term that goes as 1/n; the kernel distance is unbiased at every n, and may come out below 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.quality.delete_half import Estimate, enough, estimated

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1000
"""Most pictures of one kernel estimate, as in Bińkowski et al."""
_LEAST = 2
"""Fewest: of one picture alone there is no distance to another of its set."""


def frechet(reference: NDArray[np.float64], generated: NDArray[np.float64]) -> float:
    """Squared Wasserstein-2 distance of the Gaussians with their means and covariances.

    |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½) (Fréchet 1957; Dowson and Landau 1982). The root is taken of
    C₁^½ C₂ C₁^½, which is symmetric and has the same eigenvalues: those of C₁ C₂ itself lose half of the
    digits where the covariances are near singular.

    Args:
        reference: (N, D).
        generated: (M, D).
    """
    means = reference.mean(0) - generated.mean(0)
    one, other = _covariance(reference), _covariance(generated)
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ other @ root)
    trace = np.trace(one) + np.trace(other) - 2 * np.sqrt(shared.clip(0)).sum()
    return float(means @ means + trace)


def frechet_estimate(
    reference: NDArray[np.float64], generated: NDArray[np.float64], *, seed: int, small: bool = False
) -> Estimate:
    """``frechet`` with an interval.

    Args:
        reference: (N, D).
        generated: (M, D).
        seed: of the halves.
        small: also with fewer pictures than dimensions, where the covariances are singular.

    Raises:
        InputError: ``quality.too-few``.
    """
    if not small:
        need = reference.shape[1] + 1
        enough(len(reference), need, "reference")
        enough(len(generated), need, "generated")
    return estimated(frechet, reference, generated, seed=seed)


def kernel(reference: NDArray[np.float64], generated: NDArray[np.float64]) -> float:
    """Unbiased squared maximum mean discrepancy under k(x, y) = (x·y / D + 1)³ (Bińkowski et al. 2018)."""
    within = _off_diagonal(reference) + _off_diagonal(generated)
    return float(within - 2 * _kernel(reference, generated).mean())


def kernel_estimate(reference: NDArray[np.float64], generated: NDArray[np.float64], *, seed: int) -> Estimate:
    """``kernel`` with an interval: the mean over random blocks of at most ``BLOCK`` pictures.

    Blocks do not overlap, so every picture counts once (Zaremba et al., NeurIPS 2013). Beside a set too small
    to be divided as often, they are larger.

    Raises:
        InputError: ``quality.too-few``.
    """
    rng = np.random.default_rng(seed)

    def over_blocks(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        wanted, possible = -(-max(len(one), len(other)) // BLOCK), min(len(one), len(other)) // _LEAST
        count = min(wanted, possible)
        pairs = zip(_blocks(one, count, rng), _blocks(other, count, rng), strict=True)
        return float(np.mean([kernel(*pair) for pair in pairs]))

    return estimated(over_blocks, reference, generated, seed=seed)


def _blocks(rows: NDArray[np.float64], count: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    return np.array_split(rows[rng.permutation(len(rows))], count)


def _covariance(features: NDArray[np.float64]) -> NDArray[np.float64]:
    away = features - features.mean(0)
    product: NDArray[np.float64] = away.T @ away / (len(features) - 1)
    return product


def _kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    base = one @ other.T / one.shape[1] + 1
    values: NDArray[np.float64] = base * base * base  # twenty times as fast as a power
    return values


def _off_diagonal(features: NDArray[np.float64]) -> float:
    table = _kernel(features, features)
    n = len(features)
    return float((table.sum() - np.trace(table)) / (n * (n - 1)))
