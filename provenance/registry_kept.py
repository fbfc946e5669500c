"""Copies of other publishers' registries, kept below one folder, each verified before it counts.

::

    NAME/kept.json    where it came from, whose key it is pinned to, which state the copy is of
    NAME/copy-…       that state

The first copy pins the publisher's key: whoever adds a registry compares its fingerprint with what the
publisher says elsewhere. Later copies must be signed with that key, carry a higher number, and bring a log
that extends the one before: no mirror puts an old state back, and no publisher rewrites history, unnoticed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from provenance.canonical import canonical_bytes
from provenance.errors import InputError, IntegrityError
from provenance.files import disk_errors, fsync_folder, read_bounded, write_private
from provenance.locks import locked
from provenance.log.checkpoint import NoteVerifier
from provenance.registry_check import Checked, check
from provenance.registry_head import MOST_HEAD, MOST_SUMS, checked_listing
from provenance.registry_layout import LOG, SNAPSHOT, SUMS, VKEY, parsed, unreadable
from provenance.registry_pin import is_newer, require_not_older
from provenance.registry_published import PublishedRegistry
from provenance.registry_snapshot import open_snapshot, parse_vkey
from provenance.registry_source import over_limit
from provenance.registry_staging import file_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from provenance.manifest.trust import TrustLists
    from provenance.registry_snapshot import Snapshot
    from provenance.registry_source import FetchLimits, Source

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_KEPT = "kept.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One added registry.

    Attributes:
        name: what it is called here.
        source: where it is fetched from.
        publisher: its key, in text form; pinned.
        copy: folder of the state that is kept.
        sequence: number of that state.
        snapshot_sha256: digest of its signed head.
        published_at: seconds since 1970, by the publisher's clock.
        fetched_at: seconds since 1970, by ours.
    """

    name: str
    source: str
    publisher: str
    copy: str
    sequence: int
    snapshot_sha256: str
    published_at: int
    fetched_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What adding or updating did.

    Attributes:
        kept: as it stands now.
        new: whether the copy is another than before.
        checked: what the check of the new copy found; None where nothing was new.
        known: whether it had been added before.
    """

    kept: Kept
    new: bool
    checked: Checked | None
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRegistries:
    """The registries below ``folder``, which need not exist."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """In alphabetical order."""
        return tuple(sorted(path.parent.name for path in self.folder.glob(f"*/{_KEPT}")))

    def get(self, name: str) -> Kept:
        """One of them.

        Raises:
            InputError: ``registry.unknown``.
            IntegrityError: ``registry.published-damaged``.
        """
        path = self.folder / _checked_name(name) / _KEPT
        if not path.exists():
            known = ", ".join(self.names()) or "none"
            what = f"there is no added registry {name!r}; there is {known}"
            raise InputError("registry.unknown", what, hint="guard registry list")
        stored = parsed(read_bounded(path, most=MOST_HEAD), str(path))
        stored.pop("schema_version")
        try:
            return Kept(**stored)
        except TypeError as error:
            raise unreadable(str(path), "its fields are not those of a kept registry") from error

    def open(self, name: str) -> PublishedRegistry:
        """The copy of one; raises as ``get`` and ``PublishedRegistry.open``."""
        kept = self.get(name)
        return PublishedRegistry.open(
            self.folder / name / kept.copy, name=name, publisher=NoteVerifier.parse(kept.publisher)
        )

    def remove(self, name: str) -> None:
        """Forget one, its pinned key included; raises ``registry.unknown``."""
        kept = self.get(name)
        with disk_errors(self.folder):
            (self.folder / kept.name / _KEPT).unlink()
            shutil.rmtree(self.folder / kept.name, ignore_errors=True)

    def fetch(
        self,
        source: Source,
        *,
        name: str | None,
        trust: TrustLists,
        at: datetime,
        limits: FetchLimits,
        clock: Callable[[], float],
    ) -> Fetched:
        """Add the registry of ``source``, or bring the copy of it up to date.

        Args:
            source: read from there.
            name: of a new or a known one; None: after the publisher's log.
            trust: lists that signers are held against while counting.
            at, limits: now; bytes, files, seconds.
            clock: seconds that never go back.

        Raises:
            InputError: ``registry.not-published``, ``registry.over-limit``, ``registry.name``.
            IntegrityError: ``registry.rolled-back``, ``registry.key-changed``, ``registry.published-…``.
            ConfigurationError: ``registry.fetch-failed``, ``disk.…``, ``lock.timeout``.
        """
        note, key = source.read(SNAPSHOT, MOST_HEAD), parse_vkey(source.read(VKEY, MOST_HEAD))
        snapshot = open_snapshot(note, key)
        place = self.folder / _checked_name(name or _default_name(key.name))
        with disk_errors(self.folder):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        run = _Run(source=source, limits=limits, clock=clock, ends=clock() + limits.seconds)
        with locked(place / ".lock"):
            before = self._before(place.name, source)
            for kept in map(self.get, self.names()):
                require_not_older(note, snapshot, key, kept)
            if (
                before is not None
                and not is_newer(note, snapshot, key, before)
                and self._is_readable(place.name)
            ):
                return Fetched(kept=before, new=False, checked=None, known=True)
            folder = place / f"copy-{snapshot.sequence}-{secrets.token_hex(4)}"
            old = None if before is None else place / before.copy
            checked = run.take(folder, note, key, old, trust=trust, at=at)
            kept = _described(source.where, folder, note, snapshot, at=at, publisher=key)
            self._switch(kept)
        return Fetched(kept=kept, new=True, checked=checked, known=before is not None)

    def _is_readable(self, name: str) -> bool:
        """Whether the copy tells what was withdrawn; one that does not is fetched again."""
        try:
            self.open(name).withdrawals()
        except (InputError, IntegrityError):
            return False
        return True

    def _before(self, name: str, source: Source) -> Kept | None:
        if not (self.folder / name / _KEPT).exists():
            return None
        kept = self.get(name)
        if kept.source != source.where:
            what = f"there is a registry {name!r} already, from {kept.source}"
            raise InputError("registry.name", what, hint="guard registry add --name with another name")
        return kept

    def _switch(self, kept: Kept) -> None:
        """From here on the new copy counts; the others go."""
        place = self.folder / kept.name
        with disk_errors(place):
            fsync_folder(place)
            document = canonical_bytes({"schema_version": 1, **asdict(kept)})
            write_private(place / _KEPT, document + b"\n", overwrite=True)
            for copy in place.glob("copy-*"):
                if copy.name != kept.copy:
                    shutil.rmtree(copy, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One fetch under its limits."""

    source: Source
    limits: FetchLimits
    clock: Callable[[], float]
    ends: float

    def tick(self) -> None:
        """Raises ``registry.over-limit`` when the time is over."""
        if self.clock() > self.ends:
            raise over_limit(self.source.where, f"it took longer than {self.limits.seconds:g} s")

    def take(
        self,
        folder: Path,
        note: bytes,
        key: NoteVerifier,
        before: Path | None,
        *,
        trust: TrustLists,
        at: datetime,
    ) -> Checked:
        """Copy the state that ``note`` signs into ``folder`` and check it; nothing is left where it fails."""
        known = () if before is None else (read_bounded(before / LOG / "checkpoint", most=MOST_HEAD),)
        try:
            self.copy(folder, note, open_snapshot(note, key), before)
            opened = PublishedRegistry.open(folder, name=folder.parent.name, publisher=key)
            return check(opened, trust=trust, at=at, known=known, tick=self.tick)
        except BaseException:
            shutil.rmtree(folder if before is not None else folder.parent, ignore_errors=True)
            raise

    def copy(self, folder: Path, note: bytes, snapshot: Snapshot, before: Path | None) -> None:
        """All files of the state that ``note`` signs; those of ``before`` are not fetched again."""
        if snapshot.files > self.limits.most_files:
            raise over_limit(self.source.where, f"it has {snapshot.files:,} files")
        listing = self.source.read(SUMS, min(MOST_SUMS, self.limits.most_bytes))
        left = self.limits.most_bytes - len(listing)
        with disk_errors(folder):
            for path, digest in checked_listing(listing, snapshot).items():
                self.tick()
                place = folder / path
                place.parent.mkdir(parents=True, exist_ok=True)
                if before is not None and file_digest(before / path) == digest:
                    os.link(before / path, place)
                    continue
                data = self.source.read(path, max(0, left))
                if hashlib.sha256(data).hexdigest() != digest:
                    raise unreadable(path, "it is not what its publisher signed")
                left -= len(data)
                place.write_bytes(data)
            (folder / SUMS).write_bytes(listing)
            (folder / SNAPSHOT).write_bytes(note)


def _described(
    source: str, folder: Path, note: bytes, snapshot: Snapshot, *, at: datetime, publisher: NoteVerifier
) -> Kept:
    return Kept(
        name=folder.parent.name,
        source=source,
        publisher=str(publisher),
        copy=folder.name,
        sequence=snapshot.sequence,
        snapshot_sha256=hashlib.sha256(note).hexdigest(),
        published_at=snapshot.time,
        fetched_at=int(at.timestamp()),
    )


def _default_name(origin: str) -> str:
    """The last part of the log's name, as far as it can name a folder."""
    cleaned = re.sub(r"[^a-z0-9._-]", "-", origin.rstrip("/").rpartition("/")[2].lower()).lstrip("._-")
    return cleaned[:40] or "registry"


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        what = "a registry is named with 1 to 40 of a-z, 0-9, point, dash and underscore"
        raise InputError("registry.name", what, hint="guard registry add --name")
    return name
