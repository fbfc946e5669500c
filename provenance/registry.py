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
from provenance.registry_database import damaged
from provenance.registry_entry import CONTENT_ID_BYTES, Found, Place, RegistryEntry, Release, found_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from provenance.registry_database import Access, Database, Value

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
    "INSERT INTO entry (algorithm, key_id, epoch, content_id, manifest_sha256, asset_sha256, mime,"
    " created_at, state, log_index) VALUES (:algorithm, :key_id, :epoch, :content_id, :manifest_sha256,"
    " :asset_sha256, :mime, :created_at, :state, :log_index) ON CONFLICT DO NOTHING"
)
_RESERVE = "INSERT INTO reservation VALUES (:algorithm, :key_id, :epoch, :content_id) ON CONFLICT DO NOTHING"
_STORE = "INSERT INTO manifest VALUES (:sha256, :data) ON CONFLICT DO NOTHING"
_RELEASE = (
    "UPDATE entry SET state = 'released', log_index = :log_index"
    " WHERE manifest_sha256 = :sha256 AND state = 'pending'"
)
_FORGET = "DELETE FROM entry WHERE manifest_sha256 = :sha256 AND state = 'pending'"
_FORGET_MANIFEST = (
    "DELETE FROM manifest WHERE sha256 = :sha256"
    " AND NOT EXISTS (SELECT 1 FROM entry WHERE manifest_sha256 = :sha256)"
)
_RELEASED = (
    "SELECT manifest_sha256, asset_sha256, log_index, key_id, epoch FROM entry WHERE state = 'released'"
    " ORDER BY log_index DESC LIMIT :most"
)
_PLACES = (
    "SELECT algorithm, key_id, epoch, content_id, manifest_sha256, asset_sha256, log_index FROM entry"
    " WHERE state = 'released' ORDER BY log_index, number"
)
_MARKING_KEYS = "SELECT DISTINCT key_id, epoch FROM entry WHERE state = 'released'"
_LATEST_CLIPS = (
    "WHERE entry.number IN (SELECT number FROM entry WHERE mime LIKE 'video/%' AND state = 'released'"
    " ORDER BY number DESC LIMIT :most)"
)
_KEEP = "INSERT INTO fingerprint VALUES (:sha256, :bits) ON CONFLICT DO NOTHING"
_OF_ID = "WHERE algorithm = :algorithm AND key_id = :key_id AND epoch = :epoch AND content_id = :content_id"
_OF_MANIFEST = "WHERE entry.manifest_sha256 = :sha256"
_MANIFESTS = "SELECT sha256, data FROM manifest WHERE sha256 > :after ORDER BY sha256 LIMIT 256"
_ALL = 2**62  # no limit, in a form that both databases take


