"""What the registry holds (``provenance.registry``): manifests that marks lead to, and their releases."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from provenance.registry_withdrawn import Withdrawal

State: TypeAlias = Literal["pending", "released"]
CONTENT_ID_BYTES = 8
UNMARKED = ""
"""The algorithm of an entry whose file carries no mark: no look-up by id leads to it."""
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry:
    """One manifest that a mark can lead to.

    Attributes:
        algorithm: the mark's algorithm, as written in the manifest's soft binding; ``UNMARKED`` where there
            is none.
        key_id: the locator key's id.
        epoch: the locator key's epoch.
        content_id: the 8 bytes in the mark.
        manifest: the signed manifest store, exactly as embedded.
        manifest_sha256: hex digest of ``manifest``.
        asset_sha256: hex digest of the whole released file.
        mime: type of that file.
        created_at: seconds since 1970, claimed by the writer.
        state: ``"pending"`` until the release is complete.
        log_index: where in the log its ALLOW is; None while pending.
        publisher: name of the added registry that it comes from; None: this installation's own.
        withdrawn: that it was recalled, and why.
        withdrawn_by: name of the added registry that says so; None: this installation.
    """

    algorithm: str
    key_id: str
    epoch: int
    content_id: bytes
    manifest: bytes
    manifest_sha256: str
    asset_sha256: str
    mime: str
    created_at: int
    state: State = "pending"
    log_index: int | None = None
    publisher: str | None = None
    withdrawn: Withdrawal | None = None
    withdrawn_by: str | None = None

    def __post_init__(self) -> None:
        if len(self.content_id) != CONTENT_ID_BYTES:
            raise ValueError(f"a content id has {CONTENT_ID_BYTES} bytes")
        if hashlib.sha256(self.manifest).hexdigest() != self.manifest_sha256:
            raise ValueError("manifest_sha256 is not the digest of manifest")
        if not _HEX_SHA256.fullmatch(self.asset_sha256):
            raise ValueError("asset_sha256 is not the lower-case hex of 32 bytes")
        if (self.state == "released") != (self.log_index is not None):
            raise ValueError("released entries have a log index, pending ones have none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Where the log has to hold the ALLOW for which file, and which key finds its mark.

    Attributes:
        manifest_sha256: hex digest of the manifest.
        asset_sha256: hex digest of the released file.
        log_index: place in the log.
        key_id: the locator key's id.
        epoch: the locator key's epoch.
    """

    manifest_sha256: str
    asset_sha256: str
    log_index: int
    key_id: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A released entry without its manifest.

    Attributes: as ``RegistryEntry``.
    """

    algorithm: str
    key_id: str
    epoch: int
    content_id: bytes
    manifest_sha256: str
    asset_sha256: str
    log_index: int


MOST_UNDER_ONE_ID = 16
"""Manifests of one registry that are looked at for one id; each costs a signature and a comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look-up gave.

    Attributes:
        entries: candidates, those of this installation first, at most ``MOST_UNDER_ONE_ID`` of a registry.
        notes: what was not looked at, and what was wrong with a registry, one sentence each.
    """

    entries: tuple[RegistryEntry, ...] = ()
    notes: tuple[str, ...] = ()


class Lookup(Protocol):
    """Where ids are looked up: one registry, or several merged."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What cannot be looked into, one sentence each."""
        ...

    def look_up(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> Found:
        """Manifests registered for the id in a mark; the digest decides which it is."""
        ...

    def clips(self, most: int) -> tuple[RegistryEntry, ...]:
        """The latest ``most`` released clips."""
        ...


def found_of(entries: tuple[RegistryEntry, ...], whose: str) -> Found:
    """``entries`` of one registry, cut where somebody filled it."""
    if len(entries) <= MOST_UNDER_ONE_ID:
        return Found(entries=entries)
    note = f"{whose} has {len(entries)} manifests under this id, of which {MOST_UNDER_ONE_ID} were looked at"
    return Found(entries=entries[:MOST_UNDER_ONE_ID], notes=(note,))
