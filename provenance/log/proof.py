"""Proofs that travel as text files and are checked offline against public keys.

Inclusion in the form of C2SP tlog-proof v1 (``.tlog-proof``), consistency in the form of the request that
C2SP tlog-witness defines: so tools of others read both. Each ends in a checkpoint, whose signatures say
who vouches for it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import IntegrityError
from provenance.log.checkpoint import open_checkpoint
from provenance.log.merkle import (
    HASH_BYTES,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from provenance.log.tiles import MAX_ENTRY_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.log.checkpoint import Checkpoint, NoteVerifier
    from provenance.log.tiles import Tiles

HEADER = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_MOST_HASHES = 63
"""A path in a tree of fewer than 2**63 entries (C2SP tlog-witness names the same bound)."""
MAX_PROOF_BYTES = 131_072
"""An entry of the greatest size in base64, 63 hashes and a note of 16,384 bytes fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That an entry stands at a place of the log.

    Attributes:
        index: the entry's number, from 0.
        hashes: PATH(index, D[size]) of RFC 6962 §2.1.1, 32 bytes each, from the leaf's sibling upwards.
        note: the checkpoint over that tree, with its signatures.
        entry: the entry itself, so that nothing else is needed to check and read the proof. It travels as
            the format's extra data and is worth what its hash proves.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    entry: bytes

    def to_bytes(self) -> bytes:
        """The text form."""
        head = (HEADER, f"extra {base64.b64encode(self.entry).decode()}", f"index {self.index}")
        return _joined(head, self.hashes, self.note)

    @classmethod
    def parse(cls, data: bytes) -> InclusionProof:
        """The proof whose text form is ``data``; nothing is checked against a key yet.

        Raises:
            IntegrityError: ``log.proof-malformed``.
        """
        lines, note = _parted(data)
        if len(lines) < 3 or lines[0] != HEADER:
            raise _malformed(f"it does not begin with {HEADER}, the entry and its index")
        entry = _decoded(_behind("extra ", lines[1]))
        if len(entry) > MAX_ENTRY_BYTES:
            raise _malformed("its entry is too long")
        hashes = _hashes(lines[3:])
        return cls(index=_whole(_behind("index ", lines[2])), hashes=hashes, note=note, entry=entry)

    def check(self, verifier: NoteVerifier) -> Checkpoint:
        """The checkpoint that the log's key has signed and that the entry is proven to stand under.

        Raises:
            IntegrityError: ``log.not-proven`` when the path does not lead to the root; as
                ``open_checkpoint``.
        """
        head = open_checkpoint(self.note, verifier)
        if not verify_inclusion(self.index, head.size, leaf_hash(self.entry), self.hashes, head.root):
            what = f"the proof does not lead from this entry to the root over {head.size} entries"
            raise IntegrityError("log.not-proven", what, hint="ask the log's owner for another proof")
        return head


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyProof:
    """That a later tree of a log begins with an earlier one.

    Attributes:
        old_size: entries in the earlier tree.
        hashes: PROOF(old_size, D[size]) of RFC 6962 §2.1.2, 32 bytes each.
        note: the later checkpoint, with its signatures.
    """

    old_size: int
    hashes: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """The text form, which is the request for a witness's cosignature."""
        return _joined((f"old {self.old_size}",), self.hashes, self.note)

    @classmethod
    def parse(cls, data: bytes) -> ConsistencyProof:
        """The proof whose text form is ``data``; nothing is checked against a key yet.

        Raises:
            IntegrityError: ``log.proof-malformed``.
        """
        lines, note = _parted(data)
        old_size = _whole(_behind("old ", lines[0]))
        return cls(old_size=old_size, hashes=_hashes(lines[1:]), note=note)

    def check(self, old: Checkpoint, verifier: NoteVerifier) -> Checkpoint:
        """The later checkpoint, which is proven to extend ``old``.

        Raises:
            IntegrityError: ``log.forked`` when it does not; ``log.truncated`` when it is the smaller one;
                ``log.not-proven`` for a proof from another size; as ``open_checkpoint``.
        """
        head = open_checkpoint(self.note, verifier)
        if self.old_size != old.size:
            what = f"the proof begins at {self.old_size} entries, the checkpoint covers {old.size}"
            raise IntegrityError("log.not-proven", what, hint="ask for a proof from this checkpoint on")
        if head.size < old.size:
            what = f"a checkpoint over {old.size} entries is known, this one covers {head.size}"
            raise IntegrityError("log.truncated", what)
        if not verify_consistency(old.size, head.size, old.root, head.root, self.hashes):
            what = f"nothing proves that the {head.size} entries begin with the {old.size} known from before"
            raise IntegrityError("log.forked", what)
        return head


def prove_inclusion(tiles: Tiles, note: bytes, size: int, index: int, entry: bytes) -> InclusionProof:
    """The proof for ``entry`` at ``index`` under ``note``, a checkpoint over ``size`` entries."""
    hashes = inclusion_proof(index, size, tiles.range_hash)
    return InclusionProof(index=index, hashes=hashes, note=note, entry=entry)


def prove_consistency(tiles: Tiles, note: bytes, size: int, old_size: int) -> ConsistencyProof:
    """The proof that the tree under ``note``, over ``size`` entries, begins with its first ``old_size``."""
    hashes = consistency_proof(old_size, size, tiles.range_hash) if old_size else ()
    return ConsistencyProof(old_size=old_size, hashes=hashes, note=note)


def _joined(head: Sequence[str], hashes: Sequence[bytes], note: bytes) -> bytes:
    lines = (*head, *(base64.b64encode(one).decode() for one in hashes), "", "")
    return "\n".join(lines).encode() + note


def _parted(data: bytes) -> tuple[list[str], bytes]:
    """The lines before the first empty one, and the checkpoint behind it."""
    if len(data) > MAX_PROOF_BYTES:
        raise _malformed("it is too long")
    head, found, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed("it is no text") from error
    if not found:
        raise _malformed("it has no checkpoint")
    return lines, note


def _behind(word: str, line: str) -> str:
    if not line.startswith(word):
        raise _malformed(f"there is no line “{word.strip()}” where it belongs")
    return line.removeprefix(word)


def _whole(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _malformed("a number is not one")
    return int(text)


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > _MOST_HASHES:
        raise _malformed("it has too many hashes")
    hashes = tuple(_decoded(line) for line in lines)
    if any(len(one) != HASH_BYTES for one in hashes):
        raise _malformed("a hash has not 32 bytes")
    return hashes


def _decoded(text: str) -> bytes:
    """Strict base64: one spelling for one value."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed("a line is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise _malformed("a line is oddly spelled")
    return data


def _malformed(why: str) -> IntegrityError:
    return IntegrityError("log.proof-malformed", f"the proof cannot be read: {why}")
