"""PNG chunks, walked without decoding (W3C PNG, third edition, §5)."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from provenance.errors import InputError
from provenance.metadata.parts import MOST, too_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEADER = struct.Struct(">I4s")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Chunk(NamedTuple):
    """One chunk; all offsets are into the file. A tuple, since every file is made of many.

    Attributes:
        kind: four-byte chunk type.
        start: offset of the length field.
        data: offset of the first data byte.
        end: offset after the CRC.
    """

    kind: bytes
    start: int
    data: int
    end: int

    def payload(self, data: bytes) -> bytes:
        """The chunk's data bytes."""
        return data[self.data : self.end - 4]

    def crc_holds(self, data: bytes) -> bool:
        """Whether the stored CRC fits type and data."""
        stored = int.from_bytes(data[self.end - 4 : self.end], "big")
        return zlib.crc32(data[self.start + 4 : self.end - 4]) == stored


def chunks(data: bytes, most: int = MOST) -> Iterator[Chunk]:
    """All chunks up to and including IEND.

    Raises:
        InputError: ``media.damaged`` when a chunk reaches past the end of the file;
            ``input.too-many-parts`` after ``most`` chunks.
    """
    position, size, found = len(SIGNATURE), len(data), 0
    while position + 12 <= size:
        length, kind = _HEADER.unpack_from(data, position)
        end = position + 12 + length
        if end > size:
            break
        if found >= most:
            raise too_many(most)
        found += 1
        yield Chunk(kind, position, position + 8, end)
        if kind == b"IEND":
            return
        position = end
    raise InputError("media.damaged", "the PNG ends in the middle of a chunk")


def chunk(kind: bytes, payload: bytes) -> bytes:
    """An encoded chunk with its CRC."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def rebuild(data: bytes, *, drop: Iterable[Chunk], insert_before_idat: bytes = b"") -> bytes:
    """The file without the chunks in ``drop`` and with encoded chunks put before the first IDAT.

    Bytes after IEND are not part of the picture and are left out.
    """
    dropped = {piece.start for piece in drop}
    parts, inserted = [data[: len(SIGNATURE)]], False
    for piece in chunks(data):
        if piece.kind == b"IDAT" and not inserted:
            parts.append(insert_before_idat)
            inserted = True
        if piece.start not in dropped:
            parts.append(data[piece.start : piece.end])
    return b"".join(parts)
