"""Manifest stores in PNG and JPEG files (C2PA specification §A.3), as most are."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from provenance.manifest.cbor import StructureError
from provenance.manifest.containers.embedded import Embedded, Piece, several, whole
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
    store, pieces = bytearray(), []
    _, _, _, *box = struct.unpack_from(">2sHIII", data, group[0].data)
    for index, segment in enumerate(group, start=1):
        ci, _, number, *repeated = struct.unpack_from(">2sHIII", data, segment.data)
        if (ci, number, repeated) != (b"JP", index, box):
            raise StructureError("the JPEG segments of the manifest do not follow each other")
        # The first segment's box header belongs to the store; later ones repeat it.
        begin = segment.data + (8 if index == 1 else 16 + 8 * (box[0] == 1))
        pieces.append(Piece(file=begin, store=len(store), length=segment.end - begin))
        store += data[begin : segment.end]
    number_at = group[0].data + 2
    alone = (f"bytes {number_at}-{number_at + 1}: number of the JPEG box instance",)
    return Embedded(
        store=bytes(store),
        pieces=tuple(pieces),
        spans=tuple((segment.start, segment.end) for segment in group),
        uncovered=alone if len(group) == 1 else (),
    )


PICTURES = (
    Container(name="PNG", recognises=begins(png.SIGNATURE), parts=held(png.chunks), find=in_png, counts=True),
    Container(
        name="JPEG", recognises=begins(jpeg.SIGNATURE), parts=held(jpeg.segments), find=in_jpeg, counts=True
    ),
)
