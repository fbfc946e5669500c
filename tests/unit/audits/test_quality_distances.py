"""Distances between features: against closed forms, near singular, with few pictures, collapsed."""

from __future__ import annotations

import numpy as np
import pytest

from audits.quality import distances
from audits.quality.delete_half import estimated
from audits.quality.distances import frechet, frechet_estimate, kernel, kernel_estimate
from audits.quality.features import PixelGrid
from audits.quality.manifolds import manifolds
from provenance.errors import InputError


def normal(seed: int, n: int, d: int = 6, *, mean: float = 0.0, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, spread, (n, d))


def test_the_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    """|m|² + Σ (s₁ - s₂)² for diagonal covariances."""
    near = frechet(normal(0, 40_000, mean=0.5, spread=2.0), normal(1, 40_000))
    assert near == pytest.approx(6 * 0.25 + 6 * 1.0, rel=0.03)


def test_it_is_exact_where_the_samples_are() -> None:
    rows = normal(2, 500)
    assert frechet(rows, rows) == pytest.approx(0, abs=1e-9)
    assert frechet(rows, rows + 2) == pytest.approx(24, abs=1e-9)
    assert frechet(rows, 3 * rows) == pytest.approx(frechet(3 * rows, rows), rel=1e-9)


def test_near_singular_covariances_keep_their_digits() -> None:
    """Features that are nearly copies of each other; the root of the plain product would go complex here."""
    thin = normal(3, 400, 2) @ np.random.default_rng(4).normal(size=(2, 8)) + 1e-9 * normal(5, 400, 8)
    assert frechet(thin, thin) == pytest.approx(0, abs=1e-6)
    far = frechet(thin, thin + 1)
    assert np.isfinite(far)
    assert far == pytest.approx(8, abs=1e-5)


def test_the_interval_holds_the_truth_and_the_extrapolation_takes_the_bias() -> None:
    truth = 6 * 0.09
    made = [
        frechet_estimate(normal(seed, 150), normal(seed + 50, 150, mean=0.3), seed=seed) for seed in range(12)
    ]
    plain = np.mean([one.value for one in made])
    better = np.mean([one.extrapolated for one in made])
    assert plain - truth > 0.05
    assert abs(better - truth) < 0.5 * (plain - truth)
    assert all(one.low <= one.value <= one.high for one in made)
    assert all(one.half > one.value - 0.02 for one in made)


def test_too_few_pictures_are_refused_unless_one_insists() -> None:
    few = normal(6, 12, 20)
    with pytest.raises(InputError) as raised:
        frechet_estimate(few, few, seed=1)
    assert raised.value.code == "quality.too-few"
    assert np.isfinite(frechet_estimate(few, few, seed=1, small=True).value)
    with pytest.raises(InputError):
        estimated(kernel, few[:7], few, seed=1)


def test_the_kernel_distance_is_unbiased_and_sees_a_shift() -> None:
    same = [kernel(normal(seed, 60), normal(seed + 900, 60)) for seed in range(150)]
    error = np.std(same) / np.sqrt(len(same))
    assert abs(np.mean(same)) < 3 * error
    assert min(same) < 0
    shifted = kernel_estimate(normal(1, 300), normal(2, 300, mean=0.5), seed=1)
    assert 0 < shifted.low < shifted.value < shifted.high


def test_kernel_estimates_over_many_pictures_are_means_of_blocks_and_repeat(monkeypatch) -> None:
    monkeypatch.setattr(distances, "BLOCK", 100)
    one, other = normal(1, 420, 3), normal(2, 420, 3, mean=0.5)
    first = kernel_estimate(one, other, seed=3)
    assert first == kernel_estimate(one, other, seed=3)
    assert first.value == pytest.approx(kernel(one, other), rel=0.15)


def test_a_kernel_estimate_beside_few_references_is_a_number(monkeypatch) -> None:
    """Blocks of one picture have no distances within."""
    monkeypatch.setattr(distances, "BLOCK", 10)
    estimate = kernel_estimate(normal(1, 8, 3), normal(2, 420, 3), seed=3)
    assert np.isfinite([estimate.value, estimate.low, estimate.high, estimate.half]).all()
    assert estimate.low < 0 < estimate.high


def test_a_collapsed_model_is_precise_and_recalls_little() -> None:
    real = normal(7, 300, 2)
    alike = manifolds(real, normal(8, 300, 2))
    assert alike.precision.rate > 0.9
    assert alike.recall.rate > 0.9
    assert alike.density == pytest.approx(1, abs=0.2)
    collapsed = manifolds(real, 0.05 * normal(9, 300, 2))
    assert collapsed.precision.rate > 0.95
    assert collapsed.recall.rate < 0.1
    assert collapsed.coverage.rate < 0.3
    off = manifolds(real, normal(10, 300, 2, mean=20))
    assert (off.precision.rate, off.recall.rate, off.density) == (0, 0, 0)


def test_pixel_features_are_mean_colours(photograph) -> None:
    features = PixelGrid(side=8)(photograph)
    assert features.shape == (192,)
    cell = photograph[:64, :64].reshape(-1, 3).mean(0) / 255
    assert features[:3] == pytest.approx(cell, abs=1 / 255)
    assert PixelGrid().name == "pixels-8x8"
    assert PixelGrid(side=4)(photograph[:2, :2]).shape == (48,)
