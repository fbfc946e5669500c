"""The registry in an SQLite file: schema, migrations, durability, and SQLite's errors in our words."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from provenance.errors import ConfigurationError, Error
from provenance.files import PRIVATE, disk_errors
from provenance.registry_database import busy, damaged, missing, too_new, unwritable
from provenance.registry_unmarked import unmark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from provenance.registry_database import Access, Value

_APPLICATION_ID = 0x6D675247
"""Tells our file from another program's SQLite file ("mgRG")."""

_MIGRATIONS = (
    """
    CREATE TABLE reservation (
        algorithm TEXT NOT NULL, key_id TEXT NOT NULL, epoch INTEGER NOT NULL, content_id BLOB NOT NULL,
        PRIMARY KEY (algorithm, key_id, epoch, content_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE manifest (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;
    CREATE TABLE entry (
        number INTEGER PRIMARY KEY,
        algorithm TEXT NOT NULL, key_id TEXT NOT NULL, epoch INTEGER NOT NULL, content_id BLOB NOT NULL,
        manifest_sha256 TEXT NOT NULL REFERENCES manifest (sha256),
        asset_sha256 TEXT NOT NULL, mime TEXT NOT NULL, created_at INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'released')), log_index INTEGER,
        UNIQUE (algorithm, key_id, epoch, content_id, manifest_sha256)
    ) STRICT;
    CREATE INDEX entry_by_asset ON entry (asset_sha256);
    CREATE INDEX entry_by_manifest ON entry (manifest_sha256);
    """,
    # Every release asks for the last one before it.
    "CREATE INDEX entry_by_log_index ON entry (log_index)",
    # 64 bits of how a picture looks, computed from the digest its manifest signs.
    "CREATE TABLE fingerprint (manifest_sha256 TEXT PRIMARY KEY, bits BLOB NOT NULL) STRICT",
    unmark,
)
"""Step n takes a file of schema version n to n + 1. Never edited after a release, only added to."""


class SqliteDatabase:
    """See ``provenance.registry_database.Database``. Safe for several processes at once."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, access: Access, busy_timeout_s: float) -> SqliteDatabase:
        """A connection in autocommit mode to ``path``; made for its owner only where it is created.

        Raises:
            ConfigurationError: ``registry.missing``, ``registry.too-new``, ``registry.foreign``,
                ``registry.busy``, ``registry.unwritable``, ``disk.full`` or ``disk.failed``.
            IntegrityError: ``registry.damaged``.
            InputError: ``output.unwritable``.
        """
        if access == "create":
            with disk_errors(path):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
        elif not path.exists():
            raise missing(str(path), "there is no registry here")
        # A name with "?" or "%" in it is quoted by as_uri.
        uri = f"{path.absolute().as_uri()}?mode={'ro' if access == 'read' else 'rw'}"
        with _translated(path):
            connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)
            try:
                _prepare(path, connection, access)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    @property
    def place(self) -> str:
        """The file."""
        return str(self._path)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def rows(self, statement: str, values: Mapping[str, Value] | None = None) -> list[tuple[Any, ...]]:
        """See ``Database``."""
        with _translated(self._path):
            return self._connection.execute(statement, values or {}).fetchall()

    def change(self, statement: str, values: Mapping[str, Value]) -> int:
        """See ``Database``."""
        with _translated(self._path):
            return self._connection.execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Taken for writing at once, so that two writers wait instead of failing half-way."""
        with _transaction(self._path, self._connection):
            yield

    def damage(self) -> Iterator[str]:
        """See ``Database``."""
        for (message,) in self.rows("PRAGMA integrity_check(1)"):
            if message != "ok":
                yield message
        for broken in self.rows("PRAGMA foreign_key_check"):
            yield f"row {broken[1]} of {broken[0]} has no manifest"


@contextmanager
def _transaction(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    with _translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn SQLite's exceptions into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _error(path, error) from error


def _prepare(path: Path, connection: sqlite3.Connection, access: Access) -> None:
    version = _version(path, connection)
    if version == 0 and access != "create":
        raise missing(str(path), "the registry's file is empty")
    if access == "read":
        return
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL: a release that was reported must outlive a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    if version < len(_MIGRATIONS):
        _migrate(path, connection)
    connection.execute("PRAGMA journal_mode = WAL")


def _version(path: Path, connection: sqlite3.Connection) -> int:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application != _APPLICATION_ID and (application or version or tables):
        raise ConfigurationError("registry.foreign", "this file belongs to another program", where=str(path))
    if version > len(_MIGRATIONS):
        raise too_new(str(path), version, len(_MIGRATIONS))
    return version


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    with _transaction(path, connection):
        # Again inside the transaction: another process may have done it while this one waited.
        for number in range(_version(path, connection), len(_MIGRATIONS)):
            step = _MIGRATIONS[number]
            if isinstance(step, str):
                for statement in step.split(";"):
                    connection.execute(statement)
            else:
                step(SqliteDatabase(path, connection))
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


def _error(path: Path, error: sqlite3.Error) -> Error:
    # The low byte is the primary code, the rest says more (https://sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    where, reason = str(path), str(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(where)
    if code == sqlite3.SQLITE_FULL:
        return ConfigurationError(
            "disk.full", f"no room to write: {reason}", where=where, hint="free some space"
        )
    if code == sqlite3.SQLITE_IOERR:
        return ConfigurationError(
            "disk.failed",
            f"the registry could not be read or written: {reason}",
            where=where,
            hint="check the disk: its free space, the quota, the limit on file sizes",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return unwritable(where, reason)
    return damaged(where, reason)
