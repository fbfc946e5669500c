"""Tones are fitted to what a copy went through, also where a channel is clipped nearly everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from audits.integrity.copies import BENIGN
from audits.robustness.relink import frames_of
from provenance.digest_compare import compare_placed, visual_digest
from provenance.digest_tones import Tones, fitted_tones
from provenance.evidence import Outcome


def petals() -> np.ndarray:
    """Yellow without any blue but for a few brown cells, in soft folds."""
    y, x = np.mgrid[:512, :512] / 512
    folds = 0.5 + 0.3 * np.sin(9 * x + 4 * y) * np.cos(5 * y) + 0.15 * np.sin(31 * x - 13 * y)
    picture = np.stack([120 + 150 * folds, 70 + 150 * folds, 0 * folds], axis=-1)
    picture[440:, 400:] = (80, 70, 50)
    grain = np.random.default_rng(2).normal(0, 2, picture.shape)
    return np.clip(picture + grain, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("name", ["unchanged", "screenshot", "turned by -7° in a larger frame", "JPEG 50"])
def test_a_picture_without_blue_is_not_taken_for_another(name) -> None:
    copy = BENIGN[name]
    answer = compare_placed(
        visual_digest(frames_of(petals())), frames_of(copy(petals())), (copy.placement(512, 512),)
    )
    assert answer.outcome is Outcome.SUPPORTS
    assert answer.detail.regions == ()


def test_what_was_done_is_fitted() -> None:
    wanted = np.random.default_rng(1).uniform(0.2, 0.7, (400, 3))
    done = Tones(gain=(1.2, 1.1, 0.9), offset=(0.05, 0.0, -0.02))
    found = fitted_tones(done(wanted), wanted)
    assert np.abs(found(wanted) - done(wanted)).max() < 0.02
    assert found.misfit(done(wanted), wanted) < Tones().misfit(done(wanted), wanted)


def test_nothing_done_is_nothing_left() -> None:
    wanted = np.random.default_rng(1).uniform(0, 1, (400, 3))
    assert Tones().misfit(wanted, wanted) == pytest.approx(0, abs=1e-12)
