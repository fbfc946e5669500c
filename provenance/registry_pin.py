"""Which state of a publisher's registry may follow which: never an older one, and never another key's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from provenance.errors import IntegrityError
from provenance.log.checkpoint import NoteVerifier
from provenance.registry_head import require_key

if TYPE_CHECKING:
    from provenance.registry_kept import Kept
    from provenance.registry_snapshot import Snapshot


def is_newer(note: bytes, snapshot: Snapshot, key: NoteVerifier, before: Kept) -> bool:
    """Whether this is a later state than the one that is kept; False when it is the same.

    Raises:
        IntegrityError: ``registry.key-changed``, ``registry.rolled-back``.
    """
    require_key(key, NoteVerifier.parse(before.publisher), before.source)
    if hashlib.sha256(note).hexdigest() == before.snapshot_sha256:
        return False
    require_not_older(note, snapshot, key, before)
    return True


def require_not_older(note: bytes, snapshot: Snapshot, key: NoteVerifier, kept: Kept) -> None:
    """One key has one newest state, under whatever names its copies are kept here.

    Raises:
        IntegrityError: ``registry.rolled-back``.
    """
    if key != NoteVerifier.parse(kept.publisher) or hashlib.sha256(note).hexdigest() == kept.snapshot_sha256:
        return
    if snapshot.sequence <= kept.sequence:
        older = "an older state" if snapshot.sequence < kept.sequence else "another state of the same number"
        raise IntegrityError(
            "registry.rolled-back",
            f"it shows {older} than the copy kept here as {kept.name}"
            f" ({snapshot.sequence} against {kept.sequence})",
            where=kept.source,
            hint="the copy here is kept; ask the publisher, or another mirror",
        )
