"""Top-level boxes of ISO base media files (ISO/IEC 14496-12 §4.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata.parts import MOST, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One box; all offsets are into the file.

    Attributes:
        kind: four-byte box type.
        start: offset of the length field.
        data: offset of the first byte after length and type.
        end: offset after the box.
    """

    kind: bytes
    start: int
    data: int
    end: int


def is_bmff(data: bytes) -> bool:
    """Whether the bytes start like an ISO base media file."""
    return data[4:8] == b"ftyp"


def boxes(data: bytes, most: int = MOST) -> Iterator[Box]:
    """The top-level boxes.

    Raises:
        InputError: ``media.damaged`` when a box reaches past the end of the file;
            ``input.too-many-parts`` after ``most`` boxes.
    """
    return bounded(_boxes(data), most)


def _boxes(data: bytes) -> Iterator[Box]:
    position = 0
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if length == 1 and position + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, position + 8)
            start += 8
        end = len(data) if length == 0 else position + length
        if end > len(data) or end < start:
            raise InputError("media.damaged", "a box reaches past the end of the file")
        yield Box(kind=kind, start=position, data=start, end=end)
        position = end
