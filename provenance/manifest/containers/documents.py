"""Manifest stores in SVG drawings and PDF documents (§A.3.5, §A.4)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from provenance.manifest.cbor import StructureError
from provenance.manifest.containers.embedded import Embedded, Piece, several, whole
from provenance.manifest.containers.traces import store_starts
from provenance.metadata import svg

if TYPE_CHECKING:
    from provenance.stored import Bytes

_BEFORE = re.compile(rb"/Length (\d{1,12})[^<>]*>>[\s\0]*stream\r?\n\Z")
_AFTER = re.compile(rb"\s{0,2}endstream\b")
_NEAR = 256
"""Bytes before a stream in which its dictionary ends: of a manifest it says little more than its length."""


def in_svg(content: Bytes) -> Embedded | None:
    """Element ``c2pa:manifest`` in ``metadata``, in Base64.

    Only the one way of writing a store is taken: with spaces, line ends or another padding the same bytes
    would have several forms, and the binding leaves all of that text out.
    """
    data, found = bytes(content), None
    for start, end in svg.manifest_texts(data):
        if found is not None:
            raise several()
        written = data[start:end]
        try:
            store = base64.b64decode(written, validate=True)
        except binascii.Error as error:
            raise StructureError("the manifest in the drawing is not Base64") from error
        if not store or base64.b64encode(store) != written:
            raise StructureError("the manifest in the drawing is not written in the one way of Base64")
        piece = Piece(file=start, store=0, length=end - start)
        found = Embedded(store=store, pieces=(piece,), spans=((start, end),), base64=True)
    return found


def in_pdf(content: Bytes) -> Embedded | None:
    """An uncompressed stream that holds a store and nothing else, found by the store's first boxes.

    A document that was changed by appending may hold an older manifest as well; which one counts then
    depends on the reader, so such a file is refused. Pictures inside a document keep their own manifests.
    """
    data, found = bytes(content), None
    for start in store_starts(data):
        before = _BEFORE.search(data[max(0, start - _NEAR) : max(0, start)])
        if before is None:
            continue
        end = start + int(before[1])
        if end > len(data) or not _AFTER.match(data[end : end + 16]):
            raise StructureError("the stream of the manifest is longer or shorter than it says")
        found = whole(data, start, end, found, (start, end))
    return found
