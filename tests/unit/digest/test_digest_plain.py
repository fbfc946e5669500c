"""A picture without outlines is what its tones are, and nothing more is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from audits.robustness import attacks
from audits.robustness.relink import frames_of
from provenance.digest_compare import compare, resemble, visual_digest
from provenance.evidence import Outcome
from provenance.watermark.interface import WatermarkKey, embed

KEY = WatermarkKey(key_id="test", epoch=0, secret=bytes(32))


def sky(direction: float = 0.0, blue: int = 200) -> np.ndarray:
    """A gradient of some forty levels with grain, and two faint clouds."""
    random, (y, x) = np.random.default_rng(4), np.mgrid[:512, :512] / 511 - 0.5
    along = x * np.cos(direction) + y * np.sin(direction)
    clouds = sum(np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.02) for cx, cy in ((0.2, -0.1), (-0.3, 0.3)))
    lightness = 30 * along + 6 * clouds + random.normal(0, 1.5, (512, 512))
    return np.clip(np.array([120, 160, blue]) + lightness[..., None], 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize(
    "copy",
    [
        attacks.jpeg(50),
        attacks.resize(0.5),
        attacks.chain(attacks.resize(0.5), attacks.jpeg(50)),
        attacks.encode("WEBP", 50),
    ],
    ids=["jpeg50", "half", "half+jpeg50", "webp50"],
)
def test_a_copy_in_its_own_tones_is_the_picture_and_unaltered(copy) -> None:
    answer = compare(visual_digest(frames_of(sky())), frames_of(copy(sky())), None)
    assert answer.outcome is Outcome.SUPPORTS
    assert answer.detail.regions == ()


def test_what_was_put_on_it_is_outlined(photograph) -> None:
    edited = sky()
    edited[200:280, 300:380] = photograph[100:180, 100:180]
    answer = compare(visual_digest(frames_of(sky())), frames_of(attacks.jpeg(70)(edited)), None)
    assert answer.outcome is Outcome.SUPPORTS
    left, top, right, bottom = answer.detail.regions[0]
    assert (left * 512, top * 512) == pytest.approx((300, 200), abs=12)
    assert (right * 512, bottom * 512) == pytest.approx((380, 280), abs=12)


@pytest.mark.parametrize(
    "other",
    [sky(np.pi), sky(np.pi / 2), sky(blue=170), attacks.levels(0.1, 1.0)(sky())],
    ids=["turned round", "turned by a quarter", "another blue", "brighter"],
)
def test_other_tones_decide_nothing(other) -> None:
    answer = compare(visual_digest(frames_of(sky())), frames_of(other), None)
    assert answer.outcome is Outcome.INCONCLUSIVE
    assert "plain" in answer.reason


@pytest.mark.parametrize("gain", [1.0, 1.6])
def test_the_grain_of_a_copied_mark_does_not_count(gain) -> None:
    signed, other = sky(), sky(np.pi)
    embedding = embed(frames_of(signed), bytes(8), KEY)
    marked = embedding.frames.pixels[0]
    grain = gain * (marked.astype(float) - signed)
    forged = np.clip(other + grain, 0, 255).round().astype(np.uint8)
    digest = visual_digest(embedding.frames)
    assert compare(digest, embedding.frames, None).outcome is Outcome.SUPPORTS
    assert compare(digest, frames_of(forged), None).outcome is Outcome.INCONCLUSIVE


def test_without_a_mark_it_decides_nothing() -> None:
    assert resemble(visual_digest(frames_of(sky())), frames_of(sky())).outcome is Outcome.INCONCLUSIVE
