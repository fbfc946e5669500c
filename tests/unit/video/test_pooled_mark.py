"""The mark of a clip, frame by frame, without any codec: see test_clip_codecs for real ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.video.pooled import ClipMarker, PooledDetector
from provenance.watermark.interface import WatermarkKey

KEY = WatermarkKey(key_id="clips", epoch=0, secret=bytes(range(32)))
OTHER = WatermarkKey(key_id="others", epoch=0, secret=bytes(reversed(range(32))))
PAYLOAD = b"clip-id!"
SIZE = (426, 320)


def scene(count, seed=3, size=SIZE):
    """A textured ground with a bright block that moves across it."""
    random = np.random.default_rng(seed)
    coarse = random.normal(128, 30, (size[1] // 8, size[0] // 8 + 1, 1)).repeat(8, 0).repeat(8, 1)
    ground = coarse[: size[1], : size[0]] + random.normal(0, 6, (size[1], size[0], 3))
    for index in range(count):
        frame = ground + random.normal(0, 1, ground.shape)
        frame[100:160, 20 + 8 * index : 80 + 8 * index] = (220, 180, 90)
        yield np.rint(np.clip(frame, 0, 255)).astype(np.uint8)


def read(frames, keys=(KEY,), size=SIZE):
    detector = PooledDetector(keys, size)
    for index, frame in enumerate(frames):
        detector.add(frame, index / 24)
    return detector.result()


def psnr(one, other):
    return 10 * math.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def test_the_payload_comes_back_from_marked_frames():
    marker = ClipMarker(KEY, PAYLOAD, SIZE)
    evidence = read([marker.mark(frame) for frame in scene(4)])
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.payload == PAYLOAD
    assert evidence.detail.key_id == "clips"


def test_unmarked_frames_and_other_keys_hold_nothing():
    marker = ClipMarker(KEY, PAYLOAD, SIZE)
    marked = [marker.mark(frame) for frame in scene(8)]
    assert read(scene(8)).outcome is Outcome.ABSENT
    assert read(marked, keys=(OTHER,)).outcome is Outcome.ABSENT
    assert read(marked, keys=(OTHER, KEY)).detail.payload == PAYLOAD


def test_a_clip_many_times_as_wide_as_high_is_looked_at_as_well():
    size = (2400, 256)
    assert read(scene(1, size=size), size=size).outcome is Outcome.ABSENT


def test_strength_zero_leaves_frames_as_they_are():
    marker = ClipMarker(KEY, PAYLOAD, SIZE, psnr_db=math.inf)
    for frame in scene(3):
        assert np.array_equal(marker.mark(frame), frame)


def test_no_frame_falls_below_the_quality_asked_for():
    marker = ClipMarker(KEY, PAYLOAD, SIZE, psnr_db=40.0)
    frames = [np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), *scene(5), *scene(3, seed=9)]
    assert all(psnr(marker.mark(frame), frame) > 39.8 for frame in frames)


def test_marking_is_the_same_every_time_and_leaves_its_input_alone():
    frames = list(scene(4))
    before = [frame.copy() for frame in frames]
    made = [[marker.mark(frame) for frame in frames] for marker in (fresh(), fresh())]
    assert np.array_equal(made[0], made[1])
    assert np.array_equal(before, frames)


def fresh():
    return ClipMarker(KEY, PAYLOAD, SIZE)


def test_too_small_and_wrong_frames_are_refused():
    with pytest.raises(InputError) as refused:
        ClipMarker(KEY, PAYLOAD, (320, 200))
    assert refused.value.code == "watermark.capacity-exceeded"
    with pytest.raises(ValueError, match="frames must be"):
        fresh().mark(np.zeros((10, 10, 3), np.uint8))


def test_nothing_to_look_at_is_said():
    assert read([]).outcome is Outcome.NOT_CHECKED
    assert read(scene(1), keys=()).outcome is Outcome.NOT_CHECKED
    tiny = PooledDetector([KEY], (64, 64))
    assert tiny.decided
    assert tiny.result().outcome is Outcome.NOT_CHECKED
