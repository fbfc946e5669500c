"""Where a container keeps its manifest store, decided by us (C2PA spec, Appendix A).

Whether a file carries a manifest must not depend on whether a library can read it: a damaged
manifest is a finding, no manifest is not. The walk is strict; what the hard binding leaves out of its
hash (lengths, checksums, segment headers) is checked here instead.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.manifest.cbor import StructureError
from provenance.metadata import bmff, gif, jpeg, png, riff, tiff
from provenance.stored import windows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.stored import Bytes

_HEAD = 32
"""Bytes of a box by which a hard binding may choose it: length, type and the type of a ``uuid`` box."""
_TRACE = re.compile(rb"c2(?:pa|ma|um|cm|as|cl|cs|sh)\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71")
_LARGEST = 64 * 2**20
"""Bytes of a store that is read from a clip; pictures are in memory anyway."""
_SUFFIX = b"\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of store bytes in the file."""

    file: int
    store: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A manifest store found in a container.

    Attributes:
        store: its bytes, put together.
        pieces: where they lie in the file.
        spans: file ranges of the boxes that hold them, headers included.
        uncovered: what in those headers nothing vouches for.
        boxes: every top-level box with its first bytes, where the container is made of boxes.
    """

    store: bytes
    pieces: tuple[Piece, ...]
    spans: tuple[tuple[int, int], ...]
    uncovered: tuple[str, ...] = ()
    boxes: tuple[tuple[bmff.Box, bytes], ...] = ()

    def file_range(self, start: int, end: int) -> tuple[int, int]:
        """File offsets of store bytes ``[start, end)`` (of the piece that holds the first)."""
        for piece in self.pieces:
            if piece.store <= start < piece.store + piece.length:
                offset = piece.file - piece.store
                return start + offset, min(end, piece.store + piece.length) + offset
        return start, end


def has_trace(data: Bytes) -> bool:
    """Whether the bytes hold a C2PA box type anywhere, even where the container is broken.

    Sixteen bytes that say "C2PA" and a JUMBF suffix do not occur by accident.
    """
    windows = (window for _, window in windows_of(data, overlap=15))
    return any(_SUFFIX in window and _TRACE.search(window) is not None for window in windows)


def find_store(data: Bytes) -> Embedded | None:
    """The manifest store of a file, or None when its container holds none.

    Raises:
        StructureError: several stores, or one whose framing is wrong.
        InputError: ``media.damaged`` when the container cannot be walked.
    """
    if bmff.is_bmff(data):
        return _bmff(data)
    return _anywhere(data) if not isinstance(data, bytes) else _walker(data)(data)


def _walker(data: bytes) -> Callable[[bytes], Embedded | None]:
    if data.startswith(png.SIGNATURE):
        return _png
    if data.startswith(jpeg.SIGNATURE):
        return _jpeg
    if riff.is_riff(data):
        return _riff
    if tiff.is_tiff(data):
        return _tiff
    if gif.is_gif(data):
        return _gif
    return _anywhere


def _whole(data: Bytes, start: int, end: int, found: Embedded | None, *spans: tuple[int, int]) -> Embedded:
    if found is not None:
        raise StructureError("the file carries more than one manifest store")
    if end - start > _LARGEST:
        raise StructureError(f"the manifest store has more than {_LARGEST:,} bytes")
    piece = Piece(file=start, store=0, length=end - start)
    return Embedded(store=data[start:end], pieces=(piece,), spans=spans)


def _png(data: bytes) -> Embedded | None:
    found = None
    for chunk in png.chunks(data):
        if chunk.kind == b"caBX":
            if not chunk.crc_holds(data):
                raise StructureError("the checksum of the manifest's PNG chunk is wrong")
            found = _whole(data, chunk.data, chunk.end - 4, found, (chunk.start, chunk.end))
    return found


def _riff(data: bytes) -> Embedded | None:
    found = None
    for chunk in riff.chunks(data):
        if chunk.kind == b"C2PA":
            found = _whole(data, chunk.data, chunk.end, found, (chunk.start, chunk.end))
    return found


def _tiff(data: bytes) -> Embedded | None:
    found = None
    for entries in tiff.directories(data):
        for entry in entries:
            if entry.tag == tiff.C2PA:
                # Count and offset of the entry change with the manifest and stay out of the hash.
                header = entry.position + 4, entry.position + 12
                found = _whole(data, entry.start, entry.end, found, header, (entry.start, entry.end))
    return found


def _jpeg(data: bytes) -> Embedded | None:
    """APP11 segments of ISO/IEC 19566-5 Annex B: CI, En, Z, then LBox and TBox repeated in each.

    Segments of one En belong together; other JUMBF boxes than manifests are none of our business.
    """
    groups: dict[int, list[jpeg.Segment]] = {}
    for segment in jpeg.segments(data):
        if segment.marker == jpeg.APP11 and segment.end - segment.data > 16:
            groups.setdefault(int.from_bytes(data[segment.data + 2 : segment.data + 4], "big"), []).append(
                segment
            )
    ours = [group for group in groups.values() if any(has_trace(part.payload(data)) for part in group)]
    if len(ours) > 1:
        raise StructureError("the file carries more than one manifest store")
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


def _bmff(data: Bytes) -> Embedded | None:
    """Top-level ``uuid`` box with purpose ``manifest`` (§A.5)."""
    found, free, kinds = None, [], []
    for box in bmff.boxes(data):
        start, end = box.data, box.end
        kinds.append((box, data[box.start : box.start + _HEAD]))
        if box.kind == b"uuid" and data[start : start + 16] == bmff.C2PA:
            purpose, ended, rest = data[start + 20 : min(end, start + 64)].partition(b"\0")
            if purpose == b"manifest" and ended:
                at = start + 20 + len(purpose) + 1
                if any(data[start + 16 : start + 20]) or len(rest) < 8:
                    raise StructureError("the box of the manifest has an unknown version or is cut off")
                if any(rest[:8]):
                    free.append(f"bytes {at}-{at + 7}: where Merkle boxes are said to be")
                found = _whole(data, at + 8, end, found, (box.start, end))
    if found is None:
        return None
    # A store is followed by padding inside its box; its own length says where it ends.
    (used,) = struct.unpack_from(">I", found.store) if len(found.store) >= 4 else (0,)
    start = found.pieces[0].file
    trimmed = _whole(data, start, min(start + used, found.spans[0][1]), None, found.spans[0])
    if start + used < found.spans[0][1]:
        free.append(f"bytes {start + used}-{found.spans[0][1] - 1}: padding behind the manifest")
    return Embedded(
        store=trimmed.store,
        pieces=trimmed.pieces,
        spans=trimmed.spans,
        uncovered=tuple(free),
        boxes=tuple(kinds),
    )


def _gif(data: bytes) -> Embedded | None:
    """Application extension ``C2PA_GIF``, the store in sub-blocks of up to 255 bytes (§A.3.4)."""
    found = None
    for name, start, end, ranges in gif.applications(data):
        if not name.startswith(b"C2PA_GIF"):
            continue
        if found is not None:
            raise StructureError("the file carries more than one manifest store")
        store, pieces = bytearray(), []
        for low, high in ranges:
            pieces.append(Piece(file=low, store=len(store), length=high - low))
            store += data[low:high]
        found = Embedded(store=bytes(store), pieces=tuple(pieces), spans=((start, end),))
    return found


def _anywhere(data: Bytes) -> Embedded | None:
    """Containers not walked here: the store where it lies in one piece."""
    found = None
    for position in _stores(data):
        start = position - 4
        end = start + int.from_bytes(data[start : start + 4], "big") if start >= 0 else -1
        if start < 0 or end > len(data):
            raise StructureError("the manifest store is cut off")
        found = _whole(data, start, end, found, (start, end))
    return found


def _stores(data: Bytes) -> Iterator[int]:
    """Where the type of a store's first box stands, with that of the box inside it."""
    pattern = re.compile(rb"jumb....jumdc2pa" + re.escape(_SUFFIX), re.DOTALL)
    for offset, window in windows_of(data, overlap=27):
        yield from (offset + match.start() for match in pattern.finditer(window))
