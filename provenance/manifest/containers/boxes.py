"""Manifest stores in RIFF files (WebP, WAV) and ISO base media (MP4, MOV, M4A, AVIF, HEIC)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.manifest.cbor import StructureError
from provenance.manifest.containers.embedded import Embedded, OpenRange, whole
from provenance.metadata import bmff, riff

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.stored import Bytes

_HEAD = 32
"""Bytes of a box by which a hard binding may choose it: length, type and the type of a ``uuid`` box."""
_EMPTY = {b"ftyp", b"free", b"skip", b"wide"}
"""Boxes without content of their own."""


def in_riff(data: Bytes) -> Embedded | None:
    """Chunk ``C2PA`` (§A.3.6)."""
    found = None
    for chunk in riff.chunks(data):
        if chunk.kind == b"C2PA":
            found = whole(data, chunk.data, chunk.end, found, (chunk.start, chunk.end))
    return found


def _require_media(kinds: Iterable[bytes]) -> None:
    """A manifest stands near the beginning: what was cut off there must not read as a file without one.

    Raises:
        InputError: ``media.damaged``.
    """
    if not set(kinds) - _EMPTY:
        raise InputError("media.damaged", "the file breaks off before any picture or sound")


def heads(data: Bytes) -> Iterator[tuple[bmff.Box, bytes]]:
    """Every top-level box with the first bytes of it; raises as ``bmff.boxes``."""
    return ((box, data[box.start : box.start + _HEAD]) for box in bmff.boxes(data))


def in_bmff(data: Bytes) -> Embedded | None:
    """Top-level ``uuid`` box with purpose ``manifest`` (§A.5)."""
    found, free, kinds = None, [], tuple(heads(data))
    for box, _ in kinds:
        start, end = box.data, box.end
        if box.kind == b"uuid" and data[start : start + 16] == bmff.C2PA:
            purpose, ended, rest = data[start + 20 : min(end, start + 64)].partition(b"\0")
            if purpose == b"manifest" and ended:
                at = start + 20 + len(purpose) + 1
                if any(data[start + 16 : start + 20]) or len(rest) < 8:
                    raise StructureError("the box of the manifest has an unknown version or is cut off")
                if any(rest[:8]):
                    free.append(OpenRange(at, at + 8, "where Merkle boxes are said to be"))
                found = whole(data, at + 8, end, found, (box.start, end))
    if found is None:
        _require_media(box.kind for box, _ in kinds)
        return None
    # A store is followed by padding inside its box; its own length says where it ends.
    (used,) = struct.unpack_from(">I", found.store) if len(found.store) >= 4 else (0,)
    start = found.pieces[0].file
    trimmed = whole(data, start, min(start + used, found.spans[0][1]), None, found.spans[0])
    if start + used < found.spans[0][1]:
        free.append(OpenRange(start + used, found.spans[0][1], "padding behind the manifest"))
    return Embedded(
        store=trimmed.store,
        pieces=trimmed.pieces,
        spans=trimmed.spans,
        open=tuple(free),
        boxes=kinds,
    )
