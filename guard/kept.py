"""Files that leave as they came: signed, but neither marked nor written again.

Nothing here writes these formats, and what cannot be written cannot carry a mark. A picture among them that
can be decoded is still looked at, and its manifest names what it shows; sound, drawings and documents leave
without anybody having looked, which the packs are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError

if TYPE_CHECKING:
    from provenance.media import Asset, Frames

KEPT = (
    *("image/gif", "image/avif", "image/heic", "image/svg+xml"),
    *("audio/mp4", "audio/wav", "audio/mpeg", "audio/flac"),
    "application/pdf",
)
"""What ``guard sign`` leaves as it is; the other kinds are decoded and written again."""
_DECODED = ("image/gif", "image/avif")
WHY_UNMARKED = "files of this kind are signed as they are, and carry no mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that is not to change.

    Attributes:
        asset: the file.
        seen: the picture in it, where there is one that can be decoded whole; None: nobody looked.
    """

    asset: Asset
    seen: Frames | None = None

    @property
    def width(self) -> int | None:
        """Of the picture; None where nobody looked."""
        return None if self.seen is None else self.seen.width

    @property
    def height(self) -> int | None:
        """Likewise."""
        return None if self.seen is None else self.seen.height


def is_kept(mime: str) -> bool:
    """Whether files of this type leave as they came."""
    return mime in KEPT


def kept(asset: Asset) -> Kept:
    """``asset``, looked at where it is a picture that can be decoded: one still, undamaged."""
    if asset.mime not in _DECODED:
        return Kept(asset=asset)
    from provenance.codecs import decode  # noqa: PLC0415 - Pillow

    try:
        return Kept(asset=asset, seen=decode(asset))
    except InputError:
        return Kept(asset=asset)  # an animation, say: nobody looked, and the packs are told
