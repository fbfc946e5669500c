"""Removing what cameras and tools leave behind: positions, serial numbers, names, prompts.

Lists say what is kept; anything unknown goes. Kept are pixels, colour (ICC, gamma, primaries),
resolution, animation and the orientation, without which a picture would turn.
"""

from __future__ import annotations

import struct

from provenance.errors import InputError
from provenance.media import Asset
from provenance.metadata import jpeg, places, png, riff, tiff
from provenance.metadata.xmp import refuse_signed

_PNG_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP"),
    *(b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs", b"acTL", b"fcTL", b"fdAT"),
}
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_ORIENTATION = 274
_ICC_TIFF = 34675
_TIFF_DROPPED = {269, 270, 271, 272, 285, 305, 306, 315, 316, 700}
"""Document name, description, make, model, page name, software, date, artist, host computer, XMP."""
_PRIVATE = 32768
"""Tags from here on are registered to vendors (TIFF 6.0 §8): EXIF, GPS, IPTC, Photoshop, DNG."""


def strip_camera_metadata(asset: Asset, *, discards_signature: bool = False) -> Asset:
    """``asset`` without EXIF, GPS, XMP, IPTC, comments and text; pixels, ICC and orientation kept.

    Args:
        discards_signature: whether a manifest in ``asset`` may be removed on the way.

    Raises:
        InputError: ``metadata.would-break-signature``, ``metadata.unsupported-media`` or ``media.damaged``.
    """
    refuse_signed(asset, allowed=discards_signature)
    data = asset.data
    if data.startswith(png.SIGNATURE):
        stripped = _png(data)
    elif data.startswith(jpeg.SIGNATURE):
        stripped = _jpeg(data)
    elif riff.is_webp(data):
        stripped = _webp(data)
    elif tiff.is_tiff(data):
        stripped = _tiff(data)
    else:
        raise places.unsupported(data)
    return Asset.of(stripped, asset.mime)


def _png(data: bytes) -> bytes:
    chunks = list(png.chunks(data))
    exif = next((chunk.payload(data) for chunk in chunks if chunk.kind == b"eXIf"), b"")
    turned = _turned(exif)
    added = png.chunk(b"eXIf", turned) if turned else b""
    drop = [chunk for chunk in chunks if chunk.kind not in _PNG_KEPT]
    return png.rebuild(data, drop=drop, insert_before_idat=added)


def _jpeg(data: bytes) -> bytes:
    segments = list(jpeg.segments(data))
    exif = next((s.payload(data)[6:] for s in segments if s.payload(data).startswith(b"Exif\0\0")), b"")
    turned = _turned(exif)
    added = jpeg.segment(jpeg.APP1, b"Exif\0\0" + turned) if turned else b""
    drop = [segment for segment in segments if not _kept_in_jpeg(segment, data)]
    return jpeg.rebuild(data, drop=drop, insert=added)


def _kept_in_jpeg(segment: jpeg.Segment, data: bytes) -> bool:
    if segment.marker == jpeg.COM:
        return False
    if not jpeg.APP0 <= segment.marker <= jpeg.APP0 + 15:
        return True
    payload = segment.payload(data)
    return (
        (segment.marker == jpeg.APP0 and payload.startswith(b"JFIF\0"))
        or (segment.marker == jpeg.APP2 and payload.startswith(b"ICC_PROFILE\0"))
        or (segment.marker == jpeg.APP14 and payload.startswith(b"Adobe"))
    )


def _webp(data: bytes) -> bytes:
    chunks = list(riff.chunks(data))
    exif = next((chunk.payload(data) for chunk in chunks if chunk.kind == b"EXIF"), b"")
    turned = _turned(exif.removeprefix(b"Exif\0\0"))
    added = riff.chunk(b"EXIF", turned) if turned else b""
    return places.webp_with(data, [chunk for chunk in chunks if chunk.kind in _WEBP_KEPT], extra=added)


def _tiff(data: bytes) -> bytes:
    entries, _, following = tiff.directory(data)
    if following:
        raise InputError("metadata.unsupported-media", "a TIFF file of several pages is not released")
    private = {entry.tag for entry in entries if entry.tag >= _PRIVATE and entry.tag != _ICC_TIFF}
    drop = frozenset(private | {entry.tag for entry in entries if entry.tag in _TIFF_DROPPED})
    return tiff.rewrite(data, drop=drop, blobs={}) if drop else data


def _turned(exif: bytes) -> bytes:
    """An EXIF block with nothing but an orientation other than upright, or nothing."""
    if not tiff.is_tiff(exif):
        return b""
    try:
        entries, _, _ = tiff.directory(exif)
    except InputError:
        return b""  # unreadable EXIF turns no picture
    for entry in entries:
        if entry.tag == _ORIENTATION and entry.kind == 3:
            (value,) = struct.unpack_from(tiff.order(exif) + "H", exif, entry.start)
            if 2 <= value <= 8:
                return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, value, 0, 0)
    return b""
