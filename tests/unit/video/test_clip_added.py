"""What was put around a clip, between its seconds or after them, or cut out of it, is said and counts."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from guard.changes import clip_edits, describe_clip
from guard.recover import Recovery
from guard.verdict import State
from provenance.evidence import Outcome
from provenance.video.clip_digest import ClipDigester
from provenance.video.clip_digest_compare import compare_clip
from provenance.video.clip_digest_placing import sample_clip
from provenance.video.clip_digest_reading import ClipMatch
from provenance.watermark.interface import Geometry

SIZE, FPS = (192, 108), 8
UNIT = 1.6 * np.sqrt(SIZE[0] * SIZE[1]) / 512


def clip(seed, seconds=6):
    """Frames of a camera that swings over soft blocks."""
    random = np.random.default_rng(seed)
    ground = np.kron(random.uniform(20, 235, (12, 24, 3)), np.ones((16, 16, 1)))
    for axis in (0, 1):
        ground = sum(np.roll(ground, step, axis) for step in range(5)) / 5
    for index in range(round(seconds * FPS)):
        x, y = (round(40 + 40 * np.sin(rate * index / FPS)) for rate in (0.5, 0.3))
        yield ground[y : y + SIZE[1], x : x + SIZE[0]].astype(np.uint8)


def compared(frames, left=0, top=0, signed=6):
    """A copy in which the signed frame begins at (left, top), of which the mark told."""
    digester = ClipDigester(SIZE)
    for index, rgb in enumerate(clip(1, signed)):
        digester.add(rgb, index / FPS)
    offset = (-left / UNIT % 128, -top / UNIT % 128)
    found = Geometry(matrix=((1 / UNIT, 0.0), (0.0, 1 / UNIT)), offset=offset, spreads=(1.6,))
    copy = sample_clip((rgb, index / FPS) for index, rgb in enumerate(frames))
    return compare_clip(digester.result(), copy, found)


def framed(width, height, ground, left=0, top=0):
    """The clip in a larger frame, on what ``ground`` paints."""
    for index, rgb in enumerate(clip(1)):
        wide = np.zeros((height, width, 3), np.uint8)
        ground(wide, index)
        wide[top : top + SIZE[1], left : left + SIZE[0]] = rgb
        yield wide


def black(wide, index):
    pass


def striped(wide, index):
    wide[..., 0] = np.indices(wide.shape[:2]).sum(axis=0) // 8 % 2 * 250


def captioned(wide, index):
    """White letters for half a second."""
    if 16 <= index < 20:
        wide[116:126, 20:120:9] = 255


def test_a_clip_in_the_corner_of_another_picture_is_no_copy():
    evidence = compared(framed(384, 216, striped))
    assert evidence.outcome is Outcome.INCONCLUSIVE
    assert "75% of this file lies around it" in evidence.reason
    assert evidence.detail.around_fraction == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize(("ground", "added"), [(black, False), (captioned, True), (striped, True)])
def test_what_lies_around_a_clip_is_added_unless_it_is_plain(ground, added):
    evidence = compared(framed(192, 132, ground))
    assert evidence.outcome is Outcome.SUPPORTS
    reading = evidence.detail
    assert reading.match is ClipMatch.SAME
    assert reading.around_fraction == pytest.approx(24 / 132, abs=0.02)
    assert reading.added is added
    assert "18% of this file lies around it" in describe_clip(reading)


def test_a_clip_padded_to_the_shape_of_a_screen_is_the_clip():
    evidence = compared(framed(320, 108, black, left=64), left=64)
    assert evidence.outcome is Outcome.SUPPORTS
    assert not evidence.detail.added


@pytest.mark.parametrize(("at", "seconds"), [(20, 1), (20, 0.5), (20, 3.9), (0, 1), (60, 0.5), (60, 3.9)])
def test_seconds_of_something_else_are_added_however_long_the_clip(at, seconds):
    mine, other = list(clip(1, 60)), list(clip(2, seconds))
    frames = [*mine[: at * FPS], *other, *mine[at * FPS :]]
    reading = compared(frames, signed=60).detail
    assert reading.match is ClipMatch.ALTERED
    assert reading.added
    assert not reading.cut_out
    (stretch,) = reading.other_seconds
    assert stretch == pytest.approx((at, at + seconds), abs=0.3)


def test_a_requirement_asks_for_a_clip_without_other_seconds():
    for frames, added in ((list(clip(1)), False), ([*clip(1), *clip(2, 1)], True)):
        evidence = compared(frames)
        found = Recovery(
            state=State.RECOVERED, reason="", mark=evidence, candidates=(SimpleNamespace(digest=evidence),)
        )
        assert found.added is added


def test_a_clip_alone_has_nothing_added():
    reading = compared(clip(1)).detail
    assert (reading.other_seconds, reading.cut_out, reading.added) == ((), (), False)


def test_what_is_cut_out_of_the_middle_is_said():
    frames = list(clip(1))
    reading = compared(frames[: 2 * FPS] + frames[3 * FPS :]).detail
    assert reading.match is ClipMatch.PART
    assert not reading.added
    (cut,) = reading.cut_out
    assert cut == pytest.approx((2, 3), abs=0.2)
    assert clip_edits(replace(reading, cut_out=((2.0, 3.0),))) == ["with 2.0–3.0 s cut out"]


def test_another_order_is_an_alteration():
    frames = list(clip(1))
    reading = compared(frames[3 * FPS :] + frames[: 3 * FPS]).detail
    assert reading.match is ClipMatch.ALTERED
    assert "in another order" in describe_clip(reading)


@pytest.mark.parametrize(("first", "frames"), [(20, 7), (20, 4), (12, 6), (18, 11)])
def test_a_piece_without_a_whole_second_is_too_short_to_say(first, frames):
    evidence = compared(list(clip(1))[first : first + frames])
    assert evidence.outcome is Outcome.INCONCLUSIVE
    assert evidence.detail.match is ClipMatch.UNDECIDED
    assert evidence.reason.startswith("too short to say")
    assert compared(list(clip(2))[first : first + frames]).outcome is Outcome.INCONCLUSIVE


def test_a_whole_second_is_a_part_and_two_of_another_clip_are_not():
    assert compared(list(clip(1))[16:24]).detail.match is ClipMatch.PART
    assert compared(list(clip(2))[16:32]).outcome is Outcome.CONTRADICTS
