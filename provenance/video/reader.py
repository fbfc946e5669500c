"""Reading clips with PyAV: one frame after the other, under limits, in memory that does not grow.

A file is damaged when a packet cannot be decoded, when fewer frames come out than packets go in (AV1 and
VP9 decoders drop what they cannot use without a word), or when it ends before it says it does. libavcodec
makes up frames that are missing and that others refer to; these are found where the format allows it, except
where what a damaged file still shows is asked for, which never passes for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from provenance.errors import InputError
from provenance.video.container import ClipFrame, ClipLimits
from provenance.video.counting import Count
from provenance.video.frame_numbers import FrameNumbers
from provenance.video.opening import SWS_MATRIX, describe, opened, picture_track, translated
from provenance.video.orientation import Orientation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from provenance.stored import Bytes

_TOLERABLE = frozenset({"video.damaged", "video.truncated", "video.times"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sound:
    """One compressed packet of a sound track.

    Attributes:
        track: index among the sound tracks.
        packet: PyAV's packet.
    """

    track: int
    packet: Any


class ClipReader:
    """An open clip; use as a context manager, and go over ``frames`` or ``parts`` once.

    Args:
        source: the file's bytes.
        mime: media type found in the content.
        limits: bounds for what is decoded.

    Attributes:
        clip: what the container and the first frame say.
        sound_tracks: PyAV's streams of sound.
        damage: where ``frames(strict=False)`` stopped, and why.

    Raises:
        InputError: ``video.container``, ``video.damaged``, ``video.no-video``, ``video.no-frames``,
            ``video.streams``, ``video.codec``, ``video.alpha``, ``video.colour``, ``video.rotation`` or
            ``video.too-large``.
    """

    def __init__(self, source: Bytes, mime: str, limits: ClipLimits | None = None) -> None:
        self._limits = limits or ClipLimits()
        self.damage: InputError | None = None
        self.clip = describe(source, mime, self._limits)
        self._container = opened(source, mime, self._limits)
        self._track = picture_track(self._container, self._limits)
        self.sound_tracks = tuple(self._container.streams.audio)
        self._to_rgb = VideoReformatter()
        self._orientation = Orientation.of(self.clip.matrix)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def frames(self, *, strict: bool = True) -> Iterator[ClipFrame]:
        """All frames in the order in which they are shown.

        Args:
            strict: raise where the file is damaged; else stop where nothing can be decoded, and say so in
                ``damage``.

        Raises:
            InputError: as ``parts``.
        """
        try:
            for part in self._decoded((self._track,), strict=strict):
                if isinstance(part, ClipFrame):
                    yield part
        except InputError as error:
            if strict or error.code not in _TOLERABLE:
                raise
            self.damage = error

    def parts(self) -> Iterator[ClipFrame | Sound]:
        """Frames, and packets of sound as they lie between them.

        Raises:
            InputError: ``video.damaged``, ``video.truncated``, ``video.no-frames``, ``video.no-keyframe``,
                ``video.interlaced``, ``video.size-changes``, ``video.times`` or ``video.too-large``.
        """
        return self._decoded((self._track, *self.sound_tracks), strict=True)

    def _decoded(self, tracks: tuple[Any, ...], *, strict: bool) -> Iterator[ClipFrame | Sound]:
        count = Count(clip=self.clip, limits=self._limits)
        if strict:
            _make_nothing_up(self._track.codec_context)
            if self.clip.codec == "h264":
                count.numbers = FrameNumbers.of(self._track.codec_context.extradata)
        sounds = {track.index: number for number, track in enumerate(self.sound_tracks)}
        packets = self._container.demux(*tracks)
        while True:
            with translated("the container is damaged", lambda: count.end_s):
                packet = next(packets, None)
            if packet is None:
                break
            if packet.stream is not self._track:
                if packet.size:
                    yield Sound(track=sounds[packet.stream.index], packet=packet)
                continue
            if packet.size:  # the last one is empty, and asks the decoder for what it holds back
                count.packet(packet)
            for native in _natives(packet, count):
                count.frame(native)
                yield self._frame(native, count)
        count.finish()

    def _frame(self, native: Any, count: Count) -> ClipFrame:
        matrix = SWS_MATRIX[self.clip.colour.matrix]
        with translated("a frame cannot be converted", lambda: count.end_s):
            rgb: Any = self._to_rgb.reformat(
                native,
                format="rgb24",
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range=self.clip.colour.range or 1,
                dst_color_range=2,
            )
            shown = np.ascontiguousarray(self._orientation.upright(rgb.to_ndarray()))
        shown.flags.writeable = False
        return ClipFrame(
            rgb=shown,
            seconds=float((native.pts - count.first) * self.clip.time_base),
            pts=native.pts,
            duration=native.duration or 0,
            native=native,
        )


def _make_nothing_up(decoder: Any) -> None:
    """Have a missing reference be an error instead of a line of libavcodec's log."""
    decoder.options |= {"err_detect": "explode"}
    if decoder.name == "vp9":  # its threads keep errors to themselves
        decoder.thread_type = "NONE"


def _natives(packet: Any, count: Count) -> list[Any]:
    with translated("a frame cannot be decoded", lambda: count.end_s):
        try:
            return list(packet.decode())
        except av.error.InvalidDataError:
            if count.leads(packet):
                return []
            raise
