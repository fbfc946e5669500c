"""Clips that were never a file: pixels in memory, written frame by frame.

Pixels of generators are sRGB. They are coded with the matrix of BT.709 in limited range, 4:2:0, and tagged so
(ITU-T H.273: primaries 1, transfer 13, matrix 1), since players guess where a file says nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from provenance.errors import InputError
from provenance.video.container import (
    DRAWN_MIME,
    Clip,
    ClipFrame,
    ClipLimits,
    Colour,
    VideoCodec,
    codec_for,
    rate_of,
)
from provenance.video.counting import check_extent
from provenance.video.writer import ClipWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from provenance.media import Frames
    from provenance.video.container import RGB
    from provenance.video.writer import Written

_SRGB = Colour(matrix=1, range=1, primaries=1, transfer=13)

_LEAST_AV1 = 32
"""SVT-AV1 of PyAV 18.1 waits for ever at the end of clips of 512 × 16 pixels; from 32 on it never did."""


class DrawnClip:
    """Frames in memory, as ``ClipWriter`` takes those of a file.

    Args:
        frames: (T, H, W, 1 or 3) uint8 without transparency, with ``fps``.
        limits: bounds that a reader of the finished clip would hold it to.

    Attributes:
        clip: how a file of it describes itself.
        sound_tracks: none.

    Raises:
        InputError: ``video.depth``, ``video.alpha``, ``video.no-rate`` or ``video.too-large``.
    """

    sound_tracks: tuple[Any, ...] = ()

    def __init__(self, frames: Frames, limits: ClipLimits | None = None) -> None:
        self._frames, self._rate = frames, rate_of(frames)
        self._to_planes = VideoReformatter()
        count, bounds = len(frames.pixels), limits or ClipLimits()
        seconds = float(count / self._rate)
        check_extent(frames.width, frames.height, bounds, frames=count, seconds=seconds)
        self.clip = Clip(
            mime=DRAWN_MIME,
            width=frames.width,
            height=frames.height,
            codec="none",
            depth=8,
            time_base=Fraction(1, self._rate.numerator),
            rate=self._rate,
            frames=count,
            seconds=seconds,
            colour=_SRGB,
            pixel_aspect=Fraction(1),
            matrix=None,
            sound=(),
            left_out=(),
        )

    def frames(self) -> Iterator[ClipFrame]:
        """All of them in order, each with its planes as the encoder wants them."""
        step = self._rate.denominator
        for number, pixels in enumerate(self._frames.pixels):
            rgb = as_rgb(pixels)
            yield ClipFrame(
                rgb=rgb,
                seconds=float(number / self._rate),
                pts=number * step,
                duration=step,
                native=self._planes(rgb),
            )

    def _planes(self, rgb: RGB) -> Any:
        return self._to_planes.reformat(
            av.VideoFrame.from_ndarray(rgb, "rgb24"),
            format="yuv420p",
            src_colorspace=_SRGB.matrix,
            dst_colorspace=_SRGB.matrix,
            src_color_range=2,
            dst_color_range=_SRGB.range,
        )


def as_rgb(pixels: Any) -> RGB:
    """(H, W, 3) of one frame, gray spread over the three channels."""
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def write_drawn(
    frames: Frames,
    target: BinaryIO,
    change: Callable[[ClipFrame], RGB],
    *,
    codec: VideoCodec | None = None,
    limits: ClipLimits | None = None,
) -> Written:
    """Write frames that were never a file as an MP4 clip, every one changed in brightness.

    Args:
        frames: (T, H, W, 1 or 3) uint8 with ``fps``.
        target: where to; has to be seekable.
        change: gets every frame in turn and returns it changed; colours of the result do not count.
        codec: what to compress frames with; None: AV1.
        limits: bounds that a reader would hold the clip to.

    Raises:
        InputError: as ``DrawnClip``; ``video.odd-size``, ``video.too-small``.
        ConfigurationError: ``video.encoder`` when the encoder fails.
    """
    drawn = DrawnClip(frames, limits)
    chosen = codec_for(drawn.clip.mime, drawn.clip.depth, codec)
    size = (frames.width, frames.height)
    if chosen is VideoCodec.AV1 and min(size) < _LEAST_AV1:
        what = (
            f"AV1 is written from {_LEAST_AV1} pixels on the shorter side, the clip has {size[0]}x{size[1]}"
        )
        raise InputError("video.too-small", what, hint="--video-codec vp9")
    with ClipWriter(target, drawn, chosen) as writer:
        for frame in drawn.frames():
            writer.write(frame, change(frame))
        return writer.finish()
