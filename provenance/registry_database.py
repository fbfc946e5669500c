"""What the registry's logic asks of a database: the same SQL, run by SQLite or by PostgreSQL.

Statements have named parameters (``:name``) and stay within what both understand. So there is one logic
(``provenance.registry``) and two small back ends; a home without a server never loads SQLAlchemy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from provenance.errors import ConfigurationError, IntegrityError
from provenance.files import MAKE_OR_RESTORE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

Access: TypeAlias = Literal["read", "write", "create"]
"""``"create"`` makes the tables where there are none; ``"read"`` changes nothing."""
Value: TypeAlias = str | int | bytes | None


class Database(Protocol):
    """One open database; it serves one thread. Every method raises the errors of ``Registry``."""

    @property
    def place(self) -> str:
        """Where it is, for messages; never with a password."""
        ...

    def rows(self, statement: str, values: Mapping[str, Value] | None = None) -> list[tuple[Any, ...]]:
        """What a SELECT gives."""
        ...

    def change(self, statement: str, values: Mapping[str, Value]) -> int:
        """How many rows a statement changed."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; one writer at a time, others wait up to their time-out."""
        ...

    def damage(self) -> Iterator[str]:
        """What the database itself finds wrong, in words."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


def on_server(place: str) -> bool:
    """Whether the ``place`` of a database is an address, and no file."""
    return "://" in place


def damaged(place: str, why: str) -> IntegrityError:
    """The registry contradicts itself."""
    return IntegrityError(
        "registry.damaged",
        f"the registry is damaged: {why}",
        where=place,
        hint="restore the database from a dump of it" if on_server(place) else "restore a copy of it",
    )


def missing(place: str, what: str) -> ConfigurationError:
    """There is no registry where one was asked for."""
    return ConfigurationError("registry.missing", what, where=place, hint=MAKE_OR_RESTORE)


def busy(place: str) -> ConfigurationError:
    """Another process writes, and goes on writing."""
    return ConfigurationError(
        "registry.busy",
        "another process keeps the registry locked",
        where=place,
        hint="try again in a moment",
    )


def unwritable(place: str, reason: str) -> ConfigurationError:
    """Permissions are missing."""
    return ConfigurationError(
        "registry.unwritable",
        f"the registry cannot be used: {reason}",
        where=place,
        hint="check what the role in the url is granted" if on_server(place) else "check its permissions",
    )


def too_new(place: str, version: int, known: int) -> ConfigurationError:
    """A later mediaguard wrote it."""
    return ConfigurationError(
        "registry.too-new",
        f"the registry has schema {version}, this mediaguard knows {known}",
        where=place,
        hint="pip install --upgrade mediaguard",
    )
