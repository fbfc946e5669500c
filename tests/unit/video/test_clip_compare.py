"""Copies of a clip against its digest, and parts of it in other files."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.changes import describe_clip, span_lines
from provenance.evidence import Outcome
from provenance.video.clip_digest import ClipDigester
from provenance.video.clip_digest_compare import compare_clip
from provenance.video.clip_digest_placing import ClipSampler, sample_clip
from provenance.video.clip_digest_reading import ClipMatch, SlotState
from provenance.video.locate import _edge, locate
from provenance.watermark.interface import Geometry

SIZE = (192, 108)
FPS = 12


@lru_cache(maxsize=16)
def world(seed):
    """A picture three frames wide, of blocks with soft outlines."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(20, 235, (12, 30, 1)) + random.uniform(-20, 20, (12, 30, 3))
    coarse = np.clip(coarse, 0, 255)
    grown = np.kron(coarse, np.ones((20, 20, 1)))
    for axis in (0, 1):
        grown = (grown + np.roll(grown, 1, axis) + np.roll(grown, 2, axis) + np.roll(grown, 3, axis)) / 4
    return grown


def clip(seed, seconds, fps=FPS):
    """(rgb, seconds) of a camera that swings over a world."""
    ground = world(seed)
    for index in range(round(seconds * fps)):
        time = index / fps
        x = round(190 + 120 * np.sin(0.35 * time + seed))
        y = round(60 + 40 * np.sin(0.27 * time))
        yield ground[y : y + SIZE[1], x : x + SIZE[0]].astype(np.uint8), time


def digest_of(frames):
    digester = ClipDigester(SIZE)
    for rgb, seconds in frames:
        digester.add(rgb, seconds)
    return digester.result()


def timed(frames, fps=FPS):
    return [(rgb, index / fps) for index, rgb in enumerate(frames)]


def compared(frames, geometry=None, *, signed=None):
    return compare_clip(signed or digest_of(clip(1, 6)), sample_clip(frames), geometry)


def states(evidence):
    return [slot.state for slot in evidence.detail.slots]


def noisy(frames, deviation=6):
    random = np.random.default_rng(5)
    for rgb, seconds in frames:
        yield np.clip(rgb + random.normal(0, deviation, rgb.shape), 0, 255).astype(np.uint8), seconds


def test_the_clip_itself_is_the_same_at_any_frame_rate_and_with_noise():
    for copy in (clip(1, 6, fps=8), clip(1, 6, fps=25), noisy(clip(1, 6))):
        evidence = compared(copy)
        assert evidence.outcome is Outcome.SUPPORTS
        assert evidence.detail.match is ClipMatch.SAME
        assert states(evidence) == [SlotState.MATCHES] * 6


@pytest.mark.parametrize(
    "change",
    [
        np.rot90,
        lambda rgb: rgb[:, ::-1],
        lambda rgb: rgb[::-1, ::-1],
        lambda rgb: (rgb * 0.7 + 20).astype(np.uint8),
        lambda rgb: (rgb @ [[0.299], [0.587], [0.114]]).repeat(3, axis=2).astype(np.uint8),
        lambda rgb: rgb[::2, ::2],
    ],
)
def test_turned_mirrored_toned_and_smaller_copies_are_the_same(change):
    evidence = compared([(np.ascontiguousarray(change(rgb)), seconds) for rgb, seconds in clip(1, 6)])
    assert evidence.detail.match is ClipMatch.SAME


def test_a_cropped_copy_needs_the_geometry_of_its_mark():
    left, top = 12, 6
    cropped = [(rgb[top:100, left:180], seconds) for rgb, seconds in clip(1, 6)]
    unit = 1.6 * np.sqrt(SIZE[0] * SIZE[1]) / 512
    found = Geometry(
        matrix=((1 / unit, 0.0), (0.0, 1 / unit)),
        offset=(left / unit % 128, top / unit % 128),
        spreads=(1.6,),
    )
    evidence = compared(cropped, found)
    assert evidence.detail.match is ClipMatch.SAME
    assert evidence.detail.kept == pytest.approx((12 / 192, 6 / 108, 180 / 192, 100 / 108), abs=0.01)


