"""16-bit colour PNG and TIFF. Pillow cuts them to 8 bits; OpenCV reads them, and a few lines write them.

The writers here are small on purpose: one chunk or strip layout, deflate, ICC profile, nothing else.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Literal

import numpy as np

from provenance.errors import InputError, missing_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.media import Asset, Frames, Pixels

DEFLATE_LEVEL = 1
"""A marked megapixel takes 0.15 s at level 1 and 0.45 s at 6, for 9 % more bytes: waiting costs more."""
_STRIP = 256
"""Rows handed to the compressor at once: so a picture is not held again and again while it is written."""
_TIFF_SHORT, _TIFF_LONG, _TIFF_UNDEFINED = 3, 4, 7
_DEFLATE = 8
_ORIENTATION = 274


def read(asset: Asset, *, premultiplied: bool) -> tuple[Pixels, Pixels | None]:
    """Stored (not yet turned) pixels: colour (H, W, 3) and alpha (H, W) or None, uint16.

    Args:
        asset: a 16-bit PNG or TIFF with two or more channels.
        premultiplied: colour was stored multiplied by alpha and is divided again.

    Raises:
        ConfigurationError: ``extra.missing`` without OpenCV.
        InputError: ``input.damaged``.
    """
    try:
        import cv2  # noqa: PLC0415 - optional
    except ImportError as error:
        raise missing_extra("watermark", "reading 16-bit colour pictures") from error

    data = _upright_tiff(asset.data) if asset.mime == "image/tiff" else asset.data
    stack = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stack is None or stack.dtype != np.uint16 or stack.ndim != 3 or stack.shape[2] not in (3, 4):
        raise InputError(
            "input.damaged", "the 16-bit picture cannot be decoded", hint="export the picture again"
        )
    colour, alpha = stack[..., 2::-1], stack[..., 3] if stack.shape[2] == 4 else None
    if premultiplied and alpha is not None:
        scaled = colour * (65535.0 / np.maximum(alpha, 1)[..., None])
        colour = np.minimum(np.rint(scaled), 65535).astype(np.uint16)
    return colour, alpha


def png_bytes(frames: Frames) -> bytes:
    """A 16-bit PNG (third edition): gray or RGB, with or without alpha."""
    colour_type = (0 if frames.is_gray else 2) + (0 if frames.alpha is None else 4)
    parts = [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", frames.width, frames.height, 16, colour_type, 0, 0, 0)),
    ]
    if frames.icc is not None:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(frames.icc)))
    parts += [_chunk(b"IDAT", _deflated(_filtered(frames))), _chunk(b"IEND", b"")]
    return b"".join(parts)


def tiff_bytes(frames: Frames) -> bytes:
    """A 16-bit baseline RGB TIFF (6.0), one deflate strip, with or without unassociated alpha."""
    height, width, channels = frames.height, frames.width, 3 if frames.alpha is None else 4
    strip = _deflated(samples.astype("<u2").tobytes() for samples in _interleaved(frames))
    tags: list[tuple[int, int, bytes]] = [
        (256, _TIFF_LONG, struct.pack("<I", width)),
        (257, _TIFF_LONG, struct.pack("<I", height)),
        (258, _TIFF_SHORT, struct.pack(f"<{channels}H", *[16] * channels)),
        (259, _TIFF_SHORT, struct.pack("<H", _DEFLATE)),
        (262, _TIFF_SHORT, struct.pack("<H", 2)),  # RGB
        (273, _TIFF_LONG, struct.pack("<I", 8)),  # the strip follows the header
        (277, _TIFF_SHORT, struct.pack("<H", channels)),
        (278, _TIFF_LONG, struct.pack("<I", height)),
        (279, _TIFF_LONG, struct.pack("<I", len(strip))),
    ]
    if channels == 4:
        tags.append((338, _TIFF_SHORT, struct.pack("<H", 2)))  # unassociated alpha
    if frames.icc is not None:
        tags.append((34675, _TIFF_UNDEFINED, frames.icc))
    return _tiff_file(strip, tags)


def _upright_tiff(data: bytes) -> bytes:
    """``data`` with orientation 1 in its first directory: OpenCV would turn the pixels, but we do that."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    # BigTIFF (version 43) has wider counts and offsets.
    count_size, entry_size = (8, 20) if number(2, 2) == 43 else (2, 12)
    directory = number(8, 8) if number(2, 2) == 43 else number(4, 4)
    for index in range(min(number(directory, count_size), 4096)):
        at = directory + count_size + index * entry_size
        if number(at, 2) == _ORIENTATION:
            value_at = at + entry_size - (8 if entry_size == 20 else 4)
            return data[:value_at] + (1).to_bytes(2, order) + data[value_at + 2 :]
    return data


def _interleaved(frames: Frames) -> Iterator[Pixels]:
    """(rows, W, C) with alpha as the last channel, strip by strip."""
    for start in range(0, frames.height, _STRIP):
        rows = np.s_[start : start + _STRIP]
        colour: Pixels = frames.pixels[0][rows]
        if frames.alpha is not None:
            colour = np.concatenate([colour, frames.alpha[0][rows][..., None]], axis=2)
        yield colour


def _filtered(frames: Frames) -> Iterator[bytes]:
    """Big-endian rows, each after filter type 2, "Up" (PNG §9.2), the best one that needs no loop."""
    last = None
    for samples in _interleaved(frames):
        height = samples.shape[0]
        rows = np.frombuffer(samples.astype(">u2").tobytes(), np.uint8).reshape(height, -1)
        above = np.vstack([np.zeros_like(rows[:1]) if last is None else last, rows[:-1]])
        last = rows[-1:]
        yield np.hstack([np.full((height, 1), 2, np.uint8), rows - above]).tobytes()


def _deflated(parts: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(DEFLATE_LEVEL)
    return b"".join([*map(packer.compress, parts), packer.flush()])


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _tiff_file(strip: bytes, tags: list[tuple[int, int, bytes]]) -> bytes:
    """Header, strip, directory, then the values that do not fit the directory's four bytes."""
    strip += b"\0" * (len(strip) % 2)
    directory_at = 8 + len(strip)
    values_at = directory_at + 2 + 12 * len(tags) + 4
    entries, values = [], b""
    for tag, kind, value in tags:
        count = len(value) // {_TIFF_SHORT: 2, _TIFF_LONG: 4, _TIFF_UNDEFINED: 1}[kind]
        inline = value.ljust(4, b"\0")
        if len(value) > 4:
            inline = struct.pack("<I", values_at + len(values))
            values += value + b"\0" * (len(value) % 2)
        entries.append(struct.pack("<HHI", tag, kind, count) + inline)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    return struct.pack("<2sHI", b"II", 42, directory_at) + strip + directory + values
