"""Rows of the look-up tables of a published registry, whose types are checked once, here.

A row that is malformed answers nothing and hides no other: it is left out, and counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from provenance.registry_layout import (
    BY_BINDING,
    BY_CONTENT,
    BY_REFERENCE,
    bucket_hash,
    bucket_path,
    is_manifest_id,
    parsed_value,
)

_ALGORITHM, _KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,80}"), re.compile(r"[0-9a-f]{16}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_EPOCH = 2**53
"""Beyond it JSON's numbers are not whole everywhere, and databases take none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one row says.

    Attributes:
        manifest_sha256: which manifest it leads to.
        value: id in a mark, fingerprint, or digest of a file, each in its table.
        algorithm: of the mark or the fingerprint; empty for a file.
        key_id: of the key that finds the mark; empty in the other tables.
        epoch: of that key.
    """

    manifest_sha256: str
    value: bytes
    algorithm: str = ""
    key_id: str = ""
    epoch: int = 0

    @property
    def mark(self) -> tuple[str, str, int, bytes]:
        """What a look-up by id asks for."""
        return self.algorithm, self.key_id, self.epoch, self.value

    def place(self, table: str, prefix: int) -> str:
        """The file of ``table`` in which it belongs."""
        if table == BY_BINDING:
            return bucket_path(table, bucket_hash(*self.mark), prefix)
        return bucket_path(table, self.value.hex() if table == BY_REFERENCE else self.manifest_sha256, prefix)


def row_of(table: str, row: object) -> Row | None:
    """A row of ``table`` as it stands in the file; None where a field is missing or of another type."""
    if not isinstance(row, dict):
        return None
    read = {BY_BINDING: _binding, BY_CONTENT: _content, BY_REFERENCE: _reference}[table]
    return read(row) if is_manifest_id(row.get("manifestId")) else None


def _binding(row: dict[str, Any]) -> Row | None:
    found, key_id, epoch = _content(row), row.get("keyId"), row.get("epoch")
    whole = type(epoch) is int and 0 <= epoch < MOST_EPOCH
    if found is None or not whole or not _is(_KEY_ID, key_id):
        return None
    return Row(
        manifest_sha256=found.manifest_sha256,
        value=found.value,
        algorithm=found.algorithm,
        key_id=row["keyId"],
        epoch=row["epoch"],
    )


def _content(row: dict[str, Any]) -> Row | None:
    value = parsed_value(row.get("value"))
    if value is None or not _is(_ALGORITHM, row.get("alg")):
        return None
    return Row(manifest_sha256=row["manifestId"], value=value, algorithm=row["alg"])


def _reference(row: dict[str, Any]) -> Row | None:
    if not _is(_DIGEST, row.get("sha256")):
        return None
    return Row(manifest_sha256=row["manifestId"], value=bytes.fromhex(row["sha256"]))


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