def test_a_patch_is_told_in_its_seconds_and_place():
    edited = []
    for rgb, seconds in clip(1, 6):
        changed = rgb.copy()
        if 2 <= seconds < 4:
            changed[30:60, 90:130] = (250, 20, 20)
        edited.append((changed, seconds))
    evidence = compared(edited)
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.match is ClipMatch.ALTERED
    wanted = [SlotState.MATCHES] * 2 + [SlotState.ALTERED] * 2 + [SlotState.MATCHES] * 2
    assert states(evidence) == wanted
    left, top, right, bottom = evidence.detail.slots[2].box
    assert left == pytest.approx(90 / 192, abs=0.1)
    assert right == pytest.approx(130 / 192, abs=0.1)
    assert top == pytest.approx(30 / 108, abs=0.12)
    assert bottom == pytest.approx(60 / 108, abs=0.12)


def test_seconds_replaced_in_place_show_something_else():
    mine, other = list(clip(1, 8)), list(clip(2, 8))
    evidence = compared([*mine[:36], *other[36:60], *mine[60:]], signed=digest_of(clip(1, 8)))
    assert evidence.detail.match is ClipMatch.ALTERED
    assert states(evidence)[3:5] == [SlotState.OTHER] * 2
    assert states(evidence)[:3] + states(evidence)[5:] == [SlotState.MATCHES] * 6


def test_seconds_cut_out_leave_two_parts():
    frames = [rgb for rgb, _ in clip(1, 9)]
    evidence = compared(timed(frames[:36] + frames[72:]), signed=digest_of(clip(1, 9)))
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.match is ClipMatch.PART
    assert evidence.detail.count(SlotState.MISSING) == 3
    assert evidence.detail.count(SlotState.MATCHES) == 6


def test_a_part_is_a_part_wherever_it_is_cut():
    frames = [rgb for rgb, _ in clip(1, 6)]
    evidence = compared(timed(frames[17:62]))
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.match is ClipMatch.PART
    (span,) = evidence.detail.spans
    assert (span.start, span.end) == pytest.approx((0, 45 / FPS), abs=0.25)
    assert span.signed_start == pytest.approx(17 / FPS, abs=0.15)


def test_another_clip_contradicts():
    for seed in range(2, 5):
        evidence = compared(clip(seed, 6))
        assert evidence.outcome is Outcome.CONTRADICTS
        assert evidence.detail.match is ClipMatch.OTHER


def test_frames_in_reverse_order_are_not_the_clip():
    frames = [rgb for rgb, _ in clip(1, 6)]
    assert compared(timed(frames[::-1])).outcome is not Outcome.SUPPORTS


def test_a_plain_clip_says_nothing():
    gray = [(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), second / 4) for second in range(24)]
    evidence = compared(gray, signed=digest_of(gray))
    assert evidence.outcome is Outcome.INCONCLUSIVE
    assert evidence.detail is None
    assert compared(gray).outcome is Outcome.INCONCLUSIVE


def test_black_seconds_within_a_clip_do_not_count_against_it():
    frames = [(rgb * (not 2 <= seconds < 4), seconds) for rgb, seconds in clip(1, 8)]
    evidence = compared(frames, signed=digest_of(frames))
    assert evidence.detail.match is ClipMatch.SAME


@settings(max_examples=5, deadline=None)
@given(
    first=st.integers(0, 40), length=st.integers(36, 60), lead=st.integers(12, 40), seed=st.integers(2, 99)
)
def test_a_part_in_a_longer_file_is_located(first, length, lead, seed):
    mine, other = [rgb for rgb, _ in clip(1, 9)], [rgb for rgb, _ in clip(seed, 8)]
    part = mine[first : first + length]
    spans = locate(digest_of(clip(1, 9)), sample_clip(timed([*other[:lead], *part, *other[lead:]])))
    (span,) = spans
    # Ends may stop a little early where the camera moves; the clock does not.
    assert span.start == pytest.approx(lead / FPS, abs=1)
    assert span.end == pytest.approx((lead + len(part)) / FPS, abs=1)
    assert span.signed_start - span.start == pytest.approx((first - lead) / FPS, abs=0.15)


