"""What is broad and soft is seen, and an edit does not hide behind another way to gray."""

from __future__ import annotations

import numpy as np
import pytest

from audits.robustness import attacks
from audits.robustness.relink import frames_of
from provenance.digest_compare import compare, visual_digest
from provenance.digest_tones import gray_weights
from provenance.evidence import Outcome


def shaded(pixels: np.ndarray, levels: float) -> np.ndarray:
    """Lighter or darker around a place right of the middle, by so many levels, without an edge."""
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]] / np.array(pixels.shape[:2])[:, None, None]
    soft = levels * np.exp(-((x - 0.6) ** 2 + (y - 0.5) ** 2) / 0.08)
    return np.clip(pixels + soft[..., None], 0, 255).round().astype(np.uint8)


def sky() -> np.ndarray:
    """A gradient with a little grain."""
    ramp = np.linspace((90, 120, 190), (170, 210, 235), 512)[:, None].repeat(512, axis=1)
    grain = np.random.default_rng(3).normal(0, 1.5, (512, 512, 1))
    return np.clip(ramp + grain, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("levels", [-60, 40])
def test_a_broad_soft_shade_on_a_photograph_is_found(photograph, levels) -> None:
    copy = attacks.jpeg(50)(shaded(photograph, levels))
    answer = compare(visual_digest(frames_of(photograph)), frames_of(copy), None)
    assert answer.outcome is not Outcome.SUPPORTS or answer.detail.regions


def test_waves_on_a_plain_picture_are_found() -> None:
    y, x = np.mgrid[:512, :512] / 512
    waves = 15 * np.sin(4 * np.pi * x) * np.sin(4 * np.pi * y)
    other = np.clip(sky() + waves[..., None], 0, 255).round().astype(np.uint8)
    answer = compare(visual_digest(frames_of(sky())), frames_of(attacks.jpeg(80)(other)), None)
    assert answer.outcome is not Outcome.SUPPORTS or answer.detail.regions


@pytest.mark.parametrize("weights", [(1 / 3, 1 / 3, 1 / 3), (0.299, 0.587, 0.114), (0.0, 1.0, 0.0)])
def test_an_edit_does_not_hide_in_gray(photograph, weights) -> None:
    def gray(pixels: np.ndarray) -> np.ndarray:
        return np.rint(pixels @ np.array(weights))[..., None].repeat(3, axis=-1).astype(np.uint8)

    edited = photograph.copy()
    edited[300:360, 80:140] = photograph[80:140, 300:360]
    digest = visual_digest(frames_of(photograph))
    assert compare(digest, frames_of(gray(photograph)), None).detail.regions == ()
    answer = compare(digest, frames_of(attacks.jpeg(50)(gray(edited))), None)
    assert answer.outcome is Outcome.SUPPORTS
    left, top, right, bottom = answer.detail.regions[0]
    assert 80 <= 512 * (left + right) / 2 <= 140
    assert 300 <= 512 * (top + bottom) / 2 <= 360


def test_the_way_to_gray_is_told_where_there_is_colour() -> None:
    wanted = np.random.default_rng(1).uniform(0.1, 0.9, (500, 3))
    weights = np.array([0.2, 0.3, 0.5])
    found = gray_weights((0.9 * wanted @ weights + 0.05)[:, None].repeat(3, axis=1), wanted)
    assert found == pytest.approx(weights, abs=0.02)
    assert found.sum() == pytest.approx(1)
