"""The full check of a registry before its copy is kept.

    1. every file is what its publisher signed, and nothing else lies there
    2. the log gives the root that its checkpoint and the snapshot sign, and extends what was known of it
    3. every manifest holds by itself: its signature, its digest, and the log allowed it
    4. every id leads to a manifest that names this very mark, under a key that comes with it; every
       fingerprint is that of the signed digest; every file is one that the log allowed with its manifest;
       each of these rows has its fields, and stands in the file that look-ups open for it
    5. what was withdrawn is what the log says, neither more nor less, with the reasons that are shown

What fails in 1, 2 or 5 refuses the registry: it is not what its publisher made, or contradicts itself. A key
for finding marks that is none does too. An entry that fails in 3 or 4 is counted and told; look-ups judge it
again and never believe it.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.errors import Error, IntegrityError
from provenance.log.audit import audit
from provenance.log.leaves import ALLOW, DecisionLeaf, WithdrawalLeaf, parse_leaf
from provenance.log.published import Published
from provenance.log.tiles import TILE_WIDTH
from provenance.registry_fingerprints import ALGORITHM as FINGERPRINT
from provenance.registry_fingerprints import fingerprint_of_digest
from provenance.registry_layout import (
    BY_BINDING,
    BY_CONTENT,
    BY_REFERENCE,
    LOG,
    SNAPSHOT,
    SUMS,
    WITHDRAWN,
    manifest_ids,
    unreadable,
)
from provenance.registry_staging import file_digest
from provenance.registry_withdrawn import unlisted, unlogged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from provenance.log.leaves import Leaf
    from provenance.manifest.reading import ManifestReading
    from provenance.manifest.trust import TrustLists
    from provenance.registry_published import PublishedRegistry
    from provenance.registry_rows import Row

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a full check found.

    Attributes:
        manifests: how many there are.
        ids: how many ids lead to them.
        without_digest: manifests that sign no content digest: they never lead to RECOVERED.
        withdrawn: manifests that were recalled.
        unpublished: releases of the log that are not in the registry.
        refused: entries that do not hold.
        why: the first of these, in words.
    """

    manifests: int
    ids: int
    without_digest: int
    withdrawn: int
    unpublished: int
    refused: int
    why: tuple[str, ...]


def check(
    registry: PublishedRegistry,
    *,
    trust: TrustLists,
    at: datetime,
    known: tuple[bytes, ...] = (),
    tick: Callable[[], None] = lambda: None,
) -> Checked:
    """Check all of ``registry``; numbered as in the module's text.

    Args:
        registry: opened, so its head was checked.
        trust: lists that signers are held against; an unknown signer is no fault of a registry.
        at: time for which certificates are judged.
        known: checkpoints of the log that were seen before.
        tick: called now and then; may raise to end the check.

    Raises:
        IntegrityError: ``registry.published-damaged``, ``registry.log-contradicts``, ``log.…``.
    """
    _require_files(registry, tick)  # (1)
    allowed = _allowed(registry, known)  # (2)
    look = _Look(registry=registry, allowed=allowed, trust=trust, at=at)
    ids = manifest_ids(registry.sums)
    for manifest_sha256 in ids:
        tick()
        look.manifest(manifest_sha256)  # (3)
    bound = look.bindings()  # (4)
    look.fingerprints()
    look.references()
    withdrawn = _require_logged(registry, allowed)  # (5)
    return Checked(
        manifests=len(ids),
        ids=bound,
        without_digest=look.without_digest,
        withdrawn=withdrawn,
        unpublished=len(_released(allowed) - set(ids)),
        refused=look.refused.total(),
        why=tuple(f"{why} ({count})" for why, count in look.refused.most_common(_MOST_TOLD)),
    )


def _released(leaves: dict[int, Leaf]) -> set[str | None]:
    """Manifests that the log allowed."""
    return {
        leaf.manifest_sha256
        for leaf in leaves.values()
        if isinstance(leaf, DecisionLeaf) and leaf.action == ALLOW
    }


def _require_logged(registry: PublishedRegistry, leaves: dict[int, Leaf]) -> int:
    """How many withdrawals there are: those of the log, all of them and no others."""
    listed = registry.withdrawals()
    logged = {index: leaf for index, leaf in leaves.items() if isinstance(leaf, WithdrawalLeaf)}
    if unlogged(listed, logged):
        raise unreadable(WITHDRAWN, "a withdrawal is not what the log says")
    if unlisted(listed, logged):
        raise unreadable(WITHDRAWN, "its log holds a withdrawal that it leaves out")
    return len(listed)


def _require_files(registry: PublishedRegistry, tick: Callable[[], None]) -> None:
    for path, digest in registry.sums.items():
        tick()
        if file_digest(registry.folder / path) != digest:
            raise unreadable(path, "it is missing, or not what its publisher signed")
    for folder, _, names in os.walk(registry.folder):
        for name in names:
            path = os.path.relpath(f"{folder}/{name}", registry.folder).replace(os.sep, "/")
            if path not in registry.sums and path not in (SNAPSHOT, SUMS):
                raise unreadable(path, "it lies there and its publisher did not sign it")


