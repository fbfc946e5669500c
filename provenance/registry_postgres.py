"""The registry on a PostgreSQL server, through SQLAlchemy Core: the one file that knows either."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from provenance.errors import ConfigurationError, Error, missing_extra
from provenance.registry_database import busy, damaged, missing, too_new, unwritable
from provenance.registry_unmarked import unmark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from provenance.registry_database import Access, Value

DRIVER = "postgresql+psycopg"
_WRITERS = 0x6D675247
"""Advisory lock that writers take, one after the other, as SQLite's BEGIN IMMEDIATE makes them."""
_VERSION = 2
_TABLES = """
CREATE TABLE mediaguard_schema (version INTEGER NOT NULL);
INSERT INTO mediaguard_schema VALUES (1);
CREATE TABLE reservation (
    algorithm TEXT NOT NULL, key_id TEXT NOT NULL, epoch BIGINT NOT NULL, content_id BYTEA NOT NULL,
    PRIMARY KEY (algorithm, key_id, epoch, content_id)
);
CREATE TABLE manifest (sha256 TEXT PRIMARY KEY, data BYTEA NOT NULL);
CREATE TABLE entry (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    algorithm TEXT NOT NULL, key_id TEXT NOT NULL, epoch BIGINT NOT NULL, content_id BYTEA NOT NULL,
    manifest_sha256 TEXT NOT NULL REFERENCES manifest (sha256),
    asset_sha256 TEXT NOT NULL, mime TEXT NOT NULL, created_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'released')), log_index BIGINT,
    UNIQUE (algorithm, key_id, epoch, content_id, manifest_sha256)
);
CREATE INDEX entry_by_asset ON entry (asset_sha256);
CREATE INDEX entry_by_manifest ON entry (manifest_sha256);
CREATE INDEX entry_by_log_index ON entry (log_index);
CREATE TABLE fingerprint (manifest_sha256 TEXT PRIMARY KEY, bits BYTEA NOT NULL)
"""
"""Version 1: as in ``provenance.registry_file``, in PostgreSQL's types; later ones are steps, as there."""
_BUSY, _FULL = {"55P03", "40P01"}, {"53100"}
_REFUSED, _NO_LOGIN = {"25006", "42501"}, {"28000", "28P01", "3D000"}
"""SQLSTATE of: lock not available, deadlock; disk full; read-only, no privilege; no login, no database."""


class PostgresDatabase:
    """See ``provenance.registry_database.Database``."""

    def __init__(self, connection: Connection, place: str, busy_timeout_s: float) -> None:
        self._connection = connection
        self._place = place
        self._busy_ms = max(1, round(1000 * busy_timeout_s))
        self._in_transaction = False

    @classmethod
    def open(cls, url: str, *, access: Access, busy_timeout_s: float) -> PostgresDatabase:
        """As ``provenance.registry.Registry.connect``."""
        try:
            import sqlalchemy
        except ImportError as error:
            raise missing_extra("postgresql", "a registry on a server") from error
        place = checked_url(url)
        with _translated(place):
            engine = sqlalchemy.create_engine(
                url, poolclass=sqlalchemy.NullPool, connect_args={"connect_timeout": 10}
            )
            opened = cls(engine.connect(), place, busy_timeout_s)
        try:
            opened._prepare(access)
        except BaseException:
            opened.close()
            raise
        return opened

    @property
    def place(self) -> str:
        """The URL, which holds no password."""
        return self._place

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()

    def rows(self, statement: str, values: Mapping[str, Value] | None = None) -> list[tuple[Any, ...]]:
        """See ``Database``."""
        with _translated(self._place):
            found = self._run(statement, values or {}).fetchall()
            if not self._in_transaction:
                self._connection.rollback()
        return [tuple(row) for row in found]

    def change(self, statement: str, values: Mapping[str, Value]) -> int:
        """See ``Database``; only within ``transaction``."""
        with _translated(self._place):
            return int(self._run(statement, values).rowcount)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See ``Database``."""
        with _translated(self._place), self._connection.begin():
            self._run(f"SET LOCAL lock_timeout = {self._busy_ms}", {})
            self._run(f"SELECT pg_advisory_xact_lock({_WRITERS})", {})
            self._in_transaction = True
            try:
                yield
            finally:
                self._in_transaction = False

    def damage(self) -> Iterator[str]:
        """The server looks after its pages and keys itself."""
        yield from ()

    def _run(self, statement: str, values: Mapping[str, Value]) -> Any:
        from sqlalchemy import text

        return self._connection.execute(text(statement), dict(values))

    def _prepare(self, access: Access) -> None:
        if access == "create":
            with self.transaction():
                if self._version() == 0:
                    for statement in _TABLES.split(";"):
                        self._run(statement, {})
        version = self._version()
        if version == 1 and access != "read":
            version = self._second()
        if version == 0:
            raise missing(self._place, "there is no registry in this database")
        if version > _VERSION:
            raise too_new(self._place, version, _VERSION)
        if access == "read":
            with _translated(self._place):
                self._run("SET default_transaction_read_only = on", {})
                self._connection.commit()

    def _second(self) -> int:
        """From version 1 to 2, unless another process did it while this one waited."""
        with self.transaction():
            if self._version() == 1:
                unmark(self)
                self._run("INSERT INTO mediaguard_schema VALUES (2)", {})
        return self._version()

    def _version(self) -> int:
        if self.rows("SELECT to_regclass('mediaguard_schema')") == [(None,)]:
            return 0
        return int(self.rows("SELECT max(version) FROM mediaguard_schema")[0][0] or 0)


def checked_url(url: str) -> str:
    """``url``, if it is one of ours without a password, which would end up in settings, logs and messages.

    Raises:
        ConfigurationError: ``registry.url``.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415

    try:
        parts = urlsplit(url)
        secret, scheme = parts.password, parts.scheme
    except ValueError as error:
        raise _bad_url("it is no URL") from error
    if secret is not None or "password" in parts.query.lower():
        raise _bad_url("it holds a password, which belongs into PGPASSWORD or ~/.pgpass")
    if scheme != DRIVER:
        raise _bad_url(f"it does not begin with {DRIVER}://")
    return url


def _bad_url(why: str) -> ConfigurationError:
    return ConfigurationError(
        "registry.url",
        f"the registry's url cannot be used: {why}",
        where="config.toml, [registry]",
        hint=f'url = "{DRIVER}://user@host/database"',
    )


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Turn the exceptions of SQLAlchemy and its driver into ours."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        raise _error(place, error) from error
    except SQLAlchemyError as error:
        raise _unreachable(place, str(error)) from error


def _error(place: str, error: Any) -> Error:
    state = getattr(error.orig, "sqlstate", None)
    reason = str(error.orig).strip().partition("\n")[0]
    if state in _BUSY:
        return busy(place)
    if state in _FULL:
        return ConfigurationError(
            "disk.full", f"no room to write: {reason}", where=place, hint="free some space"
        )
    if state in _REFUSED:
        return unwritable(place, reason)
    if state is None or state in _NO_LOGIN or state.startswith(("08", "57P")):
        return _unreachable(place, reason)
    return damaged(place, reason)


def _unreachable(place: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        "registry.unreachable",
        f"the registry's server does not answer as it should: {reason}"[:300],
        where=place,
        hint="check the server, the url in config.toml, and PGPASSWORD or ~/.pgpass",
    )
