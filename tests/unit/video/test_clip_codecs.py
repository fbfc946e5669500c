"""Marks and digests through real codecs, in short form; benchmarks/video_mark measures the rest."""

from __future__ import annotations

import io

import av
import cv2
import numpy as np
import pytest
import skimage.data

from provenance.evidence import Outcome
from provenance.video.clip_digest import ClipDigester
from provenance.video.clip_digest_compare import compare_clip
from provenance.video.clip_digest_placing import sample_clip
from provenance.video.clip_digest_reading import ClipMatch
from provenance.video.pooled import ClipMarker, PooledDetector
from provenance.watermark.interface import WatermarkKey

KEY = WatermarkKey(key_id="clips", epoch=0, secret=bytes(range(32)))
PAYLOAD = b"clip-id!"
SIZE = (480, 320)
X264, GOOD = ("libx264", {"crf": "28"}), ("libx264", {"crf": "20"})
AV1 = ("libsvtav1", {"crf": "35", "preset": "9", "svtav1-params": "lp=1"})
X265 = ("libx265", {"crf": "28", "x265-params": "log-level=none:pools=1"})
VP9 = ("libvpx-vp9", {"crf": "33", "b": "0", "cpu-used": "5"})


def panned(count):
    """A camera that pans over a photograph, with sensor noise."""
    random = np.random.default_rng(8)
    photograph = skimage.data.astronaut()
    for index in range(count):
        x, y = index, 40 + 2 * index
        frame = photograph[y : y + SIZE[1], x : x + SIZE[0]] + random.normal(0, 1.5, (SIZE[1], SIZE[0], 1))
        yield np.clip(frame, 0, 255).astype(np.uint8)


def coded(frames, codec, fps=24):
    name, options = codec
    target = io.BytesIO()
    with av.open(target, "w", format="webm" if "vp9" in name else "mp4") as output:
        stream = output.add_stream(name, rate=fps, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for rgb in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        output.mux(stream.encode())
    target.seek(0)
    with av.open(target) as source:
        return [(frame.to_ndarray(format="rgb24"), float(frame.time)) for frame in source.decode(video=0)]


@pytest.fixture(scope="module")
def marked():
    marker = ClipMarker(KEY, PAYLOAD, SIZE)
    return [marker.mark(frame) for frame in panned(14)]


def read(frames):
    detector = PooledDetector([KEY], frames[0][0].shape[1::-1])
    for rgb, seconds in frames:
        detector.add(rgb, seconds)
    return detector.result()


@pytest.mark.parametrize(
    "codec",
    [X264, AV1, pytest.param(X265, marks=pytest.mark.slow), pytest.param(VP9, marks=pytest.mark.slow)],
)
def test_the_payload_survives_the_codec(marked, codec):
    evidence = read(coded(marked, codec))
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.payload == PAYLOAD


@pytest.mark.parametrize(
    "change",
    [
        lambda rgb: cv2.resize(rgb, (360, 240), interpolation=cv2.INTER_AREA),
        lambda rgb: rgb[10:312, 14:468],
        np.rot90,
    ],
)
def test_the_payload_survives_changes_of_size_crop_and_turns(marked, change):
    copy = [change(rgb) for rgb in marked]
    evidence = read(coded([rgb for index, rgb in enumerate(copy) if index % 3], GOOD))
    assert evidence.detail.payload == PAYLOAD


def test_a_coded_crop_is_the_clip_by_the_geometry_of_its_mark(marked):
    digester = ClipDigester(SIZE)
    for index, rgb in enumerate(marked):
        digester.add(rgb, index / 24)
    copy = coded([rgb[10:312, 14:468] for rgb in marked], X264)
    evidence = compare_clip(digester.result(), sample_clip(copy), read(copy).detail.geometry)
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.match is ClipMatch.SAME
