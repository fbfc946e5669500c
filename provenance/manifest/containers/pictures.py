"""Manifest stores in PNG and JPEG files (C2PA specification §A.3), as most are."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from provenance.manifest.cbor import StructureError
from provenance.manifest.containers.embedded import Embedded, OpenRange, Piece, several, whole
from provenance.manifest.containers.kinds import Container, begins, held
from provenance.manifest.containers.traces import has_trace
from provenance.metadata import jpeg, png

if TYPE_CHECKING:
    from provenance.stored import Bytes


def in_png(content: Bytes) -> Embedded | None:
    """Chunk ``caBX`` (§A.3.2)."""
    found, data = None, bytes(content)
    for chunk in png.chunks(data):
        if chunk.kind == b"caBX":
            if not chunk.crc_holds(data):
                raise StructureError("the checksum of the manifest's PNG chunk is wrong")
            found = whole(data, chunk.data, chunk.end - 4, found, (chunk.start, chunk.end))
    return found


def in_jpeg(content: Bytes) -> Embedded | None:
    """APP11 segments of ISO/IEC 19566-5 Annex B: CI, En, Z, then LBox and TBox repeated in each.

    Segments of one En belong together; other JUMBF boxes than manifests are none of our business.
    """
    data = bytes(content)
    groups: dict[int, list[jpeg.Segment]] = {}
    for segment in jpeg.segments(data):
        if segment.marker == jpeg.APP11 and segment.end - segment.data > 16:
            groups.setdefault(int.from_bytes(data[segment.data + 2 : segment.data + 4], "big"), []).append(
                segment
            )
    ours = [group for group in groups.values() if any(has_trace(part.payload(data)) for part in group)]
    if len(ours) > 1:
        raise several()
    return _joined(data, ours[0]) if ours else None


def _joined(data: bytes, group: list[jpeg.Segment]) -> Embedded:
    """The store of one group: all of a segment's head is held against the others', but the group's number.

    Which number that is, nothing says: it is free in one segment, and in several that agree on it.
    """
    store, pieces = bytearray(), []
    box = _box_header(data, group[0])
    for index, segment in enumerate(group, start=1):
        ci, _, number = struct.unpack_from(">2sHI", data, segment.data)
        if (ci, number, _box_header(data, segment)) != (b"JP", index, box):
            raise StructureError("the JPEG segments of the manifest do not follow each other")
        # The first segment's box header belongs to the store; later ones repeat it.
        begin = segment.data + 8 + (0 if index == 1 else len(box))
        pieces.append(Piece(file=begin, store=len(store), length=segment.end - begin))
        store += data[begin : segment.end]
    numbers = (segment.data + 2 for segment in group)
    return Embedded(
        store=bytes(store),
        pieces=tuple(pieces),
        spans=tuple((segment.start, segment.end) for segment in group),
        open=tuple(OpenRange(at, at + 2, "number of the JPEG box instance") for at in numbers),
    )


def _box_header(data: bytes, segment: jpeg.Segment) -> bytes:
    """LBox and TBox, and XLBox where the length of the box stands there (ISO/IEC 15444-1 §I.4)."""
    start = segment.data + 8
    large = data[start : start + 4] == b"\0\0\0\1"
    return data[start : min(start + (16 if large else 8), segment.end)]


PICTURES = (
    Container(name="PNG", recognises=begins(png.SIGNATURE), parts=held(png.chunks), find=in_png, counts=True),
    Container(
        name="JPEG", recognises=begins(jpeg.SIGNATURE), parts=held(jpeg.segments), find=in_jpeg, counts=True
    ),
)
