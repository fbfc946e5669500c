"""A whole registry from one database to another, for an installation that outgrows its file.

    1. nobody else writes to either; the source is whole, the target holds nothing
    2. every row is copied, in one transaction of the target
    3. what the target gives back is what the source holds, row by row

Nothing is taken from the source. Where any step fails, the target is as empty as before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.registry_database import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from provenance.registry_database import Database

_TABLES = {
    "reservation": ("algorithm", "key_id", "epoch", "content_id"),
    "entry": (
        "algorithm",
        "key_id",
        "epoch",
        "content_id",
        "manifest_sha256",
        "asset_sha256",
        "mime",
        "created_at",
        "state",
        "log_index",
    ),
    "fingerprint": ("manifest_sha256", "bits"),
}
"""But for the manifests, which are large, and the numbers of entries, of which only the order counts."""
_MANIFESTS = "SELECT sha256, data FROM manifest WHERE sha256 > :after ORDER BY sha256 LIMIT 64"
_STORE = "INSERT INTO manifest (sha256, data) VALUES (:sha256, :data)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How much was copied, and read back the same.

    Attributes:
        entries: released and pending.
        manifests: that entries lead to.
        ids: claimed, those without an entry included.
        fingerprints: of how pictures look.
    """

    entries: int
    manifests: int
    ids: int
    fingerprints: int


def move(source: Database, target: Database) -> Moved:
    """Copy everything in ``source`` into ``target``; numbered as in the module's text.

    Args:
        source: open for writing, so that nobody else writes meanwhile.
        target: open for writing; it has the tables, and nothing in them.

    Raises:
        InputError: ``registry.not-empty``.
        IntegrityError: ``registry.damaged``: the source, or what came back from the target.
        ConfigurationError: as ``provenance.registry.Registry``.
    """
    with source.transaction(), target.transaction():
        for message in source.damage():  # (1)
            raise damaged(source.place, message)
        _require_empty(target)
        for sha256, data in _manifests(source):  # (2)
            target.change(_STORE, {"sha256": sha256, "data": data})
        for table, columns in _TABLES.items():
            _copy(source, target, table, columns)
        manifests = _compared(source, target)  # (3)
        counts = {table: _same(source, target, table) for table in _TABLES}
    return Moved(
        entries=counts["entry"],
        manifests=manifests,
        ids=counts["reservation"],
        fingerprints=counts["fingerprint"],
    )


def _require_empty(target: Database) -> None:
    for table in ("manifest", *_TABLES):
        if target.rows(f"SELECT 1 FROM {table} LIMIT 1"):  # noqa: S608 - our own names
            raise InputError(
                "registry.not-empty",
                "the registry there holds something already",
                where=target.place,
                hint="name an empty database; a registry is that of one installation",
            )


def _manifests(database: Database) -> Iterator[tuple[str, bytes]]:
    """All of them, in the order of their digests, which they have.

    Raises:
        IntegrityError: ``registry.damaged``.
    """
    after = ""
    while found := database.rows(_MANIFESTS, {"after": after}):
        for sha256, data in found:
            if hashlib.sha256(data).hexdigest() != sha256:
                raise damaged(database.place, f"manifest {sha256[:16]}… is not what was stored")
            yield sha256, data
        after = found[-1][0]


def _copy(source: Database, target: Database, table: str, columns: tuple[str, ...]) -> None:
    named = ", ".join(f":{column}" for column in columns)
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({named})"  # noqa: S608 - our own names
    for row in _rows(source, table):
        target.change(insert, dict(zip(columns, row, strict=True)))


def _rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    """Every row; entries in the order in which they were made, which look-ups answer in."""
    chosen = f"SELECT {', '.join(_TABLES[table])} FROM {table}"  # noqa: S608 - our own names
    if table == "entry":
        return database.rows(f"{chosen} ORDER BY number")
    return sorted(database.rows(chosen))  # databases order texts each in their own way


def _compared(source: Database, target: Database) -> int:
    """How many manifests there are, the same in both: each has the digest it goes by."""
    here, there = ([sha256 for sha256, _ in _manifests(one)] for one in (source, target))
    if here != there:
        raise _otherwise(target)
    return len(there)


def _same(source: Database, target: Database, table: str) -> int:
    """How many rows of a table there are, the same in both."""
    there = _rows(target, table)
    if there != _rows(source, table):
        raise _otherwise(target)
    return len(there)


def _otherwise(target: Database) -> Exception:
    return damaged(target.place, "it does not give back what was written into it; nothing was kept there")
