"""Top-level boxes of ISO base media files (ISO/IEC 14496-12 §4.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata.parts import MOST, bounded
from provenance.spool import copied, spool_like
from provenance.stored import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.stored import Bytes


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


XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Type of the top-level ``uuid`` box that holds XMP in clips (ISO 16684-3 §3.2, "MPEG-4")."""

C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""Type of the ``uuid`` box that holds a manifest (C2PA specification §A.5)."""


def is_bmff(data: Bytes) -> bool:
    """Whether the bytes start like an ISO base media file."""
    return data[4:8] == b"ftyp"


def boxes(data: Bytes, most: int = MOST) -> Iterator[Box]:
    """The top-level boxes.

    Raises:
        InputError: ``media.damaged`` when a box reaches past the end of the file, or bytes are left over;
            ``input.too-many-parts`` after ``most`` boxes.
    """
    return bounded(_boxes(data), most)


def _boxes(data: Bytes) -> Iterator[Box]:
    position = 0
    while position + 8 <= len(data):
        head = data[position : position + 16]
        length, kind = struct.unpack_from(">I4s", head)
        start = position + 8
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack_from(">Q", head, 8)
            start += 8
        end = len(data) if length == 0 else position + length
        if end > len(data) or end < start:
            raise InputError("media.damaged", "a box reaches past the end of the file")
        yield Box(kind=kind, start=position, data=start, end=end)
        position = end
    if position != len(data):
        raise InputError("media.damaged", "the file ends in the middle of a box")


def xmp_boxes(data: Bytes) -> Iterator[Box]:
    """The ``uuid`` boxes that hold XMP; its packet lies behind their 16-byte type."""
    return _of_type(data, XMP)


def manifest_boxes(data: Bytes) -> Iterator[Box]:
    """The ``uuid`` boxes that hold a manifest."""
    return _of_type(data, C2PA)


def with_xmp(data: Bytes, packet: bytes, drop: Iterable[Box]) -> Bytes:
    """The file with ``packet`` in a new last box, and the boxes in ``drop`` blanked.

    Sample tables hold offsets from the beginning of the file, so nothing before the new box may move.

    Raises:
        InputError: ``media.damaged`` when a box reaches past the end or the last one has no length.
        ConfigurationError: ``disk.full`` for a clip that lies on the disk.
    """
    last = next(iter(reversed(tuple(boxes(data)))), None)
    if last is None or last.end != len(data) or not any(data[last.start : last.start + 4]):
        raise InputError("media.damaged", "the file does not end with a whole box")
    changed = copied(data, spool_like(data))
    for box in drop:
        changed.write_at(box.start + 4, b"free")
        for start in range(box.data, box.end, CHUNK):
            changed.write_at(start, bytes(min(CHUNK, box.end - start)))
    changed.write_at(len(data), struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP + packet)
    return bytes(changed) if isinstance(data, bytes) else changed


def _of_type(data: Bytes, kind: bytes) -> Iterator[Box]:
    return (box for box in boxes(data) if box.kind == b"uuid" and data[box.data : box.data + 16] == kind)
