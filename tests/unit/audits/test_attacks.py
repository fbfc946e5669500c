"""Attacks are pure, do what their names say, and compose."""

from __future__ import annotations

import numpy as np
import pytest

from audits.robustness import attacks

ALL = {
    **attacks.RELINK,
    "webp": attacks.encode("WEBP", 60),
    "rotate": attacks.rotate(7),
    "expand": attacks.rotate(45, expand=True),
    "quarter": attacks.quarter_turn,
    "mirror": attacks.mirror,
    "levels": attacks.levels(0.1, 0.9),
    "gray": attacks.gray,
    "screenshot": attacks.screenshot,
}


@pytest.mark.parametrize("name", sorted(ALL))
def test_attacks_are_pure(name, photograph) -> None:
    before = photograph.copy()
    first, second = ALL[name](photograph), ALL[name](photograph)
    assert np.array_equal(photograph, before)
    assert np.array_equal(first, second)
    assert first.dtype == np.uint8
    assert first.ndim == 3


def test_sizes_are_as_said(photograph) -> None:
    assert attacks.resize(0.5)(photograph).shape == (256, 256, 3)
    assert attacks.resize(1, 0.9)(photograph).shape == (512, 461, 3)
    cropped = attacks.crop(0.1)(photograph)
    assert cropped.shape[0] * cropped.shape[1] == pytest.approx(0.9 * 512 * 512, rel=0.01)
    chained = attacks.chain(attacks.crop(0.1), attacks.resize(0.5))(photograph)
    assert chained.shape == (242, 242, 3)


def test_noise_comes_from_its_argument(photograph) -> None:
    noisy = [attacks.noise(5, np.random.default_rng(1))(photograph) for _ in range(2)]
    assert np.array_equal(*noisy)
    assert np.std(noisy[0].astype(float) - photograph) == pytest.approx(5, abs=0.5)


def test_paste_changes_only_the_patch(photograph) -> None:
    edited = attacks.paste(np.zeros((20, 30, 3), np.uint8), x=50, y=60)(photograph)
    changed = np.argwhere((edited != photograph).any(axis=2))
    assert changed.min(axis=0) @ [1, 0] >= 60
    assert changed.max(axis=0) @ [0, 1] < 80
