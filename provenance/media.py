"""Media as values: ``Asset`` (encoded bytes) and ``Frames`` (decoded pixels).

Everything between reading a file and writing one works on these two. ``provenance.codecs`` turns
one into the other; nothing here touches the disk or a codec.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from provenance.stored import Bytes, sha256_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLIPS = ("video/mp4", "video/quicktime", "video/webm", "video/x-matroska")
"""Containers of clips that are read. Others are named in the error, and no demuxer is ever guessed."""

Pixels: TypeAlias = "NDArray[np.uint8] | NDArray[np.uint16]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds under which untrusted media are parsed (house promise 7)."""

    max_bytes: int = 256 * 2**20
    """Encoded size; a larger file is refused before it is read."""
    max_clip_bytes: int = 8 * 2**30
    """The same of clips, which are not read into memory."""
    max_pixels: int = 100_000_000
    """Width × height × frames; checked from the header, before any pixel is decoded."""
    max_decoded_bytes: int = 400_000_000
    """Width × height × channels × bytes of a channel, as the header has them: few of 16 bits are as many as
    many of 8."""
    max_side: int = 32_768
    """Longest side in pixels."""
    max_parts: int = 20_000
    """Chunks, segments, boxes or directory entries of one file; counted before anything parses it.

    Pictures have a few thousand at most, while every one, however small, costs each parser time and memory.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An encoded media file. Pictures are held in memory, clips lie where they are.

    Attributes:
        content: the file's bytes, exactly; two assets of one digest are the same.
        mime: media type found in the content, never taken from a file name.
        sha256: lower-case hex digest of ``content``.
    """

    content: Bytes = field(repr=False, compare=False)
    mime: str
    sha256: str

    @classmethod
    def of(cls, data: Bytes, mime: str) -> Asset:
        """An asset over ``data``, with its digest computed."""
        return cls(content=data, mime=mime, sha256=sha256_of(data))

    @property
    def data(self) -> bytes:
        """All bytes, in memory. What handles clips takes ``content``, whose size does not matter."""
        return bytes(self.content)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """Decoded, upright pixels of a picture (one frame) or clip.

    Attributes:
        pixels: (T, H, W, C), uint8 or uint16, C = 1 (gray) or 3 (RGB), read-only.
        alpha: (T, H, W), same dtype, read-only, or None. Not premultiplied.
        icc: ICC profile to be kept with the pixels, or None for sRGB.
        fps: frames per second; None for a picture.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    icc: bytes | None = None
    fps: float | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[-1] not in (1, 3) or 0 in self.pixels.shape:
            raise ValueError(f"pixels must be a non-empty (T, H, W, 1 or 3), not {self.pixels.shape}")
        if self.pixels.dtype.name not in ("uint8", "uint16"):
            raise ValueError(f"pixels must be uint8 or uint16, not {self.pixels.dtype}")
        if self.alpha is not None:
            if self.alpha.shape != self.pixels.shape[:3] or self.alpha.dtype != self.pixels.dtype:
                raise ValueError("alpha must be (T, H, W) of the pixels' dtype")
            self.alpha.flags.writeable = False
        self.pixels.flags.writeable = False

    @property
    def width(self) -> int:
        """Pixels per row."""
        return int(self.pixels.shape[2])

    @property
    def height(self) -> int:
        """Rows per frame."""
        return int(self.pixels.shape[1])

    @property
    def depth(self) -> int:
        """Bits per channel: 8 or 16."""
        return 8 * int(self.pixels.dtype.itemsize)

    def shows(self, other: Frames) -> bool:
        """True when colour and transparency are those of ``other``, sample for sample."""
        return _equal(self.pixels, other.pixels) and _equal(self.alpha, other.alpha)

    @property
    def is_gray(self) -> bool:
        """True when there is one channel only."""
        return bool(self.pixels.shape[-1] == 1)


def is_clip(mime: str) -> bool:
    """Whether files of this type go the way of clips; those that are not read get a clear error there."""
    return mime.startswith("video/")


def _equal(one: Pixels | None, other: Pixels | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