class Registry:
    """The store of one installation. Safe for several processes at once; one object serves one thread.

    Use ``Registry.open``; every method raises ``ConfigurationError`` (``registry.busy``, ``disk.full``,
    ``disk.failed``, ``registry.unwritable``) or ``IntegrityError`` (``registry.damaged``) besides what
    it names.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path, *, access: Access = "create", busy_timeout_s: float = 10.0) -> Registry:
        """The one in the SQLite file ``path``.

        Args:
            path: the file.
            access: ``"create"`` makes it where there is none (owner only), ``"write"`` and ``"read"`` ask
                for one that is there. The first two bring it to the current schema; the last changes nothing.
            busy_timeout_s: how long to wait for other processes.

        Raises:
            ConfigurationError: ``registry.missing``, ``registry.too-new``, ``registry.foreign``.
        """
        from provenance.registry_file import SqliteDatabase  # noqa: PLC0415 - a home may use a server

        return cls(SqliteDatabase.open(path, access=access, busy_timeout_s=busy_timeout_s))

    @classmethod
    def connect(cls, url: str, *, access: Access = "create", busy_timeout_s: float = 10.0) -> Registry:
        """The one on a PostgreSQL server (extra ``postgresql``).

        Args:
            url: ``postgresql+psycopg://user@host/database``; the password comes from ``PGPASSWORD`` or
                ``.pgpass``, never from the URL.
            access, busy_timeout_s: as ``open``.

        Raises:
            ConfigurationError: ``registry.url``, ``registry.unreachable``, ``registry.missing``,
                ``registry.too-new``, ``extra.missing``.
        """
        from provenance.registry_postgres import PostgresDatabase  # noqa: PLC0415 - SQLAlchemy

        return cls(PostgresDatabase.open(url, access=access, busy_timeout_s=busy_timeout_s))

    @property
    def place(self) -> str:
        """Where it is."""
        return self._database.place

    def close(self) -> None:
        """Let go of it."""
        self._database.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reserve(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> bool:
        """Claim a content id for good; False when it was claimed before, by anybody."""
        if len(content_id) != CONTENT_ID_BYTES:
            raise ValueError(f"a content id has {CONTENT_ID_BYTES} bytes")
        place = _place(algorithm, key_id, epoch, content_id)
        with self._database.transaction():
            return self._database.change(_RESERVE, place) == 1

    def record(self, entry: RegistryEntry) -> None:
        """Add ``entry``; adding the same once more changes nothing.

        Raises:
            IntegrityError: ``registry.conflict`` when this manifest is known for this id with other facts.
        """
        place = _place(entry.algorithm, entry.key_id, entry.epoch, entry.content_id)
        facts: dict[str, Value] = {
            name: getattr(entry, name)
            for name in ("manifest_sha256", "asset_sha256", "mime", "created_at", "state", "log_index")
        }
        with self._database.transaction():
            self._database.change(_RESERVE, place)
            self._database.change(_STORE, {"sha256": entry.manifest_sha256, "data": entry.manifest})
            added = self._database.change(_ADD, {**place, **facts})
            known = [
                replace(entry, state=stored.state, log_index=stored.log_index) == stored
                for stored in self._select(_OF_MANIFEST, sha256=entry.manifest_sha256)
            ]
            if added == 0 and not any(known):
                what = "this manifest is registered with other facts"
                raise IntegrityError("registry.conflict", what, where=self.place)

    def mark_released(self, manifest_sha256: str, log_index: int) -> None:
        """Turn the pending entries of a manifest into released ones; done before, it changes nothing.

        Raises:
            IntegrityError: ``registry.unknown-manifest``; ``registry.conflict`` when released otherwise.
        """
        with self._database.transaction():
            self._database.change(_RELEASE, {"log_index": log_index, "sha256": manifest_sha256})
            indices = {entry.log_index for entry in self._select(_OF_MANIFEST, sha256=manifest_sha256)}
            if indices != {log_index}:
                code = "registry.conflict" if indices else "registry.unknown-manifest"
                what = "is released under another log index" if indices else "is not registered"
                raise IntegrityError(code, f"this manifest {what}", where=self.place)

    def discard(self, manifest_sha256: str) -> int:
        """Forget what is pending of a manifest; its id stays claimed. Returns how many entries went."""
        with self._database.transaction():
            gone = self._database.change(_FORGET, {"sha256": manifest_sha256})
            self._database.change(_FORGET_MANIFEST, {"sha256": manifest_sha256})
            return gone

    def find(
        self, algorithm: str, key_id: str, epoch: int, content_id: bytes, *, include_pending: bool = False
    ) -> tuple[RegistryEntry, ...]:
        """Every manifest registered for the id in a mark, oldest first; the digest decides which it is."""
        found = self._select(_OF_ID, **_place(algorithm, key_id, epoch, content_id))
        return _shown(found, include_pending=include_pending)

    @property
    def notes(self) -> tuple[str, ...]:
        """See ``Lookup``."""
        return ()

    def look_up(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> Found:
        """See ``Lookup``."""
        return found_of(self.find(algorithm, key_id, epoch, content_id), "the registry here")

    def by_asset(self, sha256: str, *, include_pending: bool = False) -> tuple[RegistryEntry, ...]:
        """Entries of exactly this file, oldest first."""
        found = self._select("WHERE asset_sha256 = :sha256", sha256=sha256)
        return _shown(found, include_pending=include_pending)

    def by_manifest(self, sha256: str) -> tuple[RegistryEntry, ...]:
        """Released entries of exactly this manifest, oldest first."""
        return _shown(self._select(_OF_MANIFEST, sha256=sha256), include_pending=False)

    def by_content_id(self, content_id: bytes) -> tuple[RegistryEntry, ...]:
        """Released entries of this id under any key, oldest first."""
        found = self._select("WHERE content_id = :content_id", content_id=content_id)
        return _shown(found, include_pending=False)

    def clips(self, most: int) -> tuple[RegistryEntry, ...]:
        """Released clips, the latest ``most`` of them, for files that carry no mark to find them by."""
        return self._select(_LATEST_CLIPS, most=most)[::-1]

    def pending(self) -> tuple[RegistryEntry, ...]:
        """What unfinished releases left, oldest first, for recovery to release or discard."""
        return self._select("WHERE state = 'pending'")

    def places(self) -> tuple[Place, ...]:
        """Every released entry without its manifest, in the order of the log."""
        names = Place.__dataclass_fields__
        return tuple(Place(**dict(zip(names, row, strict=True))) for row in self._database.rows(_PLACES))

    def releases(self) -> tuple[Release, ...]:
        """Every released file and the place of its ALLOW in the log, the last place first."""
        return self._releases(_ALL)

    def latest_release(self) -> Release | None:
        """The one with the highest place in the log; None when nothing was released."""
        return next(iter(self._releases(1)), None)

    def fingerprints(self) -> dict[str, bytes]:
        """How released pictures look, by digest of their manifest, as far as that was computed."""
        return dict(self._database.rows("SELECT manifest_sha256, bits FROM fingerprint"))

    def keep_fingerprints(self, fingerprints: Mapping[str, bytes]) -> None:
        """Keep what was computed; empty bytes say that there is nothing to compute."""
        if fingerprints:
            with self._database.transaction():
                for sha256, bits in fingerprints.items():
                    self._database.change(_KEEP, {"sha256": sha256, "bits": bits})

    def marking_keys(self) -> frozenset[tuple[str, int]]:
        """(key id, epoch) of every locator key under which something was released."""
        return frozenset((key_id, epoch) for key_id, epoch in self._database.rows(_MARKING_KEYS))

    def verify_integrity(self) -> int:
        """Check the file and every digest in it; returns the number of entries.

        Raises:
            IntegrityError: ``registry.damaged``.
        """
        for message in self._database.damage():
            raise damaged(self.place, message)
        for sha256, data in self._manifests():
            if hashlib.sha256(data).hexdigest() != sha256:
                raise damaged(self.place, f"manifest {sha256[:16]}… is not what was stored")
        return len(self._select(""))

    def _manifests(self) -> Iterator[tuple[str, bytes]]:
        after = ""
        while found := self._database.rows(_MANIFESTS, {"after": after}):
            yield from found
            after = found[-1][0]

    def _releases(self, most: int) -> tuple[Release, ...]:
        rows = self._database.rows(_RELEASED, {"most": most})
        if any(row[2] is None for row in rows):
            raise damaged(self.place, "a released entry has no log index")
        return tuple(
            Release(manifest_sha256=manifest, asset_sha256=asset, log_index=index, key_id=key_id, epoch=epoch)
            for manifest, asset, index, key_id, epoch in rows
        )

    def _select(self, where: str, **values: Value) -> tuple[RegistryEntry, ...]:
        rows = self._database.rows(f"{_SELECT} {where} ORDER BY number", values)
        return tuple(self._entry(row) for row in rows)

    def _entry(self, row: tuple[Any, ...]) -> RegistryEntry:
        try:
            return RegistryEntry(**dict(zip(_FIELDS, row, strict=True)))
        except (ValueError, TypeError) as error:
            raise damaged(self.place, str(error)) from error


def _place(algorithm: str, key_id: str, epoch: int, content_id: bytes) -> dict[str, Value]:
    return {"algorithm": algorithm, "key_id": key_id, "epoch": epoch, "content_id": content_id}


def _shown(entries: tuple[RegistryEntry, ...], *, include_pending: bool) -> tuple[RegistryEntry, ...]:
    return tuple(entry for entry in entries if include_pending or entry.state == "released")
