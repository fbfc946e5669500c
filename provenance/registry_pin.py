"""Which state of a publisher's registry may follow which: never an older one, and never another key's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import IntegrityError
from provenance.log.checkpoint import NoteVerifier
from provenance.registry_head import MOST_HEAD, fingerprint_of, require_key
from provenance.registry_layout import SNAPSHOT, VKEY
from provenance.registry_snapshot import open_snapshot, parse_vkey

if TYPE_CHECKING:
    from provenance.registry_snapshot import Snapshot
    from provenance.registry_source import Source
    from provenance.registry_state import Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The head of a registry as its source shows it, the signature checked.

    Attributes:
        source: which.
        note: the signed head.
        publisher: the key that comes with it and has signed it.
        snapshot: what it says.
    """

    source: Source
    note: bytes
    publisher: NoteVerifier
    snapshot: Snapshot

    @classmethod
    def of(cls, source: Source, expected: str | None = None) -> Offer:
        """That of ``source``.

        Args:
            source: read from there.
            expected: fingerprint of the key that the publisher says elsewhere; None: any, for pinning.

        Raises:
            InputError: ``registry.not-published``.
            IntegrityError: ``registry.key-changed`` for another key than the expected one,
                ``registry.published-…``.
        """
        note, key = source.read(SNAPSHOT, MOST_HEAD), parse_vkey(source.read(VKEY, MOST_HEAD))
        if expected is not None and _digits(expected) != _digits(fingerprint_of(key)):
            what = f"it is signed with key {fingerprint_of(key)}, and not with the key that was asked for"
            hint = "compare the fingerprint with what the publisher says elsewhere"
            raise IntegrityError("registry.key-changed", what, where=source.where, hint=hint)
        return cls(source=source, note=note, publisher=key, snapshot=open_snapshot(note, key))

    @property
    def sha256(self) -> str:
        """Digest of the signed head."""
        return hashlib.sha256(self.note).hexdigest()


def is_newer(offer: Offer, before: Pin, name: str) -> bool:
    """Whether this is a later state than the one that is kept as ``name``; False when it is the same.

    Raises:
        IntegrityError: ``registry.key-changed``, ``registry.rolled-back``.
    """
    require_key(offer.publisher, NoteVerifier.parse(before.publisher), before.source)
    if offer.sha256 == before.snapshot_sha256:
        return False
    require_not_older(offer, before, name)
    return True


def require_not_older(offer: Offer, kept: Pin, name: str) -> None:
    """One key has one newest state, under whatever names its copies are kept here, or it calls its log.

    Raises:
        IntegrityError: ``registry.rolled-back``.
    """
    if not is_of_key(kept, offer.publisher) or offer.sha256 == kept.snapshot_sha256:
        return
    if offer.snapshot.sequence <= kept.sequence:
        older = offer.snapshot.sequence < kept.sequence
        which = "an older state" if older else "another state of the same number"
        raise IntegrityError(
            "registry.rolled-back",
            f"it shows {which} than the copy kept here as {name}"
            f" ({offer.snapshot.sequence} against {kept.sequence})",
            where=kept.source,
            hint="the copy here is kept; ask the publisher, or another mirror, with the key that is pinned: "
            f"guard registry add URL|DIR --name {name}",
        )


def is_of_key(kept: Pin, publisher: NoteVerifier) -> bool:
    """Whether both are signed with one key, whatever name it bears."""
    return NoteVerifier.parse(kept.publisher).public_key == publisher.public_key


def _digits(fingerprint: str) -> str:
    return fingerprint.replace(":", "").strip().lower()
