"""What was withdrawn under logs that this installation had before (docs/guide/log.md).

Whoever loses the key of the log begins another, which knows nothing of what was withdrawn until then. The
list of that stays in the home folder under another name, ``withdrawn-….json``, and counts here for good. It
has no log beside it any more, so nothing completes it: where it cannot be read, nothing passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.recalls import Book
from provenance.errors import Error, IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

    from guard.home import Home

LISTS = "withdrawn-*.json"


def earlier_books(home: Home) -> tuple[Book, ...]:
    """One for each of these lists, in the order of their names; mostly there is none."""
    return tuple(_book(path) for path in sorted(home.folder.glob(LISTS)))


def _book(path: Path) -> Book:
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.registry_layout import MOST_JSON  # noqa: PLC0415
    from provenance.registry_withdrawn import parse_withdrawals  # noqa: PLC0415

    try:
        withdrawn = parse_withdrawals(read_bounded(path, most=MOST_JSON), path.name)
    except Error as error:
        why = error.what.rpartition(": ")[2]
        what = f"what was withdrawn under an earlier log cannot be read ({path.name}): {why}"
        hint = "restore it from a copy"
        damage = IntegrityError("registry.withdrawals-damaged", what, where=str(path), hint=hint)
        return Book(publisher=None, key=None, damage=damage)
    return Book(publisher=None, key=None, withdrawn=withdrawn)
