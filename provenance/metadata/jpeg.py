"""JPEG marker segments before the image data (ITU-T T.81 Annex B)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from provenance.errors import InputError
from provenance.metadata.parts import MOST, too_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIGNATURE = b"\xff\xd8\xff"
SOI, SOS, EOI = 0xD8, 0xDA, 0xD9
APP0, APP1, APP2, APP11, APP13, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE
_ENDS = frozenset({SOS, EOI})
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


class Segment(NamedTuple):
    """One marker segment; offsets are into the file. A tuple, since every file is made of many.

    Attributes:
        marker: second byte of the marker, 0xE1 for APP1.
        start: offset of the 0xFF.
        data: offset of the first byte after the length field.
        end: offset after the segment.
    """

    marker: int
    start: int
    data: int
    end: int

    def payload(self, data: bytes) -> bytes:
        """The bytes after the length field."""
        return data[self.data : self.end]


def segments(data: bytes, most: int = MOST) -> Iterator[Segment]:
    """The segments between SOI and the first SOS.

    Raises:
        InputError: ``media.damaged`` when a segment is cut off or a marker is missing;
            ``input.too-many-parts`` after ``most`` segments.
    """
    position, bare, size, found = 2, 0, len(data), 0
    while position + 4 <= size:
        if data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker in _ENDS:
            return
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2  # fill bytes may precede a marker (B.1.1.2)
            bare += 1
            if bare > most:
                raise too_many(most)
            continue
        length = data[position + 2] << 8 | data[position + 3]
        end = position + 2 + length
        if length < 2 or end > size:
            break
        if found >= most:
            raise too_many(most)
        found += 1
        yield Segment(marker, position, position + 4, end)
        position = end
    raise InputError("media.damaged", "the JPEG ends or breaks off in its header")


def segment(marker: int, payload: bytes) -> bytes:
    """An encoded segment.

    Raises:
        InputError: ``metadata.too-large`` when the payload does not fit one segment (65,533 bytes).
    """
    if len(payload) > 65_533:
        raise InputError("metadata.too-large", f"{len(payload)} bytes do not fit one JPEG segment")
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def rebuild(data: bytes, *, drop: Iterable[Segment], insert: bytes = b"") -> bytes:
    """The file without the segments in ``drop``; ``insert`` goes after SOI and any JFIF header."""
    dropped = {piece.start for piece in drop}
    kept, parts, position, inserted = list(segments(data)), [data[:2]], 2, not insert
    for piece in kept:
        if not inserted and piece.marker != APP0:
            parts.append(insert)
            inserted = True
        if piece.start not in dropped:
            parts.append(data[piece.start : piece.end])
        position = piece.end
    if not inserted:
        parts.append(insert)
    parts.append(data[position:])
    return b"".join(parts)
