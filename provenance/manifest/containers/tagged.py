"""Manifest stores in TIFF and GIF files (C2PA specification §A.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.manifest.containers.embedded import Embedded, Piece, several, whole
from provenance.metadata import gif, tiff

if TYPE_CHECKING:
    from provenance.stored import Bytes


def in_tiff(content: Bytes) -> Embedded | None:
    """Tag 52545 (§A.3.3)."""
    found, data = None, bytes(content)
    for entries in tiff.directories(data):
        for entry in entries:
            if entry.tag == tiff.C2PA:
                # Count and offset of the entry change with the manifest and stay out of the hash.
                header = entry.position + 4, entry.position + 12
                found = whole(data, entry.start, entry.end, found, header, (entry.start, entry.end))
    return found


def in_gif(content: Bytes) -> Embedded | None:
    """Application extension ``C2PA_GIF``, the store in sub-blocks of up to 255 bytes (§A.3.4)."""
    found, data = None, bytes(content)
    for name, start, end, ranges in gif.applications(data):
        if not name.startswith(b"C2PA_GIF"):
            continue
        if found is not None:
            raise several()
        store, pieces = bytearray(), []
        for low, high in ranges:
            pieces.append(Piece(file=low, store=len(store), length=high - low))
            store += data[low:high]
        found = Embedded(store=bytes(store), pieces=tuple(pieces), spans=((start, end),))
    return found
