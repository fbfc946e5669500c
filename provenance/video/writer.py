"""Writing clips with PyAV: changed frames over the old ones, sound packet by packet, times to the tick.

What is changed is the brightness of frames, so that is all that is touched before they are compressed
again: the luma plane in its own depth. Colour planes, colour tags, times, display matrix and pixel
aspect are the source's. Titles, places and other metadata of the container are not copied.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import av
from av.video.reformatter import VideoReformatter

from provenance.errors import ConfigurationError, InputError
from provenance.sniff import format_name
from provenance.video.container import Clip, ClipFrame, ClipLimits, VideoCodec, codec_for, unsupported
from provenance.video.luma import brighten, difference
from provenance.video.opening import SWS_MATRIX, codec_name, opened, picture_track
from provenance.video.orientation import Orientation
from provenance.video.reader import ClipReader, Sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, Self

    from provenance.stored import Bytes
    from provenance.video.container import RGB

# SVT-AV1 tells its settings on standard error unless its own variable asks for errors only.
os.environ.setdefault("SVT_LOG", "1")

_MUXERS = {"video/mp4": "mp4", "video/webm": "webm", "video/quicktime": "mov"}
_ENCODERS: dict[VideoCodec, tuple[str, dict[str, str]]] = {
    VideoCodec.AV1: ("libsvtav1", {"crf": "24", "preset": "8"}),
    VideoCodec.VP9: (
        "libvpx-vp9",
        {"crf": "22", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    ),
    VideoCodec.H264: ("libx264", {"crf": "18", "preset": "medium"}),
}
"""Settings at which a released clip should not suffer visibly for being released."""
_REPRODUCIBLE = {"fflags": "+bitexact"}
"""No time, no version and no random number of the library's: the same clip gives the same bytes."""
_KEY_FRAME_EVERY_S = 2
_RATES = (Fraction(1), Fraction(120))
"""Frames per second that encoders are told; a file with odd time stamps may average to anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        frames: how many.
        codec: what they are compressed with.
        seconds: from the first frame to the end of the last.
    """

    frames: int
    codec: VideoCodec
    seconds: float


def rewrite(
    source: Bytes,
    mime: str,
    target: BinaryIO,
    change: Callable[[ClipFrame], RGB],
    *,
    codec: VideoCodec | None = None,
    limits: ClipLimits | None = None,
) -> Written:
    """Write the clip in ``source`` again with every frame changed in brightness, into the same container.

    Args:
        source: the file's bytes.
        mime: media type found in the content.
        target: where to; has to be seekable.
        change: gets every frame in turn and returns it changed; colours of the result do not count.
        codec: what to compress frames with; None: AV1 in MP4, VP9 in WebM.
        limits: bounds for what is read.

    Raises:
        InputError: as ``ClipReader``; ``video.codec-container``, ``video.depth``, ``video.sound``,
            ``video.odd-size`` or ``video.times``.
        ConfigurationError: ``video.encoder`` when the encoder fails.
    """
    with (
        ClipReader(source, mime, limits) as reader,
        ClipWriter(target, reader, codec_for(mime, reader.clip.depth, codec)) as writer,
    ):
        for part in reader.parts():
            if isinstance(part, Sound):
                writer.copy(part)
            else:
                writer.write(part, change(part))
        return writer.finish()


def settings_of(codec: VideoCodec) -> dict[str, str]:
    """The encoder behind a codec and what it is told, as a record keeps it."""
    name, options = _ENCODERS[codec]
    return {"codec": codec.value, "encoder": name, **options}


def remux(source: Bytes, mime: str, target: BinaryIO, *, limits: ClipLimits | None = None) -> None:
    """Write pictures and sound of the clip in ``source`` again as they are, without anything beside them.

    Args:
        source: the file's bytes.
        mime: media type found in the content.
        target: where to; has to be seekable.
        limits: bounds for what is read.

    Raises:
        InputError: ``video.container``, ``video.sound``, or as ``provenance.video.opening.opened``.
        ConfigurationError: ``video.encoder`` when the container cannot be written.
    """
    if mime not in _MUXERS:
        raise unsupported(mime)
    bounds = limits or ClipLimits()
    with opened(source, mime, bounds) as old:
        tracks = (picture_track(old, bounds), *old.streams.audio)
        try:
            with av.open(target, "w", format=_MUXERS[mime], options=_REPRODUCIBLE) as new:
                copies = {track.index: new.add_stream_from_template(track, opaque=True) for track in tracks}
                for packet in old.demux(*tracks):
                    if packet.size:
                        packet.stream = copies[packet.stream.index]
                        new.mux_one(packet)
        except (av.error.FFmpegError, ValueError, AttributeError) as error:
            raise _failed(getattr(error, "strerror", None) or str(error)) from error


class Source(Protocol):
    """Where frames and sound come from: a ``ClipReader``, or a ``DrawnClip``."""

    @property
    def clip(self) -> Clip:
        """How it describes itself."""
        ...

    @property
    def sound_tracks(self) -> tuple[Any, ...]:
        """PyAV's streams of sound."""
        ...


