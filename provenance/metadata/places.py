"""Where each container keeps XMP and a manifest, and how both are taken out or put in."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata import jpeg, png
from provenance.sniff import HEAD_BYTES, format_name, mime_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provenance.metadata import riff
    from provenance.stored import Bytes

XMP_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
XMP_JPEG_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
XMP_PNG = b"XML:com.adobe.xmp"
MAX_PACKET = 2**20
"""Bytes of an XMP packet that are read; ours have fewer than a thousand."""

VP8X_ANIMATION, VP8X_XMP, VP8X_EXIF, VP8X_ALPHA, VP8X_ICC = 0x02, 0x04, 0x08, 0x10, 0x20


def unsupported(data: Bytes) -> InputError:
    """The error for containers whose metadata are not handled."""
    mime = mime_of(data[:HEAD_BYTES])
    this = "files of another kind" if mime is None else f"{format_name(mime)} files"
    return InputError(
        "metadata.unsupported-media",
        f"metadata are handled in PNG, JPEG, WebP, TIFF, MP4 and QuickTime files, not in {this}",
    )


def packets(data: Bytes) -> tuple[bytes, ...]:
    """All XMP packets of a file.

    Raises:
        InputError: ``metadata.unsupported-media``, ``metadata.too-large`` or ``media.damaged``.
    """
    if isinstance(data, bytes) and data.startswith(png.SIGNATURE):
        found = [_itxt_text(c.payload(data)) for c in png.chunks(data) if is_png_xmp(c, data)]
    elif isinstance(data, bytes) and data.startswith(jpeg.SIGNATURE):
        found = [s.payload(data)[len(XMP_JPEG) :] for s in jpeg.segments(data) if is_jpeg_xmp(s, data)]
    else:
        found = _of_others(data)
    if any(len(packet) > MAX_PACKET for packet in found):
        raise InputError("metadata.too-large", f"an XMP packet is larger than {MAX_PACKET} bytes")
    return tuple(found)


def _of_others(data: Bytes) -> list[bytes]:
    from provenance.metadata import bmff, riff, tiff  # noqa: PLC0415 - most files are PNG or JPEG

    if is_bmff_clip(data):
        clips = bmff.xmp_boxes(data)
        return [data[box.data + 16 : min(box.end, box.data + MAX_PACKET + 17)] for box in clips]
    if not isinstance(data, bytes):
        raise unsupported(data)
    if riff.is_webp(data):
        return [c.payload(data) for c in riff.chunks(data) if c.kind == b"XMP "]
    if tiff.is_tiff(data):
        return [e.payload(data) for e in tiff.directory(data)[0] if e.tag == tiff.XMP]
    raise unsupported(data)


def with_packet(data: Bytes, packet: bytes) -> Bytes:
    """The file with ``packet`` as its only XMP packet and without any manifest.

    Raises:
        InputError: ``metadata.unsupported-media``, ``metadata.too-large`` or ``media.damaged``.
    """
    from provenance.metadata import bmff, riff, tiff  # noqa: PLC0415 - as above

    if is_bmff_clip(data):
        return bmff.with_xmp(data, packet, drop=[*bmff.xmp_boxes(data), *bmff.manifest_boxes(data)])
    if not isinstance(data, bytes):
        raise unsupported(data)
    if data.startswith(png.SIGNATURE):
        drop = [c for c in png.chunks(data) if is_png_xmp(c, data) or c.kind == b"caBX"]
        added = png.chunk(b"iTXt", XMP_PNG + b"\0\0\0\0\0" + packet)
        return png.rebuild(data, drop=drop, insert_before_idat=added)
    if data.startswith(jpeg.SIGNATURE):
        gone = [s for s in jpeg.segments(data) if is_jpeg_xmp(s, data) or is_jpeg_manifest(s, data)]
        return jpeg.rebuild(data, drop=gone, insert=jpeg.segment(jpeg.APP1, XMP_JPEG + packet))
    if riff.is_webp(data):
        kept = [c for c in riff.chunks(data) if c.kind not in (b"XMP ", b"C2PA")]
        return webp_with(data, kept, extra=riff.chunk(b"XMP ", packet))
    if tiff.is_tiff(data):
        return tiff.rewrite(data, drop=frozenset({tiff.C2PA}), blobs={tiff.XMP: packet})
    raise unsupported(data)


def is_bmff_clip(data: Bytes) -> bool:
    """Whether it is an MP4 or QuickTime file; pictures of that family keep XMP elsewhere."""
    return mime_of(data[:HEAD_BYTES]) in ("video/mp4", "video/quicktime")


def is_png_xmp(chunk: png.Chunk, data: bytes) -> bool:
    """Whether a chunk holds XMP."""
    return chunk.kind == b"iTXt" and chunk.payload(data)[: len(XMP_PNG) + 1] == XMP_PNG + b"\0"


def is_jpeg_xmp(segment: jpeg.Segment, data: bytes) -> bool:
    """Whether a segment holds XMP or an extension of it."""
    return segment.marker == jpeg.APP1 and segment.payload(data).startswith((XMP_JPEG, XMP_JPEG_EXTENSION))


def is_jpeg_manifest(segment: jpeg.Segment, data: bytes) -> bool:
    """Whether a segment holds a JUMBF box, as manifests do."""
    return segment.marker == jpeg.APP11 and data[segment.data : segment.data + 2] == b"JP"


def webp_with(data: bytes, kept: Iterable[riff.Chunk], *, extra: bytes = b"") -> bytes:
    """A WebP file of the chunks in ``kept`` and encoded ``extra`` ones, flags fitting (RFC 9649 §2.7)."""
    from provenance.metadata import riff  # noqa: PLC0415 - as above

    chunks = list(kept)
    kinds = {chunk.kind for chunk in chunks} | ({extra[:4]} if extra else set())
    body = [data[c.start : c.end] + b"\0" * ((c.end - c.start) & 1) for c in chunks if c.kind != b"VP8X"]
    old = next((c.payload(data) for c in chunks if c.kind == b"VP8X"), None)
    if old is None and not kinds & {b"XMP ", b"EXIF", b"ICCP", b"ALPH", b"ANIM"}:
        return riff.webp(body)
    if old is None:
        old = _vp8x(data, chunks)
    if len(old) < 10:
        raise InputError("media.damaged", "the WebP header chunk is cut off")
    flags = old[0] & ~(VP8X_XMP | VP8X_EXIF | VP8X_ICC)
    flags |= VP8X_XMP * (b"XMP " in kinds) | VP8X_EXIF * (b"EXIF" in kinds) | VP8X_ICC * (b"ICCP" in kinds)
    return riff.webp([riff.chunk(b"VP8X", bytes([flags]) + old[1:10]), *body, extra])


def _vp8x(data: bytes, chunks: list[riff.Chunk]) -> bytes:
    """A header chunk for a file that had none, from the first image chunk (RFC 6386 §9.1, RFC 9649 §3.4)."""
    for chunk in chunks:
        payload = chunk.payload(data)
        if chunk.kind == b"VP8 " and len(payload) >= 10:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", payload, 6))
            return struct.pack("<I", 0) + _u24(width - 1) + _u24(height - 1)
        if chunk.kind == b"VP8L" and len(payload) >= 5:
            (bits,) = struct.unpack_from("<I", payload, 1)
            alpha = VP8X_ALPHA * (bits >> 28 & 1)
            return struct.pack("<I", alpha) + _u24(bits & 0x3FFF) + _u24(bits >> 14 & 0x3FFF)
    raise InputError("media.damaged", "the WebP file holds no image")


def _u24(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


def _itxt_text(payload: bytes) -> bytes:
    """Text of an iTXt chunk: keyword, flags, language, translated keyword, text (PNG §11.3.3.4)."""
    rest = payload[len(XMP_PNG) + 1 :]
    parts = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or len(parts) != 3:
        raise InputError("media.damaged", "a PNG text chunk is cut off")
    if not rest[0]:
        return parts[2]
    inflater = zlib.decompressobj()
    try:
        return inflater.decompress(parts[2], MAX_PACKET + 1)
    except zlib.error as error:
        raise InputError("media.damaged", "a compressed PNG text chunk is broken") from error
