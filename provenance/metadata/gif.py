"""GIF blocks, walked far enough to find application extensions (GIF89a §§18-26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata.parts import MOST, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.stored import Bytes

_EXTENSION, _IMAGE, _TRAILER, _APPLICATION = 0x21, 0x2C, 0x3B, 0xFF


def is_gif(data: Bytes) -> bool:
    """Whether the bytes start like a GIF file."""
    return data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 13


def applications(data: bytes, most: int = MOST) -> Iterator[tuple[bytes, int, int, list[tuple[int, int]]]]:
    """Application extensions: identifier (11 bytes), start, end and the ranges of their data.

    Raises:
        InputError: ``media.damaged`` when a block reaches past the end of the file;
            ``input.too-many-parts`` after ``most`` extensions and images.
    """
    position, left = 13 + _table(data[10]), most
    while position < len(data):
        start, kind = position, data[position]
        left -= 1
        if left < -1:  # the trailer is not counted
            raise too_many(most)
        if kind == _TRAILER:
            return
        if kind == _EXTENSION and position + 2 < len(data):
            ranges, position = _sub_blocks(data, position + 2)
            if data[start + 1] == _APPLICATION and ranges:
                yield data[slice(*ranges[0])], start, position, ranges[1:]
        elif kind == _IMAGE and position + 10 < len(data):
            _, position = _sub_blocks(data, position + 10 + _table(data[position + 9]) + 1)
        else:
            break
    raise InputError("media.damaged", "the GIF ends in the middle of a block")


def _table(packed: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _sub_blocks(data: bytes, position: int) -> tuple[list[tuple[int, int]], int]:
    """Ranges of the sub-blocks from ``position`` and the offset after their end mark."""
    ranges: list[tuple[int, int]] = []
    while position < len(data):
        length = data[position]
        if length == 0:
            return ranges, position + 1
        ranges.append((position + 1, position + 1 + length))
        position += 1 + length
    raise InputError("media.damaged", "the GIF ends in the middle of a block")
