"""Files that leave as they came: signed, but neither marked nor written again.

Nothing here writes these formats, and what cannot be written cannot carry a mark. A picture among them that
can be decoded is still looked at, and its manifest names what it shows; sound, drawings and documents leave
without anybody having looked, which the packs are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.sniff import format_name

if TYPE_CHECKING:
    from provenance.media import Asset, Frames

KEPT = (
    *("image/gif", "image/avif", "image/heic", "image/svg+xml"),
    *("audio/mp4", "audio/wav", "audio/mpeg", "audio/flac"),
    "application/pdf",
)
"""What ``guard sign`` leaves as it is; the other kinds are decoded and written again."""
WRITTEN = (
    *("image/png", "image/jpeg", "image/webp", "image/tiff"),
    *("video/mp4", "video/webm", "video/quicktime"),
)
"""What is decoded, marked and written again."""
_DECODED = ("image/gif", "image/avif")
_DONE = {"sign": "signed", "watermark": "marked"}
_AS_IT_IS = "guard sign FILE signs it as it is, without a mark"
WHY_UNMARKED = "files of this kind are signed as they are, and carry no mark"
WHY_UNTOUCHED = "it was signed as it came, and carries no mark"


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


def refuse_unwritten(asset: Asset, *, command: str) -> None:
    """Before any decision: nothing is asked of a file that cannot go the way of ``command`` at all.

    Raises:
        InputError: ``output.format``; ``input.animated`` for a moving picture of a kind that is not written.
    """
    if asset.mime in WRITTEN or (command == "sign" and is_kept(asset.mime)):
        return
    if asset.mime in _DECODED:
        _refuse_moving(asset)
    name, done = format_name(asset.mime), _DONE.get(command, "released")
    hint = _AS_IT_IS if is_kept(asset.mime) else "convert it to one of these formats first"
    what = f"{name} files cannot be {done}; PNG, JPEG, WebP and TIFF pictures and MP4, WebM and "
    what += "QuickTime clips can"
    if asset.mime.startswith("audio/"):
        what = f"this {name} file holds sound and no pictures, so it cannot be {done}"
        hint = hint if is_kept(asset.mime) else "give a picture or a clip"
    raise InputError("output.format", what, hint=hint)


def _refuse_moving(asset: Asset) -> None:
    from provenance.codecs import header  # noqa: PLC0415 - Pillow

    if header(asset).frames > 1:
        raise InputError(
            "input.animated",
            f"the {format_name(asset.mime)} file holds more than one picture",
            hint=f"release it as an MP4 or WebM clip; or {_AS_IT_IS}",
        )


def kept(asset: Asset) -> Kept:
    """``asset``, looked at where it is a picture that can be decoded: one still, undamaged."""
    if asset.mime not in _DECODED:
        return Kept(asset=asset)
    from provenance.codecs import decode  # noqa: PLC0415 - Pillow

    try:
        return Kept(asset=asset, seen=decode(asset))
    except InputError:
        return Kept(asset=asset)  # an animation, say: nobody looked, and the packs are told
