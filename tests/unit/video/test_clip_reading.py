"""Clips come out whole, or with an error that says what is wrong: never short and never silently."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from provenance.errors import ConfigurationError, InputError
from provenance.video import container, opening
from provenance.video.container import ClipLimits
from provenance.video.reader import ClipReader

MP4, WEBM, MOV = "video/mp4", "video/webm", "video/quicktime"
TURNED = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)


def frames_of(data: bytes, mime: str = MP4, **options):
    with ClipReader(data, mime, **options) as reader:
        return list(reader.frames())


def refusal(data: bytes, mime: str = MP4, **options) -> InputError:
    with pytest.raises(InputError) as refused:
        frames_of(data, mime, **options)
    return refused.value


def outcome(data: bytes):
    """How many frames of which shape, or the code of the refusal; anything else gets out."""
    try:
        frames = frames_of(data)
    except InputError as error:
        return error.code
    return len(frames), frames[0].rgb.shape


def copied(data: bytes, target, keep=lambda _number: True, matrix=None, **options) -> None:
    """The same packets into ``target``, or those of the frames that ``keep`` wants."""
    with av.open(io.BytesIO(data)) as source, av.open(target, "w", **options) as out:
        tracks = {s.index: out.add_stream_from_template(s, opaque=True) for s in source.streams}
        if matrix:
            tracks[source.streams.video[0].index].set_display_matrix(matrix)
        number = -1
        for packet in source.demux():
            number += bool(packet.size) and packet.stream.type == "video"
            if packet.size and (packet.stream.type != "video" or keep(number)):
                packet.stream = tracks[packet.stream.index]
                out.mux(packet)


def remuxed(data: bytes, keep=lambda _number: True, matrix=None) -> bytes:
    out = io.BytesIO()
    copied(data, out, keep, matrix, format="mp4")
    return out.getvalue()


def fast_start(data: bytes, folder) -> bytes:
    """The index first, as files for the web have it."""
    copied(data, str(folder / "fast.mp4"), options={"movflags": "faststart"})
    return (folder / "fast.mp4").read_bytes()


@pytest.mark.parametrize(
    ("mime", "made"),
    [
        (MP4, {}),
        (MP4, {"codec": "libsvtav1"}),
        (MP4, {"codec": "libx265", "options": {"x265-params": "log-level=none"}}),
        (MOV, {"container": "mov"}),
        (WEBM, {"container": "webm", "codec": "libvpx-vp9", "sound": "libopus"}),
        ("video/x-matroska", {"container": "matroska"}),
    ],
)
def test_every_frame_is_read_with_its_time(make_clip, photograph, mime, made) -> None:
    frames = frames_of(make_clip(**made), mime)
    assert [round(frame.seconds * 12) for frame in frames] == list(range(12))
    assert all(abs(frame.seconds - number / 12) < 0.002 for number, frame in enumerate(frames))
    seen = frames[0].rgb[80:, 100:].astype(float) - photograph[100:164, 100:192]
    assert np.abs(seen).mean() < 6


@pytest.mark.parametrize(("matrix", "range_"), [(1, 1), (1, 2), (5, 1), (9, 1), (2, 0)])
def test_colours_are_what_the_tags_say(make_clip, matrix, range_) -> None:
    (frame, *_) = frames_of(make_clip(colour=(matrix, range_, 1, 1), options={"crf": "1"}))
    assert np.abs(frame.rgb[42, 12].astype(int) - (200, 30, 40)).max() <= 4


def test_frames_come_out_as_they_are_shown(make_clip) -> None:
    clip = make_clip()  # once: beside other work, x264 does not make the same bytes twice
    stored, turned = frames_of(clip), frames_of(remuxed(clip, matrix=TURNED))
    assert turned[0].rgb.shape == (192, 144, 3)
    assert np.array_equal(turned[3].rgb, np.rot90(stored[3].rgb, -1))


def test_frames_without_a_rate_keep_their_own_times(make_clip) -> None:
    times = [Fraction(n, 100) for n in (0, 4, 10, 13, 50, 60, 61, 70, 95, 96, 99, 120)]
    frames = frames_of(make_clip(times=times))
    assert [Fraction(frame.pts, 12800) for frame in frames] == times


def test_ten_bits_and_odd_sides_are_read(make_clip) -> None:
    with ClipReader(make_clip(codec="libsvtav1", pixels="yuv420p10le", size=(191, 143)), MP4) as reader:
        assert (reader.clip.width, reader.clip.height, reader.clip.depth) == (191, 143, 10)
        assert len(list(reader.frames())) == 12


def test_the_container_is_described(make_clip) -> None:
    with ClipReader(make_clip(aspect=Fraction(4, 3), colour=(9, 1, 9, 16)), MP4) as reader:
        clip = reader.clip
    assert (clip.codec, clip.frames, clip.rate, clip.sound) == ("h264", 12, 12, ("aac",))
    assert clip.pixel_aspect == Fraction(4, 3)
    assert (clip.colour.matrix, clip.colour.primaries, clip.colour.transfer) == (9, 9, 16)


@pytest.mark.parametrize(
    ("codec", "kind", "mime", "sound"),
    [
        ("libx264", "mp4", MP4, "aac"),
        ("libsvtav1", "mp4", MP4, "aac"),
        ("libvpx-vp9", "webm", WEBM, "libopus"),
    ],
)
def test_a_cut_off_tail_is_told_and_the_rest_can_be_had(make_clip, codec, kind, mime, sound, tmp_path):
    whole = make_clip(codec=codec, container=kind, sound=sound, frames=24, size=(96, 64))
    if kind == "mp4":
        whole = fast_start(whole, tmp_path)
    cut = whole[: len(whole) * 6 // 10]
    assert refusal(cut, mime).code in {"video.truncated", "video.damaged"}
    with ClipReader(cut, mime) as reader:
        some = list(reader.frames(strict=False))
        assert 1 <= len(some) < 24
        assert reader.damage is not None


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
def test_overwritten_frames_are_told(make_clip, codec, tmp_path) -> None:
    data = bytearray(fast_start(make_clip(codec=codec, frames=24, sound=None), tmp_path))
    middle = len(data) * 2 // 3
    data[middle : middle + 600] = bytes(byte ^ 0x5A for byte in data[middle : middle + 600])
    assert refusal(bytes(data)).code == "video.damaged"


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"bf": "0"}),
        ("libx264", {"bf": "3"}),
        ("libx264", {"bf": "2", "cqm": "jvt"}),
        ("libx265", {"x265-params": "log-level=none"}),
        ("libsvtav1", {}),
    ],
)
def test_a_frame_that_others_refer_to_is_missed(make_clip, codec, options) -> None:
    """What a decoder makes up in its place is not shown as the clip, but can be had."""
    whole = make_clip(codec=codec, options=options, frames=24, sound=None, step=9)
    cut = remuxed(whole, lambda number: number != 1)
    assert refusal(cut).code == "video.damaged"
    with ClipReader(cut, MP4) as reader:
        assert list(reader.frames(strict=False))


def test_a_frame_that_none_refers_to_may_be_missing(make_clip) -> None:
    """Then the clip is one whose frames have uneven times, and nothing that it shows is made up."""
    whole = make_clip(options={"bf": "3", "b-pyramid": "none"}, frames=24, sound=None, step=9)
    with av.open(io.BytesIO(whole)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
    gone = next(number for number in range(1, 24) if bytes(packets[number])[4] >> 5 == 0)
    left = frames_of(remuxed(whole, lambda number: number != gone))
    all_but_one = [frame for frame in frames_of(whole) if frame.pts != packets[gone].pts]
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(left, all_but_one, strict=True))


def test_frames_before_the_first_key_frame_that_refer_to_what_was_cut_off_are_left_out(make_clip) -> None:
    """Open groups of pictures, cut at a key frame: frames shown before it were stored after it."""
    options = {"x264-params": "open-gop=1:keyint=8:min-keyint=8:bframes=3:b-adapt=0:scenecut=0"}
    whole = make_clip(options=options, frames=24, sound=None)
    stored, shown = io.BytesIO(), [frame.rgb for frame in frames_of(whole)]
    with av.open(io.BytesIO(whole)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
    key = [number for number, packet in enumerate(packets) if packet.is_keyframe][1]
    assert any(packet.pts < packets[key].pts for packet in packets[key:])
    copied(whole, stored, lambda number: number >= key, format="mp4")
    begun = trimmed(stored.getvalue(), packets[key].pts)
    assert all(
        map(np.array_equal, (frame.rgb for frame in frames_of(begun)), shown[-len(frames_of(begun)) :])
    )


def test_a_clip_that_begins_between_key_frames_is_refused(make_clip) -> None:
    cut = remuxed(make_clip(), lambda number: number > 0)
    assert refusal(cut).code == "video.no-keyframe"


def trimmed(data: bytes, ticks: int) -> bytes:
    """The clip begun ``ticks`` later by an edit list: what comes before is stored and not shown."""
    out = io.BytesIO()
    with av.open(io.BytesIO(data)) as source, av.open(out, "w", format="mp4") as target:
        (old,) = source.streams.video
        new = target.add_stream_from_template(old, opaque=True)
        for packet in source.demux(old):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - ticks, packet.dts - ticks, new
                target.mux(packet)
    return out.getvalue()


def test_frames_that_an_edit_list_hides_are_neither_shown_nor_missed(make_clip) -> None:
    whole = make_clip(sound=None)
    frames = frames_of(trimmed(whole, 3 * 12800 // 12))
    assert len(frames) == 9
    assert frames[0].pts == 0
    assert np.array_equal(frames[0].rgb, frames_of(whole)[3].rgb)


def test_a_clip_without_frames_and_one_without_pictures(make_clip) -> None:
    assert refusal(make_clip(codec=None)).code == "video.no-video"
    assert refusal(remuxed(make_clip(), lambda _number: False)).code in {"video.no-frames", "video.no-video"}


def test_two_tracks_of_pictures_are_refused(make_clip) -> None:
    out = io.BytesIO()
    with av.open(io.BytesIO(make_clip(sound=None))) as source, av.open(out, "w", format="mp4") as target:
        (track,) = source.streams.video
        both = [target.add_stream_from_template(track, opaque=True) for _ in range(2)]
        for packet in source.demux(track):
            if packet.size:
                data, pts, dts = bytes(packet), packet.pts, packet.dts
                for one in both:
                    copy = av.Packet(data)
                    copy.pts, copy.dts, copy.time_base, copy.stream = pts, dts, track.time_base, one
                    copy.is_keyframe = packet.is_keyframe
                    target.mux(copy)
    assert refusal(out.getvalue()).code == "video.streams"


@pytest.mark.parametrize("length", [0, 7, 40, 300])
def test_a_cut_off_header_is_an_error_and_no_crash(make_clip, length) -> None:
    assert refusal(make_clip()[:length]).code in {"video.damaged", "video.no-video"}
    webm = make_clip(container="webm", codec="libvpx-vp9", sound="libopus")
    assert refusal(webm[:length], WEBM).code in {"video.damaged", "video.no-video", "video.no-frames"}


@pytest.mark.parametrize(
    "limits",
    [
        {"max_bytes": 1000},
        {"max_side": 100},
        {"max_frame_pixels": 10_000},
        {"max_pixels": 200_000},
        {"max_frames": 5},
        {"max_seconds": 0.5},
    ],
)
def test_every_limit_is_held(make_clip, limits) -> None:
    assert refusal(make_clip(), limits=ClipLimits(**limits)).code in {"video.too-large", "video.damaged"}


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1", "libx265"])
def test_decoders_refuse_frames_that_no_header_announced(make_clip, monkeypatch, codec) -> None:
    monkeypatch.setattr(opening, "check_extent", lambda *_: None)
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    small = ClipLimits(max_frame_pixels=10_000)
    assert refusal(make_clip(codec=codec, options=quiet), limits=small).code == "video.damaged"


def test_a_size_declared_in_the_container_allocates_nothing(make_clip) -> None:
    """65535 × 65535 in the sample entry; what the frames themselves say counts, or the file is refused."""
    data = make_clip(codec="libsvtav1", sound=None)
    at = data.index(b"av01", data.index(b"stsd")) + 28
    huge = data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]
    assert outcome(huge) in {(12, (144, 192, 3)), "video.too-large", "video.damaged"}


def test_flipped_bytes_anywhere_give_frames_or_an_error(make_clip) -> None:
    """Every 97th byte, one at a time: no other exception gets out."""
    data = make_clip(size=(64, 48), frames=4)
    for at in range(0, len(data), 97):
        hostile = bytearray(data)
        hostile[at] ^= 0xFF
        assert outcome(bytes(hostile)) == (4, (48, 64, 3)) or outcome(bytes(hostile)).startswith("video.")


def test_containers_and_codecs_that_are_not_handled_are_named(make_clip) -> None:
    assert refusal(b"RIFF\0\0\0\0AVI ", "video/x-msvideo").code == "video.container"
    assert refusal(make_clip(codec="ffv1", container="matroska"), "video/x-matroska").code == "video.codec"


def test_transparent_clips_are_refused(make_clip) -> None:
    clip = make_clip(container="webm", codec="libvpx-vp9", pixels="yuva420p", sound="libopus")
    assert refusal(clip, WEBM).code == "video.alpha"


def test_a_playlist_is_never_opened_as_a_clip(tmp_path) -> None:
    (tmp_path / "secret.ts").write_bytes(b"x")
    playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/secret.ts\n#EXT-X-ENDLIST\n".encode()
    assert refusal(playlist).code == "video.damaged"


def test_without_pyav_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setattr(container, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError) as missing:
        container.require_av()
    assert missing.value.code == "extra.missing"
    assert "mediaguard[video]" in (missing.value.hint or "")
