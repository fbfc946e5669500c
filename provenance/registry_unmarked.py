"""Releases without a mark, as earlier versions entered them: under an id that no pixel carries.

Such a row would be published as one that leads to a manifest which does not name the mark, and whoever added
the registry would count it as refused. What a manifest signs decides; the id stays claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.registry_database import Database

_MARKED = (
    "SELECT sha256, data FROM manifest WHERE sha256 > :after AND EXISTS"
    " (SELECT 1 FROM entry WHERE manifest_sha256 = sha256 AND algorithm <> '') ORDER BY sha256 LIMIT 256"
)
_UNMARK = (
    "UPDATE entry SET algorithm = '' WHERE manifest_sha256 = :sha256 AND algorithm <> '' AND NOT EXISTS"
    " (SELECT 1 FROM entry AS other WHERE other.manifest_sha256 = :sha256 AND other.algorithm = '')"
)


def unmark(database: Database) -> None:
    """Enter what names no mark as ``provenance.registry_entry.UNMARKED``; within a transaction."""
    after = ""
    while found := database.rows(_MARKED, {"after": after}):
        for sha256, data in found:
            if not _names_a_mark(data):
                database.change(_UNMARK, {"sha256": sha256})
        after = found[-1][0]


def _names_a_mark(store: bytes) -> bool:
    """Whether a manifest has a soft binding; one that cannot be read is left as it is."""
    from provenance.manifest import contents, jumbf  # noqa: PLC0415 - cryptography
    from provenance.manifest.cbor import StructureError  # noqa: PLC0415

    try:
        found = contents.assertions(store, jumbf.parse_store(store).boxes[-1])
    except (StructureError, IndexError):
        return True
    return bool(contents.statements(found)["soft_bindings"])
