"""Fréchet and kernel distance between two sets of features, in double precision.

Both are 0 between a distribution and itself. The Fréchet distance looks at mean and covariance only, and is
too large by a term that goes as 1/n; the kernel distance is unbiased at every n, and may come out below 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.quality.halves import Estimate, enough, estimated

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUBSET = 1000
"""Most pictures of one kernel estimate (Bińkowski et al. 2018)."""
SUBSETS = 50


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
    """``kernel`` as the mean over random subsets of at most ``SUBSET`` pictures, with an interval.

    Raises:
        InputError: ``quality.too-few``.
    """
    rng = np.random.default_rng(seed)

    def over_subsets(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        if max(len(one), len(other)) <= SUBSET:
            return kernel(one, other)
        return float(
            np.mean(
                [kernel(_subset(one, rng), _subset(other, rng)) for _ in range(SUBSETS)], dtype=np.float64
            )
        )

    return estimated(over_subsets, reference, generated, seed=seed)


def _covariance(features: NDArray[np.float64]) -> NDArray[np.float64]:
    away = features - features.mean(0)
    product: NDArray[np.float64] = away.T @ away / (len(features) - 1)
    return product


def _kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = (one @ other.T / one.shape[1] + 1) ** 3
    return values


def _off_diagonal(features: NDArray[np.float64]) -> float:
    table = _kernel(features, features)
    n = len(features)
    return float((table.sum() - np.trace(table)) / (n * (n - 1)))


def _subset(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return rows[rng.permutation(len(rows))[:SUBSET]]
