"""A clip that is written again keeps its times, sound, colours and orientation; only brightness changes."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from provenance.errors import InputError
from provenance.video.container import VideoCodec
from provenance.video.reader import ClipReader
from provenance.video.writer import remux, rewrite

MP4, WEBM, MOV = "video/mp4", "video/webm", "video/quicktime"
TURNED = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
MIRRORED = (-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
UNEVEN = [Fraction(n, 100) for n in (0, 4, 10, 13, 50, 60, 61, 70, 95, 96, 99, 120)]

CLIPS = {
    "plain": (MP4, {}, None),
    "vp9 in mp4": (MP4, {}, VideoCodec.VP9),
    "h264 by choice": (MP4, {}, VideoCodec.H264),
    "variable rate": (MP4, {"times": UNEVEN}, None),
    "ninety kilohertz": (MP4, {"base": Fraction(1, 90000)}, None),
    "turned": (MP4, {"matrix": TURNED}, None),
    "mirrored": (MP4, {"matrix": MIRRORED}, None),
    "hdr": (MP4, {"codec": "libsvtav1", "pixels": "yuv420p10le", "colour": (9, 1, 9, 16)}, None),
    "full range": (MP4, {"colour": (1, 2, 1, 1)}, None),
    "anamorphic": (MP4, {"aspect": Fraction(4, 3)}, None),
    "odd sides": (MP4, {"codec": "libsvtav1", "size": (191, 143)}, None),
    "mp3": (MP4, {"sound": "libmp3lame"}, None),
    "silent": (MP4, {"sound": None}, None),
    "webm": (WEBM, {"container": "webm", "codec": "libvpx-vp9", "sound": "libopus"}, None),
    "webm av1": (
        WEBM,
        {"container": "webm", "codec": "libsvtav1", "sound": "libopus", "pixels": "yuv420p10le"},
        None,
    ),
    "quicktime": (MOV, {"container": "mov", "sound": "pcm_s16le", "matrix": TURNED}, VideoCodec.H264),
}


def written(data: bytes, mime: str, codec=None, change=lambda frame: frame.rgb) -> bytes:
    out = io.BytesIO()
    rewrite(data, mime, out, change, codec=codec)
    return out.getvalue()


def sound_of(data: bytes) -> list[tuple[object, ...]]:
    with av.open(io.BytesIO(data)) as source:
        if not source.streams.audio:
            return []
        (track,) = source.streams.audio
        packets = (packet for packet in source.demux(track) if packet.size)
        return [(p.pts * track.time_base, p.duration, bytes(p)) for p in packets]


def read(data: bytes, mime: str):
    with ClipReader(data, mime) as reader:
        return reader.clip, list(reader.frames())


SLOW = {"vp9 in mp4", "ninety kilohertz", "full range", "mp3", "silent", "webm av1"}
"""Variations on what the others show."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in CLIPS]
)
def test_times_sound_colour_and_orientation_are_kept(make_clip, name) -> None:
    mime, made, codec = CLIPS[name]
    source = make_clip(**made)
    before, old = read(source, mime)
    copy = written(source, mime, codec)
    after, new = read(copy, mime)

    assert [f.pts * after.time_base for f in new] == [f.pts * before.time_base for f in old]
    assert sound_of(copy) == sound_of(source)
    for kept in ("width", "height", "depth", "matrix", "pixel_aspect", "sound"):
        assert getattr(after, kept) == getattr(before, kept), kept
    tags = ("matrix", "primaries", "transfer")
    assert [getattr(after.colour, t) for t in tags] == [getattr(before.colour, t) for t in tags]
    assert (after.colour.range or 1) == (before.colour.range or 1)
    assert after.seconds == pytest.approx(before.seconds, abs=0.1)
    errors = [np.mean((a.rgb.astype(float) - b.rgb) ** 2) for a, b in zip(old, new, strict=True)]
    assert 10 * np.log10(255**2 / np.mean(errors)) > 36


@pytest.mark.parametrize("name", ["plain", "turned", "mirrored", "hdr", "full range"])
def test_a_change_of_brightness_arrives_where_it_was_made(make_clip, name) -> None:
    mime, made, codec = CLIPS[name]
    source = make_clip(**made)

    def brighter(frame):
        changed = frame.rgb.copy()
        changed[:40, :60] = np.clip(changed[:40, :60].astype(int) + 30, 0, 255)
        return changed

    _, plain = read(written(source, mime, codec), mime)
    _, lit = read(written(source, mime, codec, brighter), mime)
    rise = np.mean([b.rgb.astype(float) - a.rgb for a, b in zip(plain, lit, strict=True)], axis=(0, 3))
    assert 20 < rise[2:38, 2:58].mean() <= 31
    assert abs(rise[60:, 80:].mean()) < 1


def test_a_copy_shows_the_same_frames_at_the_same_times(make_clip) -> None:
    for name in ("plain", "variable rate", "turned", "hdr", "quicktime", "webm"):
        mime, made, _ = CLIPS[name]
        source, out = make_clip(**made), io.BytesIO()
        remux(source, mime, out)
        (before, old), (after, new) = read(source, mime), read(out.getvalue(), mime)
        assert [f.pts * after.time_base for f in new] == [f.pts * before.time_base for f in old]
        assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(old, new, strict=True))
        assert (after.matrix, after.colour, after.pixel_aspect) == (
            before.matrix,
            before.colour,
            before.pixel_aspect,
        )
        assert sound_of(out.getvalue()) == sound_of(source)


def test_the_same_clip_gives_the_same_bytes(make_clip) -> None:
    for mime, made in ((MP4, {}), (WEBM, {"container": "webm", "codec": "libvpx-vp9", "sound": "libopus"})):
        source = make_clip(**made)
        assert written(source, mime) == written(source, mime)


def test_metadata_of_the_container_are_left_behind(make_clip) -> None:
    said = {"title": "a zebra-striped lighthouse keeper", "location": "+48.8577+002.295/"}
    source = make_clip(metadata=said)
    assert b"zebra" in source
    again = written(source, MP4)
    assert b"zebra" not in again
    assert b"48.8577" not in again


@pytest.mark.parametrize(
    ("mime", "made", "codec", "code"),
    [
        (MOV, {"container": "mov"}, None, "video.codec-container"),
        (
            WEBM,
            {"container": "webm", "codec": "libvpx-vp9", "sound": "libopus"},
            "h264",
            "video.codec-container",
        ),
        ("video/x-matroska", {"container": "matroska"}, None, "video.container"),
        (MP4, {"codec": "libsvtav1", "pixels": "yuv420p10le"}, "vp9", "video.depth"),
        (MP4, {"codec": "libsvtav1", "size": (191, 143)}, "h264", "video.odd-size"),
    ],
)
def test_what_cannot_be_written_is_refused(make_clip, mime, made, codec, code) -> None:
    with pytest.raises(InputError) as refused:
        written(make_clip(**made), mime, codec and VideoCodec(codec))
    assert refused.value.code == code


def test_a_damaged_clip_is_not_written_to_its_end(make_clip) -> None:
    source = make_clip(codec="libsvtav1", sound=None, frames=24)
    damaged = bytearray(source)
    middle = len(data_of(source)) * 2 // 3
    damaged[middle : middle + 600] = bytes(600)
    with pytest.raises(InputError) as refused:
        written(bytes(damaged), MP4)
    assert refused.value.code == "video.damaged"


def data_of(data: bytes) -> bytes:
    """The file up to its index: the frames."""
    return data[: data.index(b"moov")]
