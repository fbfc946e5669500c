"""The registry's SQLite file: schema, migrations, durability, and SQLite's errors in our words."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from provenance.errors import ConfigurationError, Error, IntegrityError
from provenance.files import MAKE_OR_RESTORE, PRIVATE, disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Access: TypeAlias = Literal["read", "write", "create"]
"""``"create"`` makes the file where there is none; ``"read"`` changes nothing in it."""

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
)
"""Step n takes a file of schema version n to n + 1. Never edited after a release, only added to."""


def open_database(path: Path, *, access: Access, busy_timeout_s: float) -> sqlite3.Connection:
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
        raise _missing(path, "there is no registry here")
    # A name with "?" or "%" in it is quoted by as_uri.
    uri = f"{path.absolute().as_uri()}?mode={'ro' if access == 'read' else 'rw'}"
    with translated(path):
        connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)
        try:
            _prepare(path, connection, access)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(path: Path, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, and taken for writing at once, so that two writers wait instead of failing half-way."""
    with translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's exceptions into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _error(path, error) from error


def damaged(path: Path, why: str) -> IntegrityError:
    """The registry contradicts itself."""
    return IntegrityError(
        "registry.damaged",
        f"the registry is damaged: {why}",
        where=str(path),
        hint="restore a copy of the file",
    )


def _missing(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError("registry.missing", what, where=str(path), hint=MAKE_OR_RESTORE)


def _prepare(path: Path, connection: sqlite3.Connection, access: Access) -> None:
    version = _version(path, connection)
    if version == 0 and access != "create":
        raise _missing(path, "the registry's file is empty")
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
        raise ConfigurationError(
            "registry.too-new",
            f"the registry has schema {version}, this mediaguard knows {len(_MIGRATIONS)}",
            where=str(path),
            hint="pip install --upgrade mediaguard",
        )
    return version


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    with transaction(path, connection):
        # Again inside the transaction: another process may have done it while this one waited.
        for number in range(_version(path, connection), len(_MIGRATIONS)):
            for statement in _MIGRATIONS[number].split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


def _error(path: Path, error: sqlite3.Error) -> Error:
    # The low byte is the primary code, the rest says more (https://sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    where, reason = str(path), str(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ConfigurationError(
            "registry.busy",
            "another process keeps the registry locked",
            where=where,
            hint="try again in a moment",
        )
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
        return ConfigurationError(
            "registry.unwritable",
            f"the registry cannot be used: {reason}",
            where=where,
            hint="check its permissions",
        )
    return damaged(path, reason)
