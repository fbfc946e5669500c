"""Opening a clip with PyAV: one demuxer, known codecs, and what the first frame says of all others.

The display matrix and the colour tags can stand in the container or in the stream; the first decoded
frame has them from both, so a clip is described by decoding that one.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from provenance.errors import InputError
from provenance.metadata.generator_text import KEYWORDS
from provenance.sniff import format_name
from provenance.stored import stream_of
from provenance.video.container import MIMES, Clip, ClipLimits, Colour, unsupported
from provenance.video.counting import check_extent, damaged, no_frames, require_whole, within
from provenance.video.orientation import Orientation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from provenance.stored import Bytes

_DEMUXERS = {mime: "matroska" if mime in ("video/webm", "video/x-matroska") else "mov" for mime in MIMES}
"""By type of the content: a guess could end at a play list, which opens other files."""
_DECODERS = frozenset({"h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "prores", "mjpeg"})
_FORMATS = {"libdav1d": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9", "mp3float": "mp3"}
"""What decoders read that are not named after it."""
SWS_MATRIX = {1: 1, 2: 5, 3: 5, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""H.273 matrix coefficients → swscale's; BT.601 where they are not specified, there and back."""


def opened(source: Bytes, mime: str, limits: ClipLimits) -> Any:
    """PyAV's container.

    Raises:
        InputError: ``video.container``, ``video.damaged`` or ``video.too-large``.
    """
    if mime not in MIMES:
        raise unsupported(mime)
    within(len(source), limits.max_bytes, "bytes")
    with translated(f"this {format_name(mime)} file cannot be read"):
        return av.open(stream_of(source), format=_DEMUXERS[mime])


def picture_track(container: Any, limits: ClipLimits) -> Any:
    """The one track of moving pictures, whose decoder refuses larger frames before it allocates them.

    Raises:
        InputError: ``video.no-video``, ``video.streams``, ``video.codec`` or ``video.alpha``.
    """
    cover = av.stream.Disposition.attached_pic
    found = [track for track in container.streams.video if not track.disposition & cover]
    if not found:
        what = "the file holds no moving pictures"
        raise InputError("video.no-video", what, hint="sound alone is not handled")
    if len(found) > 1:
        what = f"the file has {len(found)} tracks of moving pictures, and a mark goes into one"
        raise InputError("video.streams", what, hint="keep one of them")
    name = codec_name(found[0])
    if name not in _DECODERS:
        raise InputError(
            "video.codec", f"frames compressed with {name} are not read", hint="convert the clip"
        )
    if found[0].metadata.get("alpha_mode") == "1":
        raise _transparent()
    found[0].codec_context.options = {"max_pixels": str(limits.max_frame_pixels)}
    return found[0]


def describe(source: Bytes, mime: str, limits: ClipLimits) -> Clip:
    """The clip as container and first frame have it.

    Raises:
        InputError: as ``opened`` and ``picture_track``; ``video.no-frames``, ``video.rotation``,
            ``video.colour``, ``video.alpha`` or ``video.too-large``.
    """
    with opened(source, mime, limits) as container:
        track = picture_track(container, limits)
        check_extent(track.codec_context.width, track.codec_context.height, limits)
        with translated("the first frame cannot be decoded"):
            first = _first_frame(container, track)
        return _described(container, track, first, mime)


def codec_name(track: Any) -> str:
    """What a track is compressed with; ``"an unknown codec"`` where PyAV has no decoder for it."""
    if track.codec_context is None:
        return "an unknown codec"
    return _FORMATS.get(track.codec_context.name, str(track.codec_context.name))


@contextmanager
def translated(what: str, at: Callable[[], float] | None = None) -> Iterator[None]:
    """Whatever PyAV raises inside is the file's fault: ``video.damaged``, with the place ``at`` tells."""
    try:
        yield
    except (av.error.FFmpegError, ValueError, IndexError, MemoryError, UnicodeError) as error:
        place = "" if at is None else f" after {at():.2f} s"
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise damaged(f"{what}{place}: {reason}") from error


def _first_frame(container: Any, track: Any) -> Any:
    for number, packet in enumerate(container.demux(track)):
        require_whole(packet, first=number == 0)
        for frame in packet.decode():
            return frame
    raise no_frames()


def _described(container: Any, track: Any, first: Any, mime: str) -> Clip:
    matrix = _display_matrix(first)
    size = (first.width, first.height)
    if Orientation.of(matrix).transposed:
        size = size[::-1]
    parts = first.format.components
    if any(part.is_alpha for part in parts) or first.format.name == "pal8":
        raise _transparent()
    kept = {track.index, *(sound.index for sound in container.streams.audio)}
    return Clip(
        mime=mime,
        width=size[0],
        height=size[1],
        codec=codec_name(track),
        depth=max(part.bits for part in parts),
        time_base=Fraction(track.time_base),
        rate=track.average_rate or track.guessed_rate,
        frames=track.frames or None,
        seconds=None if container.duration is None else container.duration / av.time_base,
        colour=_colour(first),
        pixel_aspect=Fraction(track.sample_aspect_ratio or 1),
        matrix=matrix,
        sound=tuple(codec_name(sound) for sound in container.streams.audio),
        left_out=tuple(other.type for other in container.streams if other.index not in kept),
        generator_keywords=_keywords(container.metadata),
    )


def _keywords(tags: Mapping[str, str]) -> tuple[str, ...]:
    """What generators name their settings, as a tag or as a key of the JSON in one."""
    names = set(tags)
    for value in tags.values():
        try:
            body = json.loads(value)
        except (ValueError, RecursionError):
            continue
        names |= set(body) if isinstance(body, dict) else set()
    return tuple(sorted(names & KEYWORDS))


def _display_matrix(first: Any) -> tuple[int, ...] | None:
    found = first.side_data.get("DISPLAYMATRIX")
    if found is None:
        return None
    matrix = tuple(int(number) for number in np.frombuffer(bytes(found), "<i4"))
    return None if Orientation.of(matrix) == Orientation() else matrix


def _colour(first: Any) -> Colour:
    """Raises:
    InputError: ``video.colour``.
    """
    if first.colorspace not in SWS_MATRIX:
        what = f"colours coded with matrix {first.colorspace} of H.273 are not handled"
        raise InputError("video.colour", what, hint="convert the clip to BT.709")
    return Colour(
        matrix=int(first.colorspace),
        range=int(first.color_range),
        primaries=int(first.color_primaries),
        transfer=int(first.color_trc),
    )


def _transparent() -> InputError:
    what = "the clip is transparent in places, which is not kept"
    return InputError("video.alpha", what, hint="lay it on a background first")
