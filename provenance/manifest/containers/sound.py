"""Manifest stores in MP3 and FLAC files: an object in the ID3 tag before the sound (§A.3.7, §A.3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.manifest.cbor import StructureError
from provenance.manifest.containers.embedded import Embedded, whole
from provenance.metadata import id3

if TYPE_CHECKING:
    from provenance.stored import Bytes

_TYPES = (b"application/c2pa", b"application/x-c2pa-manifest-store")
"""Media types of the object; the second is that of files signed before specification 2.1."""


def in_id3(data: Bytes) -> Embedded | None:
    """Frame ``GEOB`` (ID3v2.3 §4.16: encoding, media type, file name, description, object)."""
    found = None
    for frame in id3.frames(data):
        if frame.kind != b"GEOB":
            continue
        mime, start = _object(data[frame.data : min(frame.end, frame.data + 1024)])
        if mime not in _TYPES:
            continue
        if frame.flags:
            raise StructureError("the ID3 frame of the manifest is compressed, encrypted or grouped")
        found = whole(data, frame.data + start, frame.end, found, (frame.start, frame.end))
    return found


def _object(head: bytes) -> tuple[bytes, int]:
    """Media type of an object and where it begins in its frame."""
    # UTF-16 strings end in two zero bytes at an even distance (ID3v2.3 §3.3).
    step = 2 if head[:1] in (b"\1", b"\2") else 1
    mime, _, rest = head[1:].partition(b"\0")
    position = len(head) - len(rest)
    for _ in range(2):
        end = position
        while head[end : end + step] not in (bytes(step), b"", b"\0"):
            end += step
        position = end + step
    return mime, position
