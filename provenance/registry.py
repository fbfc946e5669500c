"""The registry: from the content id in a mark, or the digest of a file, to signed manifests.

It finds candidates and proves nothing: an id may lead to several manifests (merged registries, copied
marks), so look-ups answer with a list and the signed content digest decides (house promise 3). Pending
entries belong to releases that were not finished; look-ups leave them out unless asked.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provenance.errors import IntegrityError
from provenance.registry_entry import CONTENT_ID_BYTES, RegistryEntry, Release
from provenance.registry_file import Access, damaged, open_database, transaction, translated

if TYPE_CHECKING:
    import sqlite3
    from contextlib import AbstractContextManager
    from pathlib import Path

_FIELDS = (
    "algorithm",
    "key_id",
    "epoch",
    "content_id",
    "manifest",
    "manifest_sha256",
    "asset_sha256",
    "mime",
    "created_at",
    "state",
    "log_index",
)
"""Of ``RegistryEntry``, in the order of the columns that follow."""
_SELECT = (
    "SELECT algorithm, key_id, epoch, content_id, data, manifest_sha256, asset_sha256, mime, created_at,"
    " state, log_index FROM entry JOIN manifest ON manifest.sha256 = entry.manifest_sha256"
)
_ADD = (
    "INSERT OR IGNORE INTO entry (algorithm, key_id, epoch, content_id, manifest_sha256, asset_sha256, mime,"
    " created_at, state, log_index) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_RELEASE = (
    "UPDATE entry SET state = 'released', log_index = ? WHERE manifest_sha256 = ? AND state = 'pending'"
)
_FORGET = "DELETE FROM entry WHERE manifest_sha256 = ? AND state = 'pending'"
_FORGET_MANIFEST = (
    "DELETE FROM manifest WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE manifest_sha256 = ?1)"
)
_RELEASED = (
    "SELECT manifest_sha256, asset_sha256, log_index, key_id, epoch FROM entry WHERE state = 'released'"
    " ORDER BY log_index DESC LIMIT ?"
)
_MARKING_KEYS = "SELECT DISTINCT key_id, epoch FROM entry WHERE state = 'released'"
_LATEST_CLIPS = (
    "WHERE entry.number IN (SELECT number FROM entry WHERE mime LIKE 'video/%' AND state = 'released'"
    " ORDER BY number DESC LIMIT ?)"
)


class Registry:
    """The SQLite file. Safe for several processes at once; one object serves one thread.

    Use ``Registry.open``; every method raises ``ConfigurationError`` (``registry.busy``, ``disk.full``,
    ``disk.failed``, ``registry.unwritable``) or ``IntegrityError`` (``registry.damaged``) besides what
    it names.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, access: Access = "create", busy_timeout_s: float = 10.0) -> Registry:
        """Open ``path``.

        Args:
            path: the file.
            access: ``"create"`` makes it where there is none (owner only), ``"write"`` and ``"read"`` ask
                for one that is there. The first two bring it to the current schema; the last changes nothing.
            busy_timeout_s: how long to wait for other processes.

        Raises:
            ConfigurationError: ``registry.missing``, ``registry.too-new``, ``registry.foreign``.
        """
        return cls(path, open_database(path, access=access, busy_timeout_s=busy_timeout_s))

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reserve(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> bool:
        """Claim a content id for good; False when it was claimed before, by anybody."""
        if len(content_id) != CONTENT_ID_BYTES:
            raise ValueError(f"a content id has {CONTENT_ID_BYTES} bytes")
        with self._writing() as connection:
            done = connection.execute(
                "INSERT OR IGNORE INTO reservation VALUES (?, ?, ?, ?)",
                (algorithm, key_id, epoch, content_id),
            )
            return done.rowcount == 1

    def record(self, entry: RegistryEntry) -> None:
        """Add ``entry``; adding the same once more changes nothing.

        Raises:
            IntegrityError: ``registry.conflict`` when this manifest is known for this id with other facts.
        """
        place = (entry.algorithm, entry.key_id, entry.epoch, entry.content_id)
        facts = (entry.manifest_sha256, entry.asset_sha256, entry.mime, entry.created_at)
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO reservation VALUES (?, ?, ?, ?)", place)
            connection.execute(
                "INSERT OR IGNORE INTO manifest VALUES (?, ?)", (entry.manifest_sha256, entry.manifest)
            )
            added = connection.execute(_ADD, (*place, *facts, entry.state, entry.log_index))
            known = [
                replace(entry, state=stored.state, log_index=stored.log_index) == stored
                for stored in self._select("WHERE entry.manifest_sha256 = ?", entry.manifest_sha256)
            ]
            if added.rowcount == 0 and not any(known):
                raise IntegrityError(
                    "registry.conflict", "this manifest is registered with other facts", where=str(self._path)
                )

    def mark_released(self, manifest_sha256: str, log_index: int) -> None:
        """Turn the pending entries of a manifest into released ones; done before, it changes nothing.

        Raises:
            IntegrityError: ``registry.unknown-manifest``; ``registry.conflict`` when released otherwise.
        """
        with self._writing() as connection:
            connection.execute(_RELEASE, (log_index, manifest_sha256))
            indices = {
                entry.log_index for entry in self._select("WHERE entry.manifest_sha256 = ?", manifest_sha256)
            }
            if indices != {log_index}:
                code = "registry.conflict" if indices else "registry.unknown-manifest"
                what = (
                    "it is released under another log index" if indices else "this manifest is not registered"
                )
                raise IntegrityError(code, what, where=str(self._path))

    def discard(self, manifest_sha256: str) -> int:
        """Forget what is pending of a manifest; its id stays claimed. Returns how many entries went."""
        with self._writing() as connection:
            gone = connection.execute(_FORGET, (manifest_sha256,)).rowcount
            connection.execute(_FORGET_MANIFEST, (manifest_sha256,))
            return gone

    def find(
        self, algorithm: str, key_id: str, epoch: int, content_id: bytes, *, include_pending: bool = False
    ) -> tuple[RegistryEntry, ...]:
        """Every manifest registered for the id in a mark, oldest first; the digest decides which it is."""
        where = "WHERE algorithm = ? AND key_id = ? AND epoch = ? AND content_id = ?"
        with translated(self._path):
            return _shown(
                self._select(where, algorithm, key_id, epoch, content_id), include_pending=include_pending
            )

    def by_asset(self, sha256: str, *, include_pending: bool = False) -> tuple[RegistryEntry, ...]:
        """Entries of exactly this file, oldest first."""
        with translated(self._path):
            return _shown(self._select("WHERE asset_sha256 = ?", sha256), include_pending=include_pending)

    def clips(self, most: int) -> tuple[RegistryEntry, ...]:
        """Released clips, the latest ``most`` of them, for files that carry no mark to find them by."""
        with translated(self._path):
            return self._select(_LATEST_CLIPS, most)[::-1]

    def pending(self) -> tuple[RegistryEntry, ...]:
        """What unfinished releases left, oldest first, for recovery to release or discard."""
        with translated(self._path):
            return self._select("WHERE state = 'pending'")

    def releases(self) -> tuple[Release, ...]:
        """Every released file and the place of its ALLOW in the log, the last place first."""
        return self._releases(-1)

    def latest_release(self) -> Release | None:
        """The one with the highest place in the log; None when nothing was released."""
        return next(iter(self._releases(1)), None)

    def marking_keys(self) -> frozenset[tuple[str, int]]:
        """(key id, epoch) of every locator key under which something was released."""
        with translated(self._path):
            return frozenset(self._connection.execute(_MARKING_KEYS).fetchall())

    def verify_integrity(self) -> int:
        """Check the file and every digest in it; returns the number of entries.

        Raises:
            IntegrityError: ``registry.damaged``.
        """
        with translated(self._path):
            for (message,) in self._connection.execute("PRAGMA integrity_check(1)"):
                if message != "ok":
                    raise damaged(self._path, message)
            for broken in self._connection.execute("PRAGMA foreign_key_check"):
                raise damaged(self._path, f"row {broken[1]} of {broken[0]} has no manifest")
            for sha256, data in self._connection.execute("SELECT sha256, data FROM manifest"):
                if hashlib.sha256(data).hexdigest() != sha256:
                    raise damaged(self._path, f"manifest {sha256[:16]}… is not what was stored")
            return len(self._select(""))

    def _releases(self, most: int) -> tuple[Release, ...]:
        with translated(self._path):
            rows = self._connection.execute(_RELEASED, (most,)).fetchall()
        if any(row[2] is None for row in rows):
            raise damaged(self._path, "a released entry has no log index")
        return tuple(
            Release(manifest_sha256=manifest, asset_sha256=asset, log_index=index, key_id=key_id, epoch=epoch)
            for manifest, asset, index, key_id, epoch in rows
        )

    def _select(self, where: str, *values: str | int | bytes) -> tuple[RegistryEntry, ...]:
        rows = self._connection.execute(f"{_SELECT} {where} ORDER BY number", values)
        return tuple(self._entry(row) for row in rows)

    def _entry(self, row: tuple[Any, ...]) -> RegistryEntry:
        try:
            return RegistryEntry(**dict(zip(_FIELDS, row, strict=True)))
        except (ValueError, TypeError) as error:
            raise damaged(self._path, str(error)) from error

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._path, self._connection)


def _shown(entries: tuple[RegistryEntry, ...], *, include_pending: bool) -> tuple[RegistryEntry, ...]:
    return tuple(entry for entry in entries if include_pending or entry.state == "released")