def _allowed(registry: PublishedRegistry, known: tuple[bytes, ...]) -> dict[int, Leaf]:
    """The leaves of the log by their place, after all of it was held against its checkpoint."""
    log = Published.open(registry.folder / LOG, registry.publisher)
    if (log.head.size, log.head.root) != (registry.snapshot.log_size, registry.snapshot.log_root):
        raise unreadable(f"{LOG}/checkpoint", "it is not the checkpoint that the snapshot names")
    report = audit(log.tiles, log.note, registry.publisher, known)
    if not report.ok:
        what = f"the publisher's log contradicts itself: {report.problems[0].what}"
        hint = "ask the publisher; keep the copy you have as evidence"
        raise IntegrityError("registry.log-contradicts", what, where=str(registry.folder), hint=hint)
    found: dict[int, Leaf] = {}
    for number in range(-(-log.head.size // TILE_WIDTH)):
        count = min(TILE_WIDTH, log.head.size - number * TILE_WIDTH)
        for offset, entry in enumerate(log.tiles.checked_entries(number, count)):
            found[number * TILE_WIDTH + offset] = parse_leaf(entry)
    return found


@dataclass(slots=True, kw_only=True)
class _Look:
    """One pass over the entries."""

    registry: PublishedRegistry
    allowed: dict[int, Leaf]
    trust: TrustLists
    at: datetime
    without_digest: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)
    held: dict[str, tuple[frozenset[tuple[str, str]], bytes | None]] = field(default_factory=dict)

    def manifest(self, manifest_sha256: str) -> None:
        """Whether it holds, and what it names."""
        from provenance.manifest.read import read_stored_manifest  # noqa: PLC0415 - c2pa

        try:
            data = self.registry.manifest(manifest_sha256)
            receipt = self.registry.receipt(manifest_sha256)
        except Error as error:
            self.failed.add(manifest_sha256)
            self.refused[error.what.replace(manifest_sha256[:16] + "…", "…")] += 1
            return
        reading = read_stored_manifest(data, "image/*", self.trust, at=self.at)
        why = _fault(manifest_sha256, reading)
        if why is None and self.allowed.get(receipt.log_index) != receipt.leaf:
            why = "its receipt is not in the log"
        if why is not None:
            self.failed.add(manifest_sha256)
            self.refused[why] += 1
            return
        self.without_digest += reading.digest_assertion is None
        named = frozenset((one.algorithm, one.value) for one in reading.soft_bindings)
        self.held[manifest_sha256] = (named, fingerprint_of_digest(reading.digest_assertion))

    def bindings(self) -> int:
        """How many ids lead to a manifest that names them."""
        # Where the keys are kept back, nobody but their holder can tell which key an id is under.
        keys = {(key.key_id, key.epoch) for key in self.registry.locators(len(self.registry.sums))}
        good = 0
        for row in self.rows(BY_BINDING):
            named, _ = self.held.get(row.manifest_sha256, (frozenset(), None))
            if (row.algorithm, row.value.hex()) not in named:
                self.refused["an id leads to a manifest that does not name it"] += 1
            elif keys and (row.key_id, row.epoch) not in keys:
                self.refused["an id is under a key that the registry does not come with"] += 1
            else:
                good += 1
        return good

    def fingerprints(self) -> None:
        """Counts those that are not of the digest that their manifest signs."""
        for row in self.rows(BY_CONTENT):
            _, signed = self.held.get(row.manifest_sha256, (None, None))
            if (row.algorithm, row.value) != (FINGERPRINT, signed):
                self.refused["a fingerprint is not that of the signed digest"] += 1

    def references(self) -> None:
        """Counts files that the log did not allow with the manifest that they lead to."""
        allowed = {
            (leaf.manifest_sha256, leaf.subject_sha256)
            for leaf in self.allowed.values()
            if isinstance(leaf, DecisionLeaf) and leaf.action == ALLOW
        }
        for row in self.rows(BY_REFERENCE):
            if (row.manifest_sha256, row.value.hex()) not in allowed:
                self.refused["a file leads to a manifest that the log did not allow for it"] += 1

    def rows(self, table: str) -> Iterator[Row]:
        """Those in their place, except of manifests that were refused; the others are counted."""
        for path in self.registry.files(table):
            rows, malformed = self.registry.rows(table, path)
            if malformed:
                self.refused["a row of a look-up table is malformed"] += malformed
            for row in rows:
                if row.place(table, self.registry.prefix) != path:
                    self.refused["a row of a look-up table is not in the file for it"] += 1
                elif row.manifest_sha256 not in self.failed:
                    yield row


def _fault(manifest_sha256: str, reading: ManifestReading) -> str | None:
    from provenance.manifest.reading import INTACT  # noqa: PLC0415

    if reading.manifest_sha256 != manifest_sha256:
        return "a manifest has another digest than its name"
    return None if reading.state in INTACT else "a manifest does not hold"
