"""Clips that hide what they show from whoever samples them: in time and between pixels, as real files."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from provenance.evidence import Outcome
from provenance.media import Asset
from provenance.video.clip_digest import ClipDigester
from provenance.video.clip_digest_bins import Bins
from provenance.video.clip_digest_compare import compare_clip
from provenance.video.clip_digest_placing import ClipSampler
from provenance.video.clip_digest_reading import ClipMatch
from provenance.video.look import look

TICKS = 90_000


def picture(seed, size=(192, 108)):
    """Blocks of colour, with soft outlines."""
    random = np.random.default_rng(seed)
    blocks = random.uniform(20, 235, (9, 16, 3))
    grown = np.kron(blocks, np.ones((size[1] // 9, size[0] // 16, 1)))
    for axis in (0, 1):
        grown = (grown + np.roll(grown, 1, axis) + np.roll(grown, 2, axis)) / 3
    return grown.astype(np.uint8)


def file_of(frames, pixels="yuv420p", **options):
    """An MP4 of (rgb, ticks) frames."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        height, width = frames[0][0].shape[:2]
        track = target.add_stream("libx264", rate=5000, options={"preset": "ultrafast", "bf": "0", **options})
        track.width, track.height, track.pix_fmt = width, height, pixels
        track.codec_context.time_base = track.time_base = Fraction(1, TICKS)
        for rgb, ticks in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
            frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return out.getvalue()


def still(rgb, seconds=3, fps=8):
    return [(rgb, number * TICKS // fps) for number in range(seconds * fps)]


def held_against(signed, data):
    """A file against the digest of the frames that were signed."""
    digester = ClipDigester(signed[0][0].shape[1::-1])
    for rgb, ticks in signed:
        digester.add(rgb, ticks / TICKS)
    return compare_clip(digester.result(), look(Asset.of(data, "video/mp4"), []).samples, None)


def test_a_burst_of_frames_that_nobody_sees_does_not_outweigh_what_is_shown():
    """Twenty frames of the clip within 4 ms, then another one for the rest of each eighth of a second."""
    real, foreign = picture(1), picture(2)
    frames = []
    for eighth in range(24):
        start = eighth * TICKS // 8
        frames += [(real, start + 18 * number) for number in range(20)] + [(foreign, start + 360)]
    evidence = held_against(still(real), file_of(frames, crf="12"))
    assert evidence.outcome is not Outcome.SUPPORTS
    assert held_against(still(real), file_of(still(real), crf="12")).detail.match is ClipMatch.SAME


def test_frames_count_by_time_at_any_frame_rate():
    """The same pictures for as long, once as few long frames and once as many short ones."""
    real, other = picture(1), picture(2)
    few = [(real, 0), (other, TICKS // 2), (real, 3 * TICKS // 2)]
    few += [(real, 3 * TICKS - TICKS // 8 * left) for left in (2, 1)]
    many = [
        (other if TICKS // 2 <= tick < 3 * TICKS // 2 else real, tick)
        for tick in range(0, 3 * TICKS, TICKS // 40)
    ]
    assert held_against(few, file_of(many, crf="12")).detail.match is ClipMatch.SAME


def test_a_lattice_of_the_clips_pixels_does_not_hide_another():
    """Every second pixel of every second row is the clip's, and all others are not."""
    real, foreign = picture(1, (1440, 810)), picture(2, (1440, 810))
    woven = foreign.copy()
    woven[::2, ::2] = real[::2, ::2]
    data = file_of(still(woven, 3, 4), "yuv444p", qp="0")
    assert held_against(still(real, 3, 4), data).outcome is not Outcome.SUPPORTS


@pytest.mark.parametrize("most", [2, 3, 7])
def test_a_mean_is_over_time_however_often_stretches_are_joined(most):
    random = np.random.default_rng(most)
    times = np.concatenate([[0], np.cumsum(random.exponential(0.7, 60))])
    levels = random.integers(0, 256, 61)
    bins = Bins((4, 4), 0.5, most=most)
    for level, time in zip(levels, times, strict=True):
        bins.add(np.full((8, 8, 3), level, np.uint8), float(time))
    means = bins.means()
    assert len(means) <= most
    ends = np.append(times[1:], times[-1] + (times[-1] - times[-2]))
    for number, mean in enumerate(means):
        shown = np.clip(ends, number * bins.length, (number + 1) * bins.length)
        shown -= np.clip(times, number * bins.length, (number + 1) * bins.length)
        assert mean == pytest.approx(float((levels * shown).sum() / shown.sum()), abs=0.5)


@pytest.mark.parametrize("last", [1e-9, 1e12, 1e300])
def test_absurd_times_take_no_more_memory_and_time(last):
    sampler = ClipSampler((64, 36))
    for time in (0.0, last):
        sampler.add(np.full((36, 64, 3), 90, np.uint8), time)
    samples = sampler.result()
    assert len(samples.means) <= 2400
    assert samples.seconds > 0
    assert np.abs(samples.means - 90).max() < 0.1