class ClipWriter:
    """Writes frames and sound of one open clip; use as a context manager and call ``finish`` at the end.

    Args:
        target: where to; has to be seekable.
        reader: the clip that frames and sound come from.
        codec: what to compress frames with; one that the container holds.
    """

    def __init__(self, target: BinaryIO, reader: Source, codec: VideoCodec) -> None:
        self._clip, self._codec = reader.clip, codec
        self._format = "yuv420p" if self._clip.depth == 8 else "yuv420p10le"
        self._orientation = Orientation.of(self._clip.matrix)
        self._to_planes = VideoReformatter()
        self._durations: dict[int, int] = {}
        self._frames, self._first, self._end = 0, 0, 0
        self._container = av.open(target, "w", format=_MUXERS[self._clip.mime], options=_REPRODUCIBLE)
        with self._encoding():
            self._track = self._picture_track()
        self._sounds = [self._sound_track(track) for track in reader.sound_tracks]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        if failure is not None:
            # Ended in order, or encoders complain; whoever gave the target throws away what is left.
            with suppress(av.error.FFmpegError, ValueError):
                self._track.encode(None)
            with suppress(av.error.FFmpegError, ValueError):
                self._container.close()

    def write(self, frame: ClipFrame, rgb: RGB) -> None:
        """Write ``frame`` with the brightness of ``rgb``, (H, W, 3) uint8 as shown."""
        planes = self._planes(frame.native)
        change = difference(frame.rgb, rgb, self._clip.colour)
        brighten(planes, self._orientation.stored(change), self._clip.colour)
        planes.pts, planes.time_base = frame.pts, self._clip.time_base
        planes.pict_type = 0  # the encoder decides which frames are whole
        if not self._frames:
            self._first = frame.pts
        self._durations[frame.pts] = frame.duration
        self._frames, self._end = self._frames + 1, max(self._end, frame.pts + frame.duration)
        with self._encoding():
            self._mux(self._track.encode(planes))

    def copy(self, sound: Sound) -> None:
        """Write a packet of sound as it is."""
        sound.packet.stream = self._sounds[sound.track]
        with self._encoding():
            self._container.mux_one(sound.packet)

    def finish(self) -> Written:
        """Flush, and close the container.

        Raises:
            ConfigurationError: ``video.encoder`` when frames are missing in what was written.
        """
        with self._encoding():
            self._mux(self._track.encode(None))
            self._container.close()
        if self._durations:
            raise _failed(f"{len(self._durations)} of {self._frames} frames were not written")
        seconds = float((self._end - self._first) * self._clip.time_base)
        return Written(frames=self._frames, codec=self._codec, seconds=seconds)

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            if packet.pts not in self._durations:
                raise _failed("the encoder changed the times of frames")
            packet.duration = self._durations.pop(packet.pts) or packet.duration
            self._container.mux_one(packet)
            # Known once the header is written, which happens before the first packet.
            if (self._clip.time_base / self._track.time_base).denominator != 1:
                what = f"{format_name(self._clip.mime)} cannot hold the times of the frames exactly"
                raise InputError("video.times", what, hint="convert the clip to MP4")

    def _picture_track(self) -> Any:
        clip = self._clip
        name, options = _ENCODERS[self._codec]
        low, high = _RATES
        rate = min(max(clip.rate or Fraction(25), low), high)
        track = self._container.add_stream(name, rate=rate.limit_denominator(1001), options=options)
        width, height = (clip.width, clip.height)
        if self._orientation.transposed:
            width, height = height, width
        if self._codec is VideoCodec.H264 and (width % 2 or height % 2):
            what = f"H.264 is written with even sides, the clip has {width}x{height}"
            raise InputError("video.odd-size", what, hint="--video-codec av1 (in MP4 files)")
        context = track.codec_context
        context.width, context.height, context.pix_fmt = width, height, self._format
        context.time_base = track.time_base = clip.time_base
        context.gop_size = max(1, round(_KEY_FRAME_EVERY_S * rate))
        context.sample_aspect_ratio = clip.pixel_aspect
        context.colorspace, context.color_range = clip.colour.matrix, clip.colour.range
        context.color_primaries, context.color_trc = clip.colour.primaries, clip.colour.transfer
        track.set_display_matrix(clip.matrix)
        return track

    def _sound_track(self, source: Any) -> Any:
        try:
            return self._container.add_stream_from_template(source, opaque=True)
        except (av.error.FFmpegError, ValueError, AttributeError) as error:
            raise self._refuses(source) from error

    def _refuses(self, sound: Any) -> InputError:
        what = f"{format_name(self._clip.mime)} files cannot hold the sound, which is {codec_name(sound)}"
        return InputError("video.sound", what, hint="convert the sound first: AAC for MP4, Opus for WebM")

    def _planes(self, native: Any) -> Any:
        matrix, full = SWS_MATRIX[self._clip.colour.matrix], self._clip.colour.range or 1
        planes = self._to_planes.reformat(
            native,
            format=self._format,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=full,
            dst_color_range=full,
        )
        planes.make_writable()  # the decoder still predicts from its own
        return planes

    @contextmanager
    def _encoding(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, ValueError) as error:
            raise _failed(getattr(error, "strerror", None) or str(error)) from error


def _failed(why: str) -> ConfigurationError:
    return ConfigurationError(
        "video.encoder", f"the clip could not be written: {why}", hint="try another --video-codec"
    )
