"""A clip under a bar, a ticker or a letterbox is the clip, altered; another one is another one still."""

from __future__ import annotations

import numpy as np
import pytest

from provenance.evidence import Outcome
from provenance.video.clip_digest import ClipDigester
from provenance.video.clip_digest_compare import compare_clip
from provenance.video.clip_digest_placing import sample_clip
from provenance.video.clip_digest_reading import ClipMatch, SlotState
from provenance.watermark.interface import Geometry

SIZE, FPS = (192, 108), 8
UNIT = 1.6 * np.sqrt(SIZE[0] * SIZE[1]) / 512
UPRIGHT = Geometry(matrix=((1 / UNIT, 0.0), (0.0, 1 / UNIT)), offset=(0.0, 0.0), spreads=(1.6,))


def clip(seed, seconds=5):
    """Frames of a camera that swings over soft blocks of little contrast."""
    random = np.random.default_rng(seed)
    ground = np.kron(random.uniform(60, 180, (12, 24, 3)), np.ones((16, 16, 1)))
    for axis in (0, 1):
        ground = sum(np.roll(ground, step, axis) for step in range(5)) / 5
    for index in range(seconds * FPS):
        x, y = (round(40 + 40 * np.sin(rate * index / FPS)) for rate in (0.5, 0.3))
        yield ground[y : y + SIZE[1], x : x + SIZE[0]].astype(np.uint8)


def timed(frames):
    return [(rgb, index / FPS) for index, rgb in enumerate(frames)]


def compared(frames, signed=None):
    digester = ClipDigester(SIZE)
    for rgb, seconds in timed(signed or clip(1)):
        digester.add(rgb, seconds)
    return compare_clip(digester.result(), sample_clip(timed(frames)), UPRIGHT)


def bar(rgb, index):
    rgb[-16:] = 0


def ticker(rgb, index):
    """Writing that runs in a white bar."""
    rgb[84:104] = 255
    for letter in range(0, SIZE[0], 14):
        left = (letter - 3 * index) % SIZE[0]
        rgb[88:100, left : left + 6] = (200, 0, 0)


def letterbox(rgb, index):
    rgb[:13] = rgb[-13:] = 0


def box(rgb, index):
    rgb[:54, :96] = np.where(np.indices((54, 96)).sum(axis=0)[..., None] % 22 < 11, 255, 0)


def under(lay, frames):
    for index, rgb in enumerate(frames):
        changed = rgb.copy()
        lay(changed, index)
        yield changed


@pytest.mark.parametrize("lay", [bar, ticker, letterbox, box])
def test_a_clip_under_something_is_the_clip_altered(lay):
    evidence = compared(under(lay, clip(1)))
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.match is ClipMatch.ALTERED
    assert [slot.state for slot in evidence.detail.slots] == [SlotState.ALTERED] * 5
    (span,) = evidence.detail.spans
    assert (span.start, span.end, span.signed_start) == pytest.approx((0, 5, 0), abs=0.2)


@pytest.mark.parametrize("lay", [bar, ticker, letterbox, box])
@pytest.mark.parametrize("seed", range(2, 6))
def test_another_clip_under_something_is_another_clip(lay, seed):
    evidence = compared(under(lay, clip(seed)))
    assert evidence.outcome is Outcome.CONTRADICTS
    assert not evidence.detail.spans


@pytest.mark.parametrize("lay", [bar, letterbox, box])
@pytest.mark.parametrize("seed", range(2, 5))
def test_two_clips_under_the_same_thing_are_two_clips(lay, seed):
    """Its edges are most of what both show, and a mark is soon copied."""
    evidence = compared(under(lay, clip(seed)), signed=under(lay, clip(1)))
    # A quarter of the frame that is the same may be all that one looks at.
    assert evidence.outcome is (Outcome.INCONCLUSIVE if lay is box else Outcome.CONTRADICTS)
    assert compared(under(lay, clip(1)), signed=under(lay, clip(1))).detail.match is ClipMatch.SAME


def test_a_part_of_a_clip_is_found_under_a_bar():
    evidence = compared(under(bar, list(clip(1))[8:32]))
    assert evidence.outcome is Outcome.SUPPORTS
    (span,) = evidence.detail.spans
    assert (span.signed_start, span.signed_end) == pytest.approx((1, 4), abs=0.2)


def test_more_than_a_quarter_is_too_much():
    def half(rgb, index):
        rgb[:, :96] = np.where(np.indices((108, 96)).sum(axis=0)[..., None] % 22 < 11, 255, 0)

    assert compared(under(half, clip(1))).outcome is not Outcome.SUPPORTS