@given(off=st.integers(-9, 11), dips=st.lists(st.integers(13, 46), max_size=3), cut=st.booleans())
def test_an_end_is_where_bins_stop_to_fit(off, dips, cut):
    """Not at the first one that does not; from inside and from outside; at most where the file ends."""
    shown = np.full(70, 0.1, np.float32)
    shown[10:50] = 0.9
    shown[dips] = 0.2
    begin = 10 if cut else 0
    shown = shown[begin : 50 if cut else None]
    assert _edge(shown, 50 + off - begin, 1, 12) == 50 - begin
    assert _edge(shown, 10 + off - begin, -1, 12) == 10 - begin


def test_a_found_slot_is_not_given_up_for_bins_that_fit_it_little():
    """Where a camera moves fast, the mean of a second says little of its first moments."""
    shown = np.full(48, 0.9, np.float32)
    shown[:12] = 0.3
    assert _edge(shown, 0, -1, 24) == 0
    shown[:12] = 0.05
    assert _edge(shown, 0, -1, 24) == 12


def test_a_file_shorter_than_a_second_is_one_span():
    assert _edge(np.ones(14, np.float32), 14, 1, 24) == 14
    assert _edge(np.ones(14, np.float32), 0, -1, 24) == 0


def test_mostly_something_else_is_not_decided():
    mine, other = [rgb for rgb, _ in clip(1, 4)], [rgb for rgb, _ in clip(2, 9)]
    evidence = compared(timed([*other[:60], *mine, *other[60:]]), signed=digest_of(clip(1, 4)))
    assert evidence.outcome is Outcome.INCONCLUSIVE
    assert evidence.detail.match is ClipMatch.INSIDE
    assert "of this file is of the signed clip" in evidence.reason


def test_a_sampler_keeps_its_bound():
    sampler = ClipSampler((64, 36))
    gray = np.full((36, 64, 3), 90, np.uint8)
    for second in range(0, 4000, 40):
        sampler.add(gray, float(second))
    samples = sampler.result()
    assert len(samples.means) <= 2400
    assert samples.bin_seconds == 2
    with pytest.raises(ValueError, match="no frame"):
        sample_clip([])


@pytest.mark.parametrize("speed", [0, 1, 3])
def test_a_clip_in_which_little_moves_is_the_whole_clip(speed):
    """All clocks fit a still alike, and the whole of it is the simplest."""
    still = next(rgb for rgb, _ in clip(1, 1))
    frames = timed([np.roll(still, speed * index // FPS, axis=1) for index in range(6 * FPS)])
    evidence = compared(noisy(frames, 3), signed=digest_of(frames))
    assert evidence.detail.match is ClipMatch.SAME
    (span,) = evidence.detail.spans
    assert (span.start, span.end, span.signed_start) == pytest.approx((0, 6, 0))
    assert span.about


def test_a_patch_in_a_still_does_not_move_its_clock():
    still = next(rgb for rgb, _ in clip(1, 1))
    patched = still.copy()
    patched[30:60, 90:130] = (250, 20, 20)
    frames = [patched if 12 <= index < 30 else still for index in range(6 * FPS)]
    evidence = compared(timed(frames), signed=digest_of(timed([still] * 6 * FPS)))
    assert evidence.detail.match is ClipMatch.ALTERED
    assert describe_clip(evidence.detail).endswith("altered in seconds 1–3 of the released clip")
    (span,) = evidence.detail.spans
    assert (span.start, span.end, span.signed_start) == pytest.approx((0, 6, 0))


def test_the_clock_is_exact_where_the_camera_moves_and_about_where_it_does_not():
    frames = [rgb for rgb, _ in clip(1, 6)]
    moving = compared(timed(frames[24:]))
    assert not moving.detail.spans[0].about
    assert span_lines(moving.detail)[0].startswith("0.0–")
    still = compared(timed(frames[:1] * 36), signed=digest_of(timed(frames[:1] * 72)))
    assert still.detail.match is ClipMatch.PART
    assert span_lines(still.detail)[0].startswith("about 0.0–3.0 of this file are ")


def test_half_of_something_else_is_no_copy():
    mine, other = [rgb for rgb, _ in clip(1, 4)], [rgb for rgb, _ in clip(2, 3)]
    evidence = compared(timed([*other, *mine]), signed=digest_of(clip(1, 4)))
    assert evidence.outcome is Outcome.INCONCLUSIVE
    assert evidence.detail.match is ClipMatch.INSIDE
