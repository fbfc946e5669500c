"""Whose registry it is, and whether its listing is the one that was signed: before anything else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from provenance.errors import InputError, IntegrityError
from provenance.registry_layout import SUMS, parsed_listing, unreadable

if TYPE_CHECKING:
    from provenance.log.checkpoint import NoteVerifier
    from provenance.registry_snapshot import Snapshot

MOST_FILES = 1_000_000
MOST_SUMS = 256 * 2**20
"""Bytes of a listing of that many files."""
MOST_HEAD = 16_384
"""Bytes of a snapshot or a key."""


def checked_listing(data: bytes, snapshot: Snapshot) -> dict[str, str]:
    """The listing that ``snapshot`` was signed over.

    Raises:
        IntegrityError: ``registry.published-damaged``.
    """
    if hashlib.sha256(data).hexdigest() != snapshot.sums_sha256:
        raise unreadable(SUMS, "it is not the listing that was signed")
    sums = parsed_listing(data, most=MOST_FILES)
    if len(sums) != snapshot.files:
        raise unreadable(SUMS, "it has another number of files than was signed")
    return sums


def require_key(found: NoteVerifier, pinned: NoteVerifier | None, where: str) -> None:
    """The publisher's key never changes by itself.

    Raises:
        IntegrityError: ``registry.key-changed``.
    """
    if pinned is not None and found != pinned:
        what = f"it is signed with key {fingerprint_of(found)}, and was with key {fingerprint_of(pinned)}"
        hint = "ask the publisher; then guard registry remove NAME and add it again"
        raise IntegrityError("registry.key-changed", what, where=where, hint=hint)


def fingerprint_of(key: NoteVerifier) -> str:
    """What people compare: the first 16 bytes of SHA-256 over the key's text form, in groups."""
    digits = hashlib.sha256(str(key).encode()).hexdigest()[:32]
    return ":".join(digits[at : at + 4] for at in range(0, 32, 4))


def not_published(where: str) -> InputError:
    """There is no registry in a folder or behind an address."""
    return InputError(
        "registry.not-published",
        "there is no published registry here: it has no snapshot",
        where=where,
        hint="name the folder that guard registry publish wrote, or a copy of it",
    )
