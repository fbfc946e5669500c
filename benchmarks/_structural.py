"""Changes of a manifest store that keep its length: padding is taken away, and bytes put somewhere else.

What is flipped or cut is noticed by lengths and hashes. These changes leave all of them right: whoever has no
key can make them, and what he puts there must be noticed or listed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.manifest.cbor import Decoder, byte_string

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

_SUFFIX = bytes.fromhex("00110010800000aa00389b71")
_SIGNATURE = b"c2cs" + _SUFFIX
_MANIFESTS = (b"c2ma", b"c2um")
_TYPES = (*(kind + _SUFFIX for kind in (b"c2cm", b"c2vc", b"c2db", b"json", b"cbor")), bytes(16))
_CONTENTS = (b"free", b"json", b"cbor", b"uuid", b"evil")
_HEADERS = (
    *(bytes([0x60 | len(name)]) + name for name in (b"hello", b"rVals", b"sigTst", b"sigTst2", b"x5chain")),
    b"\x71temp_signing_time",
    b"\x18\x21",
    b"\x64pad3",
)
_PAD = b"\x63pad"
WAYS = ("field", "content", "box", "header", "chunks", "long")
"""Boxes are ``[kind, content]`` here; the content of a superbox is the list of its boxes."""


class Moved(NamedTuple):
    """A store of the same length, and where something else stands in it now: ``[start, end)``."""

    store: bytes
    start: int
    end: int
    way: str


def moved(rng: random.Random, store: bytes, way: str) -> Moved | None:
    """``store`` with padding of it put elsewhere; None where there is not enough, or of another size."""
    tree = _parse(store)
    supers = list(_supers(tree))
    mark = rng.randbytes(rng.choice((4, 32, 240)) if way == "field" else rng.randrange(16, 240))
    if way == "chunks":
        return _chunks(rng, store, tree)
    if way == "long":
        return _long(rng, store, tree)
    if way == "field":
        _field(rng, rng.choice(supers)[1][0], mark)
    elif way == "header":
        signatures = [box for box in supers if box[1][0][1][:16] == _SIGNATURE]
        _header(rng, rng.choice(signatures)[1][1], mark)
    else:
        _child(rng, rng.choice(supers)[1], mark, whole=way == "box")
    if not _shrunk(tree, len(_written(tree)) - len(store)):
        return None
    out = _written(tree)
    at = out.index(mark)
    return Moved(out, at, at + len(mark), way)


def _field(rng: random.Random, description: list[Any], mark: bytes) -> None:
    """An id, a digest or a private box behind the label (ISO/IEC 19566-5 §A.3)."""
    raw = description[1]
    toggles = raw[16]
    if len(mark) in (4, 32) and not toggles & 0x1C:
        description[1] = raw[:16] + bytes([toggles | (4 if len(mark) == 4 else 8)]) + raw[17:] + mark
        return
    kind = rng.choice((b"c2sh", b"evil"))
    description[1] = raw[:16] + bytes([toggles | 0x10]) + raw[17:] + _box(kind, mark)


def _child(rng: random.Random, boxes: list[Any], mark: bytes, *, whole: bool) -> None:
    node: list[Any] = [rng.choice(_CONTENTS), mark]
    if whole:
        label = rng.choice((b"evil", b"c2pa.signature", b"c2pa.databoxes", b"c2pa.credentials"))
        node = [b"jumb", [[b"jumd", rng.choice(_TYPES) + b"\x03" + label + b"\0"], node]]
    boxes.insert(rng.randrange(1, len(boxes) + 1), node)


def _header(rng: random.Random, content: list[Any], mark: bytes) -> None:
    raw = content[1]
    start, first, count = _unprotected(raw)
    name = rng.choice(_HEADERS)
    content[1] = raw[:start] + bytes([0xA0 | (count + 1)]) + name + byte_string(mark) + raw[first:]


def _chunks(rng: random.Random, store: bytes, tree: list[Any]) -> Moved | None:
    """Padding in pieces, whose heads say something."""
    content = _active(tree)
    start, end = _padding(content[1])
    heads = b"".join(rng.choice((b"\x40", b"\x58\x00", b"\x59\0\0")) for _ in range(40))
    room = end - start - len(_PAD) - 2 - len(heads) - 3
    if room < 256:
        return None
    pieces = b"\x5f" + heads + byte_string(bytes(room)) + b"\xff"
    content[1] = content[1][:start] + _PAD + pieces + content[1][end:]
    out = _written(tree)
    at = out.index(heads)
    return Moved(out, at, at + len(heads), "chunks") if len(out) == len(store) else None


def _long(rng: random.Random, store: bytes, tree: list[Any]) -> Moved | None:
    """A box whose length is written in eight bytes more than it takes, found again by what it holds."""
    box = rng.choice(list(_boxes(tree)))
    box.append("long")
    if not _shrunk(tree, 8):
        return None
    out = _written(tree)
    body = _written(box[1]) if isinstance(box[1], list) else box[1]
    at = out.index(struct.pack(">I4sQ", 1, box[0], len(body) + 16) + body[:64])
    return Moved(out, at, at + 16, "long") if len(out) == len(store) else None


def _shrunk(tree: list[Any], by: int) -> bool:
    """Takes ``by`` bytes of the active signature's padding; False where that cannot be."""
    content = _active(tree)
    raw = content[1]
    start, end = _padding(raw)
    room = end - start - len(_PAD) - by
    for head in (1, 2, 3):
        if room >= head and len(padding := byte_string(bytes(room - head))) == room:
            content[1] = raw[:start] + _PAD + padding + raw[end:]
            return True
    return False


def _padding(raw: bytes) -> tuple[int, int]:
    _, first, count = _unprotected(raw)
    reader = Decoder(raw, first)
    for _ in range(count):
        start = reader.position
        key, _ = reader.item(), reader.item()
        if key == "pad":
            return start, reader.position
    return 0, 0


def _unprotected(raw: bytes) -> tuple[int, int, int]:
    """Where the unsigned headers begin, where the first of them does, and how many there are."""
    reader = Decoder(raw, 2)
    reader.item()
    start = reader.position
    _, _, count = reader.head()
    return start, reader.position, count or 0


def _active(tree: list[Any]) -> list[Any]:
    """The content of the last manifest's signature."""
    manifests = (box for box in tree[0][1] if isinstance(box[1], list) and box[1][0][1][:4] in _MANIFESTS)
    parts = (box for manifest in manifests for box in manifest[1] if isinstance(box[1], list))
    *_, signature = (box for box in parts if box[1][0][1][:16] == _SIGNATURE)
    found: list[Any] = next(node for node in signature[1] if node[1][:2] == b"\xd2\x84")
    return found


def _parse(raw: bytes) -> list[Any]:
    out, at = [], 0
    while at < len(raw):
        length, kind = struct.unpack_from(">I4s", raw, at)
        body = raw[at + 8 : at + length]
        out.append([kind, _parse(body) if kind == b"jumb" else body])
        at += length
    return out


def _boxes(tree: list[Any]) -> Iterator[list[Any]]:
    for node in tree:
        yield node
        if isinstance(node[1], list):
            yield from _boxes(node[1])


def _supers(tree: list[Any]) -> Iterator[list[Any]]:
    return (node for node in _boxes(tree) if isinstance(node[1], list))


def _written(tree: list[Any]) -> bytes:
    return b"".join(
        _box(node[0], _written(node[1]) if isinstance(node[1], list) else node[1], large=len(node) > 2)
        for node in tree
    )


def _box(kind: bytes, body: bytes, *, large: bool = False) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body
