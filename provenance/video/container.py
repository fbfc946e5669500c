"""What a clip is, as values, and what each container may hold. Loads neither PyAV nor numpy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from provenance import media
from provenance.errors import InputError, missing_extra
from provenance.sniff import format_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from provenance.media import Asset, Frames

    RGB = NDArray[np.uint8]


class VideoCodec(StrEnum):
    """How frames are compressed when a clip is written."""

    AV1 = "av1"
    """By SVT-AV1 (BSD). The default for MP4."""
    VP9 = "vp9"
    """By libvpx (BSD), 8 bits only. The default for WebM."""
    H264 = "h264"
    """By x264, which is GPL and comes inside PyAV's wheels: used on request only."""


MIMES = media.CLIPS
is_clip = media.is_clip

HOLDS: dict[str, tuple[VideoCodec, ...]] = {
    "video/mp4": (VideoCodec.AV1, VideoCodec.VP9, VideoCodec.H264),
    "video/webm": (VideoCodec.VP9, VideoCodec.AV1),
    "video/quicktime": (VideoCodec.H264,),
}
"""Containers that are written, and with what; QuickTime files have no place for AV1 and VP9."""

DRAWN_MIME = "video/mp4"
"""Container of clips that are drawn here."""
_MOST_DENOMINATOR = 1001
"""Of frames per second: NTSC's rates have it."""

_HDR = (16, 18)
"""Transfer characteristics of H.273 with a mastering display: PQ and HLG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipLimits:
    """Bounds under which a clip is read (house promise 7); all are held against what is really decoded."""

    max_bytes: int = 8 * 2**30
    """Encoded size; none of it is held in memory."""
    max_side: int = 8_192
    """Longest side of a frame in pixels."""
    max_frame_pixels: int = 36_000_000
    """Width × height: a little more than 8K."""
    max_pixels: int = 10**11
    """Width × height × frames: half an hour of 1080p at 25 frames a second."""
    max_frames: int = 54_000
    max_seconds: float = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """Code points of ITU-T H.273 as the file has them; 2 is "unspecified", range 0 likewise.

    Attributes:
        matrix: matrix coefficients, e.g. 1 for BT.709.
        range: 1 limited, 2 full.
        primaries: colour primaries.
        transfer: transfer characteristics, e.g. 16 for PQ.
    """

    matrix: int = 2
    range: int = 0
    primaries: int = 2
    transfer: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip as its container describes it, before anything is decoded.

    Attributes:
        mime: the container.
        width: pixels per row as shown, that is after the display matrix.
        height: rows as shown.
        codec: what the frames are compressed with, e.g. ``"h264"``.
        depth: bits per channel.
        time_base: seconds per tick of the frames' times.
        rate: frames per second on average; None where the file does not tell.
        frames: how many it claims; None where the container has no count.
        seconds: length it claims; None where it claims none.
        colour: what its numbers mean.
        pixel_aspect: width of a pixel over its height, 1 for square ones.
        matrix: nine numbers of the display matrix (ISO/IEC 14496-12 §8.5.2), None for upright clips.
        sound: codecs of the sound tracks, which are copied as they are.
        left_out: other tracks, which are not.
        generator_keywords: keywords of image generators in its tags, as ComfyUI writes them.
    """

    mime: str
    width: int
    height: int
    codec: str
    depth: int
    time_base: Fraction
    rate: Fraction | None
    frames: int | None
    seconds: float | None
    colour: Colour
    pixel_aspect: Fraction
    matrix: tuple[int, ...] | None
    sound: tuple[str, ...]
    left_out: tuple[str, ...]
    generator_keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipFrame:
    """One frame.

    Attributes:
        rgb: (H, W, 3) uint8 in the orientation in which it is shown.
        seconds: time at which it is shown, from the first frame on.
        pts: the same, exactly: ticks of the clip's time base.
        duration: ticks for which it is shown; 0 where the file does not tell.
        native: the decoder's own frame, from which the writer takes colour and depth.
    """

    rgb: RGB
    seconds: float
    pts: int
    duration: int
    native: Any


def require_av() -> None:
    """Say which extra is missing before anything of PyAV is imported.

    Raises:
        ConfigurationError: ``extra.missing``.
    """
    if find_spec("av") is None:
        raise missing_extra("video", "reading clips")


def codec_for(mime: str, depth: int, wanted: VideoCodec | None) -> VideoCodec:
    """The codec to write with: the one wanted, else the container's first that takes this depth.

    Raises:
        InputError: ``video.container``, ``video.codec-container`` or ``video.depth``.
    """
    able = HOLDS.get(mime)
    if able is None:
        raise unsupported(mime)
    if wanted is None and able == (VideoCodec.H264,):
        raise InputError(
            "video.codec-container",
            f"a {format_name(mime)} file is written with H.264 only, whose encoder x264 is GPL",
            hint="--video-codec h264, or convert the clip to MP4 or WebM",
        )
    if wanted is not None and wanted not in able:
        raise InputError(
            "video.codec-container",
            f"{format_name(mime)} files are not written with {wanted.value}",
            hint=f"--video-codec {' | '.join(able)}",
        )
    if wanted is VideoCodec.VP9 and depth > 8:
        raise InputError(
            "video.depth", f"VP9 is written with 8 bits, the clip has {depth}", hint="--video-codec av1"
        )
    return wanted or next(one for one in able if depth == 8 or one is not VideoCodec.VP9)


def rate_of(frames: Frames) -> Fraction:
    """Frames per second of a clip that never was a file, exactly.

    Raises:
        InputError: ``video.depth``, ``video.alpha`` or ``video.no-rate``: what it cannot be.
    """
    if frames.depth != 8:
        what = "clips are drawn with 8 bits a channel, and these frames have 16"
        raise InputError("video.depth", what, hint="reduce them to 8 bits")
    if frames.alpha is not None:
        what = "the frames are transparent in places, which no clip keeps"
        raise InputError("video.alpha", what, hint="lay them on a background first")
    if not frames.fps or frames.fps <= 0:
        what = "nothing says how many frames a second the clip has"
        raise InputError("video.no-rate", what, hint="--fps 8, or fps=8 in Python")
    return Fraction(frames.fps).limit_denominator(_MOST_DENOMINATOR)


def unsupported(mime: str) -> InputError:
    """The error for a container that is not read or written."""
    return InputError(
        "video.container",
        f"{format_name(mime)} files are not handled; MP4, WebM and QuickTime clips are",
        hint="convert the clip to MP4 or WebM",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A clip that stays compressed: whoever wants its frames decodes them one after the other.

    Attributes:
        asset: the file.
        clip: how it describes itself.
    """

    asset: Asset
    clip: Clip

    @property
    def width(self) -> int:
        """Pixels per row as shown."""
        return self.clip.width

    @property
    def height(self) -> int:
        """Rows as shown."""
        return self.clip.height

    @property
    def notes(self) -> tuple[str, ...]:
        """What does not come along when the clip is written again, in sentences."""
        tracks = (f"its {kind} track is not kept" for kind in self.clip.left_out)
        hdr = "what its HDR was mastered on (display and light levels) is not kept; its transfer curve is"
        return (*tracks, hdr) if self.clip.colour.transfer in _HDR else tuple(tracks)
