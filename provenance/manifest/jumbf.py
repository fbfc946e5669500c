"""JUMBF boxes of a manifest store, parsed strictly (ISO/IEC 19566-5; C2PA spec §11.1).

The library behind the adapter accepts wrong box lengths and labels as long as hashes fit. Here lengths,
types and labels have to be right. What the format leaves open besides (fields behind a label, boxes of other
types) is read over, as it demands; which bytes of it no hash binds is told by ``unbound``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from provenance.manifest.cbor import StructureError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIX = bytes.fromhex("00110010800000aa00389b71")
STORE, MANIFEST, UPDATE, COMPRESSED = (kind + _SUFFIX for kind in (b"c2pa", b"c2ma", b"c2um", b"c2cm"))
ASSERTIONS, CLAIM, SIGNATURE = (kind + _SUFFIX for kind in (b"c2as", b"c2cl", b"c2cs"))
_HEADER, _LONG = struct.Struct(">I4s"), struct.Struct(">Q")
_MAX_DEPTH = 8
_MAX_BOXES = 20_000
"""Boxes in one store; the longest public history has a few hundred."""
_LABELS = {
    STORE: {"c2pa"},
    ASSERTIONS: {"c2pa.assertions"},
    CLAIM: {"c2pa.claim", "c2pa.claim.v2"},
    SIGNATURE: {"c2pa.signature"},
}


class Content(NamedTuple):
    """A box that holds data; ``start`` and ``end`` bound the data within the store.

    Boxes are tuples, which are made four times as fast as frozen dataclasses: every file has dozens.
    """

    kind: bytes
    start: int
    end: int


class Superbox(NamedTuple):
    """A box of boxes with its description.

    The description is at ``[inner, described)``; a hashed URI hashes ``[inner, end)`` (C2PA §8.4.2.3).
    """

    uuid: bytes
    label: str
    start: int
    inner: int
    described: int
    end: int
    boxes: tuple[Superbox, ...]
    contents: tuple[Content, ...]

    def only(self, uuid: bytes) -> Superbox:
        """The one child of this type.

        Raises:
            StructureError: none or several.
        """
        found = [box for box in self.boxes if box.uuid == uuid]
        if len(found) != 1:
            raise StructureError(f"JUMBF: {len(found)} boxes of type {uuid[:4]!r} where one belongs")
        return found[0]

    def walk(self) -> Iterator[Superbox]:
        """This box and all superboxes below it."""
        yield self
        for box in self.boxes:
            yield from box.walk()


def parse_store(data: bytes) -> Superbox:
    """The manifest store that fills ``data``; its last child is the active manifest (§11.1.4).

    Raises:
        StructureError: anything that is not a complete store.
    """
    parser = _Parser(data)
    kind, start, end = parser.header(0, len(data))
    if kind != b"jumb" or end != len(data):
        raise StructureError("JUMBF: the store does not fill its container")
    store = parser.superbox(0, start, end, 0)
    if store.uuid != STORE or not store.boxes:
        raise StructureError("JUMBF: not a manifest store")
    for manifest in store.boxes:
        if manifest.uuid in (MANIFEST, UPDATE):
            for part in (ASSERTIONS, SIGNATURE):
                manifest.only(part)
            claim = manifest.only(CLAIM)
            if [content.kind for content in claim.contents] != [b"cbor"] or claim.boxes:
                raise StructureError("JUMBF: the claim box holds something else than one claim")
    return store


class _Parser:
    __slots__ = ("data", "left")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = _MAX_BOXES

    def header(self, position: int, limit: int) -> tuple[bytes, int, int]:
        """Type, start of the content and end of the box at ``position`` (§A.2: LBox, TBox, XLBox)."""
        start = position + 8
        if start > limit:
            raise StructureError("JUMBF: a box header is cut off")
        length, kind = _HEADER.unpack_from(self.data, position)
        if length == 1:
            start = position + 16
            if start > limit:
                raise StructureError("JUMBF: a box header is cut off")
            (length,) = _LONG.unpack_from(self.data, position + 8)
        end = position + length
        if end < start or end > limit:
            raise StructureError("JUMBF: a box is longer than what holds it")
        return kind, start, end

    def superbox(self, begin: int, start: int, end: int, depth: int) -> Superbox:
        self.left -= 1
        if depth > _MAX_DEPTH or self.left < 0:
            raise StructureError("JUMBF: too many boxes or too deep")
        header = self.header
        kind, inner, described = header(start, end)
        if kind != b"jumd":
            raise StructureError("JUMBF: a superbox without a description")
        uuid, label = self.description(inner, described)
        position = described
        boxes: list[Superbox] = []
        contents: list[Content] = []
        while position < end:
            kind, inner, after = header(position, end)
            if kind == b"jumb":
                boxes.append(self.superbox(position, inner, after, depth + 1))
            else:
                contents.append(Content(kind, inner, after))
            position = after
        if uuid in _LABELS and label not in _LABELS[uuid]:
            raise StructureError(f"JUMBF: a box of type {uuid[:4]!r} has the wrong label")
        if len(boxes) > 1 and len({box.label for box in boxes}) != len(boxes):
            raise StructureError("JUMBF: two boxes with one label")
        return Superbox(uuid, label, begin, start, described, end, tuple(boxes), tuple(contents))

    def description(self, start: int, end: int) -> tuple[bytes, str]:
        """Type and label of a description box; C2PA boxes are requestable and labelled (§11.1.4)."""
        data = self.data
        toggles = data[start + 16] if end - start >= 18 else 0
        if toggles & 0xE3 != 0x03:
            raise StructureError("JUMBF: a description without a label, or with unknown fields")
        stop = data.find(b"\0", start + 17, end)
        if stop < 0:
            raise StructureError("JUMBF: a label without an end")
        # An id of 4 bytes, a digest of 32 and a private box (C2PA: a salt) may follow (19566-5 §A.3).
        after = stop + 1
        if toggles != 0x03:
            after += 4 * bool(toggles & 0x04) + 32 * bool(toggles & 0x08)
            after = self.header(after, end)[2] if toggles & 0x10 else after
        if after != end:
            raise StructureError("JUMBF: a description is longer or shorter than its fields")
        try:
            return data[start : start + 16], data[start + 17 : stop].decode("utf-8")
        except UnicodeDecodeError as error:
            raise StructureError("JUMBF: a label is not UTF-8") from error
