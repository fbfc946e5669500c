"""The one EXIF value that pixels depend on, orientation (EXIF 2.32 §4.6.4, tag 0x0112), and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.TiffImagePlugin import TiffImageFile

    from provenance.media import Asset

_ORIENTATION = 0x0112
_UPRIGHT = 1


def orientation_of(asset: Asset, image: Image.Image) -> int:
    """How the stored pixels are turned, 1..8; 1 (upright) when nothing valid is said, as in viewers.

    XMP orientation is ignored on purpose: browsers ignore it, and what we mark and sign is what people see.
    The TIFF plugin turns pixels itself when it loads them and then forgets the tag; this says 1 afterwards.
    """
    if asset.mime == "image/tiff":
        return _valid(cast("TiffImageFile", image).tag_v2.get(_ORIENTATION))
    block = _png_exif(asset.data) if asset.mime == "image/png" else image.info.get("exif")
    if not isinstance(block, bytes):
        return _UPRIGHT
    exif = Image.Exif()
    try:
        exif.load(block)
        return _valid(exif.get(_ORIENTATION))
    except Exception:  # noqa: BLE001 - a broken EXIF block says nothing, and breaks in many ways
        return _UPRIGHT


def is_whole_png(data: bytes) -> bool:
    """True when the chunks follow each other without a gap up to IEND."""
    return any(kind == b"IEND" for kind, _, _ in _png_chunks(data))


def _valid(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else _UPRIGHT


def _png_exif(data: bytes) -> bytes | None:
    """The eXIf chunk, before or after the pixels (PNG third edition §11.3.4.5)."""
    return next((data[start:end] for kind, start, end in _png_chunks(data) if kind == b"eXIf"), None)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            return
        yield data[at + 4 : at + 8], at + 8, at + 8 + size
        at += 12 + size
