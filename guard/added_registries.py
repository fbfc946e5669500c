"""How the copies of added registries do: how old they are, and whether all of each can still be read."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from provenance.errors import Error
from provenance.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guard.home import Home
    from provenance.registry_kept import KeptRegistries
    from provenance.registry_published import PublishedRegistry
    from provenance.registry_state import Kept

OLD_DAYS = 30
"""A copy older than that may miss what was released or withdrawn since."""


def looks_at_added(home: Home, now: datetime) -> Iterator[tuple[str, Callable[[], str]]]:
    """Name of each added registry, and a look at its copy, which says how old it is.

    The looks raise ``registry.published-damaged`` and the like.
    """
    from guard.registries import kept_registries  # noqa: PLC0415

    known = kept_registries(home)
    for name in known.names():
        yield name, partial(_look, known, name, now)


def _look(known: KeptRegistries, name: str, now: datetime) -> str:
    from provenance.registry_layout import manifest_ids  # noqa: PLC0415 - cryptography

    try:
        kept, copy = whole(known, name)
    except Error as error:
        remove = f"guard registry remove {name}, then guard registry add: compare its key again"
        error.hint = f"guard registry update {name}; or {remove}"
        raise
    old = f", which is old: guard registry update {name}" if is_old(kept, now) else ""
    count = len(manifest_ids(copy.sums))
    return f"{count} manifests, all readable; fetched {_ago(kept.fetched_at, now)}{old}"


def whole(known: KeptRegistries, name: str) -> tuple[Kept, PublishedRegistry]:
    """What is known of a copy, and the copy, if every file of it is there as its publisher signed it.

    Raises:
        IntegrityError: ``registry.published-…``.
        ConfigurationError: ``disk.failed`` and the like.
    """
    kept = known.get(name)
    with disk_errors(known.folder / name):
        copy = known.open(name)
        copy.check_files()
    return kept, copy


def is_old(kept: Kept, now: datetime) -> bool:
    """Whether a copy should be brought up to date."""
    return (now - datetime.fromtimestamp(kept.fetched_at, UTC)).days > OLD_DAYS


def _ago(moment: int, now: datetime) -> str:
    days = (now - datetime.fromtimestamp(moment, UTC)).days
    return "today" if days < 1 else f"{days} days ago" if days > 1 else "yesterday"
