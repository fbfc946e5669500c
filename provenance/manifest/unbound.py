"""Bytes of a manifest store that no hash binds (C2PA §8.4.2.3, §11.1; ISO/IEC 19566-5).

The signature covers the claim, the claim hashes the assertions, these hash data boxes and the manifests of
ingredients, each with its description. What is neither hashed nor fixed by the format is listed: fields of
descriptions, boxes of private types, anything behind the signature.

The hashes are made here over the bytes as they lie in the store. The library hashes what it writes anew from
what it has read, and whatever it does not read goes unnoticed there.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.manifest.cbor import StructureError, decode
from provenance.manifest.contents import as_map, text
from provenance.manifest.cose import Unsigned, signature_block
from provenance.manifest.jumbf import ASSERTIONS, CLAIM, MANIFEST, SIGNATURE, UPDATE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from provenance.manifest.jumbf import Superbox

_HEADER = struct.Struct(">I4s")
_ALGORITHMS = {32: "sha256", 48: "sha384", 64: "sha512"}
"""By length of a digest: §13.1 allows these alone, and a hash is as good whatever its name."""
_REFERRED = ("c2pa.databoxes", "c2pa.credentials")
"""Stores whose boxes the assertions refer to, each with its hash."""


class Unbound(NamedTuple):
    """What of a store can change without anybody noticing.

    Attributes:
        ranges: of the store, in order.
        beside: unsigned parts of the signatures of ingredients that no hash binds as a whole.
        assertions: whether every assertion of the active manifest is, to the byte, what its claim hashes.
    """

    ranges: tuple[tuple[int, int], ...]
    beside: tuple[Unsigned, ...]
    assertions: bool


def unbound(data: bytes, store: Superbox, labels: Collection[str]) -> Unbound:
    """What no hash binds in the store that fills ``data``.

    Args:
        labels: of the manifests that the active one leads to; others are left to the caller.
    """
    walk = _Walk(data, several=len(store.boxes) > 1)
    walk.frame(store)
    active = store.boxes[-1]
    for manifest in reversed(store.boxes):
        if manifest.uuid not in (MANIFEST, UPDATE):
            walk.hashed(manifest, store.label)
        elif manifest is active or manifest.label in labels:
            walk.manifest(manifest, store.label)
        else:
            walk.bound.append((manifest.start, manifest.end))
    held = active.only(ASSERTIONS).boxes
    return Unbound(
        ranges=tuple(_rest(walk.bound, len(data))),
        beside=tuple(walk.beside),
        assertions=all((box.start, box.end) in walk.whole for box in held),
    )


class _Walk:
    """The ranges that are bound, gathered from the active manifest down to the oldest.

    Attributes:
        hashes: hashed URIs that are bound: label of what holds a box, its own label, its digest (§8.4.2).
    """

    def __init__(self, data: bytes, *, several: bool) -> None:
        self.data = data
        self.several = several
        self.bound: list[tuple[int, int]] = []
        self.whole: set[tuple[int, int]] = set()
        self.beside: list[Unsigned] = []
        self.hashes: set[tuple[str, str, bytes]] = set()
        self.first = True

    def frame(self, box: Superbox, *, named: bool = True) -> None:
        """Header and description of a box that is not hashed, which have one way to be written.

        Args:
            named: whether what is signed, or the format, leaves it one label.
        """
        if self.data[box.start : box.inner] == _HEADER.pack(box.end - box.start, b"jumb"):
            self.bound.append((box.start, box.inner))
        plain = box.uuid + b"\x03" + box.label.encode() + b"\0"
        described = _HEADER.pack(len(plain) + 8, b"jumd") + plain
        if named and self.data[box.inner : box.described] == described:
            self.bound.append((box.inner, box.described))

    def manifest(self, box: Superbox, holder: str) -> None:
        """One that a hash binds as a whole, or else part by part."""
        first, self.first = self.first, False
        whole = not first and self.hashed(box, holder)
        try:
            self.parts(box, whole=whole, first=first)
        except StructureError:  # of an ingredient: what was not reached stays unbound
            return

    def parts(self, box: Superbox, *, whole: bool, first: bool) -> None:
        claim, held, signature = (box.only(kind) for kind in (CLAIM, ASSERTIONS, SIGNATURE))
        said = as_map(decode(self.content(claim)))
        self.hashes |= set(_hashes(said, box.label))
        self.frame(box, named=_names(said, box.label))
        version = ".v2" if "created_assertions" in said else ""
        self.frame(claim, named=claim.label == f"c2pa.claim{version}")
        for part in (held, signature):
            self.frame(part)
        stores = [other for other in box.boxes if other.label in _REFERRED]
        for assertion in held.boxes:
            bound = self.hashed(assertion, held.label) or whole
            if bound and (stores or self.several):  # else there is nothing that it could bind
                self.gather(assertion, box.label)
        for referred in stores:
            if sum(self.hashed(one, referred.label) for one in referred.boxes):
                self.frame(referred)
        if not whole:
            if not first:  # the caller has read that of the active manifest
                block = signature_block(self.data, box)
                self.beside += (*block.unsigned, *block.stamps)
            self.content(signature)

    def content(self, box: Superbox) -> bytes:
        """The one content of a claim or a signature, which is bound otherwise than by a hashed URI."""
        if len(box.contents) != 1 or box.boxes or box.contents[0].kind != b"cbor":
            raise StructureError(f"JUMBF: the box {box.label[:60]!r} holds something else")
        content = box.contents[0]
        if content.start == box.described + _HEADER.size:
            self.bound.append((box.described, content.end))
        else:
            self.bound.append((content.start, content.end))
        return self.data[content.start : content.end]

    def hashed(self, box: Superbox, holder: str) -> bool:
        """Whether a hash that is bound itself covers the contents of ``box`` (§8.4.2.3)."""
        raw, found = memoryview(self.data)[box.inner : box.end], False
        sizes = {len(digest) for place, label, digest in self.hashes if (place, label) == (holder, box.label)}
        for algorithm in (_ALGORITHMS[size] for size in sizes):
            digest = hashlib.new(algorithm, raw).digest()
            found = found or (holder, box.label, digest) in self.hashes
        if found:
            self.bound.append((box.inner, box.end))
            self.whole.add((box.start, box.end))
            if self.data[box.start : box.inner] == _HEADER.pack(box.end - box.start, b"jumb"):
                self.bound.append((box.start, box.inner))
        return found

    def gather(self, assertion: Superbox, manifest: str) -> None:
        """The hashes that a bound assertion gives of others."""
        for content in assertion.contents:
            if content.kind == b"cbor":
                said = decode(self.data[content.start : content.end])
                self.hashes |= set(_hashes(said, manifest))


def _names(claim: Mapping[str, Any], label: str) -> bool:
    """Whether a claim says the label of its own manifest; those before version 2 may leave it out."""
    return text(claim.get("signature")).startswith(f"self#jumbf=/c2pa/{label}/")


def _hashes(said: Any, manifest: str) -> Iterator[tuple[str, str, bytes]]:
    """Every hashed URI in a CBOR value; one of a box in the same manifest may say so in short (§8.4.2)."""
    pending = [said]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        for item in as_map(value).values():
            if isinstance(item, dict | list):
                pending.append(item)
        digest, where = as_map(value).get("hash"), text(as_map(value).get("url"))
        if isinstance(digest, bytes) and len(digest) in _ALGORITHMS and where.startswith("self#jumbf="):
            names = where.removeprefix("self#jumbf=").split("/")
            if len(names) == 2 or names[:-2] in (["", "c2pa", manifest], [""]):
                yield names[-2], names[-1], digest


def _rest(bound: list[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """What lies between the bound ranges."""
    reached = 0
    for low, high in sorted(bound):
        if low > reached:
            yield reached, low
        reached = max(reached, high)
    if reached < size:
        yield reached, size
