"""What has come out of a clip so far, held against its limits and against what its container claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError

if TYPE_CHECKING:
    from provenance.video.container import Clip, ClipLimits
    from provenance.video.frame_numbers import FrameNumbers

_UNRELIABLE_COUNT = frozenset({"vp8"})
"""VP8 sends reference frames that are never shown in packets of their own."""
_END_TOLERANCE_S = 0.5
"""A declared length is that of the longest track, which may be one that nobody reads here."""
_ANEW = "encode the clip anew"
_AGAIN = "export or download the clip again"


@dataclass(slots=True, kw_only=True)
class Count:
    """Counts one clip.

    Attributes:
        clip: what the container claims.
        limits: bounds for what is decoded.
        packets: of pictures so far.
        hidden: of these, how many an edit list keeps from being shown: decoded for the sake of others.
        frames: decoded so far.
        key: ticks at which the key frame is shown that the clip begins with.
        first: ticks at which the first frame is shown.
        last: ticks at which the last one is.
        end_s: seconds from the first frame to the end of what was read.
        layout: width, height and format of the first frame.
        numbers: what tells missing frames of H.264; None where nobody asks for it or nothing does.
    """

    clip: Clip
    limits: ClipLimits
    packets: int = 0
    hidden: int = 0
    frames: int = 0
    key: int | None = None
    first: int = 0
    last: int = 0
    end_s: float = 0.0
    layout: tuple[int, int, str] | None = None
    numbers: FrameNumbers | None = None

    def packet(self, packet: Any) -> None:
        """One more packet of pictures.

        Raises:
            InputError: ``video.no-keyframe``, ``video.truncated`` or ``video.damaged``.
        """
        require_whole(packet, first=not self.packets)
        self.key = packet.pts if self.packets == 0 else self.key
        self.packets += 1
        self.hidden += packet.is_discard
        if packet.is_corrupt:
            raise self._ended("a packet is cut off")
        if packet.has_sidedata("new_extradata"):  # frames of another encoder begin
            self.numbers = None
        if self.numbers and self.numbers.lack_one_before(memoryview(packet), key=packet.is_keyframe):
            raise damaged(f"a frame is missing after {self.end_s:.2f} s, to which others refer")

    def leads(self, packet: Any) -> bool:
        """Whether a packet holds a frame shown before the first key frame, although it is stored after it.

        Where a clip was cut out of a longer one such a frame may refer to what is gone; no later one does.
        """
        return packet.pts is not None and self.key is not None and packet.pts < self.key

    def frame(self, native: Any) -> None:
        """One more decoded frame.

        Raises:
            InputError: ``video.times``, ``video.size-changes``, ``video.interlaced``, ``video.damaged`` or
                ``video.too-large``.
        """
        layout = (native.width, native.height, native.format.name)
        if self.frames == 0:
            self.first, self.layout = native.pts or 0, layout
        if native.pts is None or (self.frames and native.pts <= self.last):
            what = f"at {self.end_s:.2f} s times are missing or go back, as they do where frames are missing"
            raise InputError("video.times", what, hint=_ANEW)
        if layout != self.layout:
            raise InputError("video.size-changes", "the size of the frames changes on the way", hint=_ANEW)
        if native.interlaced_frame:
            what = "the clip is interlaced, which AV1 and VP9 cannot store"
            raise InputError("video.interlaced", what, hint="deinterlace it first")
        if native.is_corrupt:
            raise damaged(f"a frame is damaged at {self.end_s:.2f} s")
        self.frames, self.last = self.frames + 1, native.pts
        seconds = float((native.pts + (native.duration or 0) - self.first) * self.clip.time_base)
        self.end_s = max(self.end_s, seconds)
        self._within_limits(native.width * native.height)

    def finish(self) -> None:
        """The file has ended: was that all of it?

        Raises:
            InputError: ``video.no-frames``, ``video.truncated`` or ``video.damaged``.
        """
        if not self.frames:
            raise no_frames()
        claimed = self.clip.frames or 0
        if self.packets < claimed:
            raise self._ended(f"it has {self.packets} of {claimed} frames")
        lost = self.packets - self.hidden - self.frames
        if lost > 0 and self.clip.codec not in _UNRELIABLE_COUNT:
            raise damaged(f"{lost} of {self.packets - self.hidden} frames cannot be decoded")
        if self.clip.seconds is not None and self.end_s + _END_TOLERANCE_S < self.clip.seconds:
            raise self._ended(f"it says that it lasts {self.clip.seconds:.2f} s")

    def _within_limits(self, area: int) -> None:
        within(self.frames, self.limits.max_frames, "frames")
        within(area * self.frames, self.limits.max_pixels, "pixels in all frames together")
        within(self.end_s, self.limits.max_seconds, "seconds")

    def _ended(self, why: str) -> InputError:
        return InputError("video.truncated", f"the clip ends after {self.end_s:.2f} s: {why}", hint=_AGAIN)


def check_extent(
    width: int, height: int, limits: ClipLimits, *, frames: int = 1, seconds: float = 0.0
) -> None:
    """Hold a clip that nobody has decoded, or drawn, against the limits of its readers.

    Raises:
        InputError: ``video.too-large``.
    """
    within(max(width, height), limits.max_side, "pixels on one side")
    within(width * height, limits.max_frame_pixels, "pixels in a frame")
    within(frames, limits.max_frames, "frames")
    within(width * height * frames, limits.max_pixels, "pixels in all frames together")
    within(seconds, limits.max_seconds, "seconds")


def within(found: float, most: float, of: str) -> None:
    """Raises:
    InputError: ``video.too-large``.
    """
    if found > most:
        raise InputError(
            "video.too-large", f"the clip has more than {most:,} {of}", hint="cut it, or make it smaller"
        )


def require_whole(packet: Any, *, first: bool) -> None:
    """The first packet of pictures has to be a key frame.

    Raises:
        InputError: ``video.no-keyframe``.
    """
    if first and packet.size and not packet.is_keyframe:
        what = "the clip does not begin with a whole frame, so its first frames cannot be decoded"
        raise InputError("video.no-keyframe", what, hint="cut it again at a key frame, or encode it anew")


def no_frames() -> InputError:
    """The error for a track of pictures without any."""
    return InputError("video.no-frames", "no frame of the clip can be decoded", hint=_AGAIN)


def damaged(what: str) -> InputError:
    """The error for a clip that cannot be decoded in some place."""
    return InputError("video.damaged", what, hint=_AGAIN)
