"""Proofs that a released file or manifest stands in a log: made by whoever has the log, checked by anybody.

The proof carries the entry itself, so a stranger needs the proof, the log's public key and, to tie it to a
file, the file. What an entry says is the word of the log's owner; the proof shows that it was given, in
which place, and that it cannot be taken back unseen by those who witnessed the checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.log.cosignature import cosignatures, merged
from provenance.log.leaves import ALLOW, DecisionLeaf, ManifestLeaf, parse_leaf
from provenance.log.proof import prove_inclusion
from provenance.log.tiles import TILE_WIDTH
from provenance.log.vouchers import by_witnesses, told
from provenance.log.witnessed import Witnessed, note_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guard.log_view import LogView
    from provenance.log.checkpoint import Checkpoint, NoteVerifier
    from provenance.log.cosignature import WitnessVerifier
    from provenance.log.leaves import Leaf
    from provenance.log.proof import InclusionProof
    from provenance.log.vouchers import Voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a proof shows, its signatures and path checked.

    Attributes:
        origin: the log.
        index: the entry's number.
        size: entries under the checkpoint.
        witness: who vouches for it beside the log.
        vouchers: the same one by one.
        says: what the entry says, in words.
        action: allow, review or deny for a decision; None for another entry.
        subject_sha256: the bytes decided on; None where the entry names none.
        manifest_sha256: the manifest; None where the entry names none.
        time: when, as the log's owner claims.
    """

    origin: str
    index: int
    size: int
    witness: str
    vouchers: tuple[Voucher, ...]
    says: str
    action: str | None
    subject_sha256: str | None
    manifest_sha256: str | None
    time: datetime

    def is_of(self, sha256: str) -> bool:
        """Whether bytes with this digest are what the entry allowed, or the manifest that it names."""
        return self.action == ALLOW and sha256 in (self.subject_sha256, self.manifest_sha256)


def prove(view: LogView, sha256: str) -> InclusionProof:
    """The proof for the last decision about bytes, or a manifest, with this digest.

    An ALLOW goes before all others, and a checkpoint that witnesses signed before one that nobody did.

    Raises:
        InputError: ``log.not-logged``.
        IntegrityError: the log is damaged.
    """
    found = sorted(_mentions(view, sha256), key=lambda one: (_weight(one[2]), one[0]))
    if not found:
        raise InputError(
            "log.not-logged",
            f"no entry of this log is about {sha256}",
            hint="a released file is found by its exact bytes: any change, even of metadata, makes another",
        )
    index, entry, _ = found[-1]
    note, head = _best_note(view, index)
    return prove_inclusion(view.tiles, note, head.size, index, entry)


def check(proof: InclusionProof, verifier: NoteVerifier, known: Sequence[WitnessVerifier] = ()) -> Proven:
    """What ``proof`` shows, with nothing but public keys at hand.

    Raises:
        IntegrityError: ``log.not-proven``, ``log.cosignature``, ``log.leaf-malformed``; as
            ``open_checkpoint``.
    """
    head = proof.check(verifier)
    by = cosignatures(proof.note, known)
    vouchers = by_witnesses([Witnessed(checkpoint=head, note=proof.note, by=by)] if by else ())
    leaf = parse_leaf(proof.entry)
    decision = leaf if isinstance(leaf, DecisionLeaf) else None
    return Proven(
        origin=head.origin,
        index=proof.index,
        size=head.size,
        witness=told(vouchers, head.size),
        vouchers=vouchers,
        says=_says(leaf),
        action=None if decision is None else decision.action,
        subject_sha256=None if decision is None else decision.subject_sha256,
        manifest_sha256=leaf.manifest_sha256,
        time=datetime.fromtimestamp(leaf.time, UTC),
    )


def _mentions(view: LogView, sha256: str) -> Iterator[tuple[int, bytes, Leaf]]:
    """Index, bytes and meaning of every entry that names the digest; each is checked against its hash."""
    word = sha256.encode()
    for number in range(-(-view.head.size // TILE_WIDTH)):
        count = min(TILE_WIDTH, view.head.size - number * TILE_WIDTH)
        # Cheap first: parsing every entry of a large log would take ten times as long.
        if word not in view.tiles.read("entries", number):
            continue
        for offset, entry in enumerate(view.tiles.checked_entries(number, count)):
            if word in entry:
                leaf = parse_leaf(entry)
                if sha256 in (leaf.manifest_sha256, getattr(leaf, "subject_sha256", None)):
                    yield number * TILE_WIDTH + offset, entry, leaf


def _weight(leaf: Leaf) -> int:
    if isinstance(leaf, DecisionLeaf):
        return 2 if leaf.action == ALLOW else 1
    return 0


def _best_note(view: LogView, index: int) -> tuple[bytes, Checkpoint]:
    """The largest checkpoint over the entry that witnesses signed, else the log's own."""
    for one in reversed(view.seen()):
        if one.checkpoint.size > index:
            return one.note, one.checkpoint
    cosigned = note_of(view.folder, view.head)
    return (view.note if cosigned is None else merged(view.note, cosigned)), view.head


def _says(leaf: Leaf) -> str:
    if isinstance(leaf, DecisionLeaf):
        subject = leaf.subject_sha256 if leaf.action == ALLOW else "bytes that only the owner can name"
        manifest = "" if leaf.manifest_sha256 is None else f" with the manifest {leaf.manifest_sha256}"
        return f"{leaf.action} for {subject}{manifest}"
    if isinstance(leaf, ManifestLeaf):
        return f"the manifest {leaf.manifest_sha256} was made; that alone releases nothing"
    return f"the manifest {leaf.manifest_sha256} was withdrawn"
