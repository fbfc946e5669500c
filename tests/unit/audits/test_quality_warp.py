"""Temporal warp error: a steady camera, a flickering one, frames in another order."""

from __future__ import annotations

import numpy as np
import pytest

from audits.quality.flow_adapter import flow
from audits.quality.warp import steadiness
from provenance.errors import InputError


def pan(photograph, frames: int = 8) -> np.ndarray:
    """A camera that moves 3 pixels right and 1 down a frame."""
    return np.stack([photograph[t : t + 128, 60 + 3 * t : 188 + 3 * t] for t in range(frames)])


def test_a_pan_is_steady_and_its_frames_in_another_order_are_not(photograph) -> None:
    seen = steadiness(pan(photograph), flow, seed=1)
    assert seen.error < 5
    assert seen.error < 0.5 * seen.shuffled
    assert seen.motion == pytest.approx(np.hypot(3, 1), abs=0.6)
    assert seen.agreeing > 0.8
    assert seen.frames == 8


def test_flicker_raises_the_error_and_a_still_clip_has_none(photograph) -> None:
    clip = pan(photograph)
    light = np.where(np.arange(8) % 2, 1.0, 0.85)[:, None, None, None]
    flicker = (clip * light).astype(np.uint8)
    assert steadiness(flicker, flow, seed=1).error > 2 * steadiness(clip, flow, seed=1).error
    still = steadiness(np.repeat(clip[:1], 5, 0), flow, seed=1)
    assert still.error == 0
    assert still.motion < 0.05


def test_too_few_frames_are_refused(photograph) -> None:
    with pytest.raises(InputError) as raised:
        steadiness(pan(photograph, 3), flow, seed=1)
    assert raised.value.code == "quality.too-few"
