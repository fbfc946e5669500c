"""Private records: what a release keeps to itself, one 0600 file each.

A record is written before anything else happens (the intent) and says afterwards how it ended, so
that a crash between any two steps can be told apart and mended (``guard.recovery``). It is the
only place where a plain prompt is kept, beside the key of the commitments made to it: erase the
record and nobody can link the published commitment to the prompt any more.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from provenance.errors import ConfigurationError, InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA_VERSION = 1
_RECORD_ID = re.compile(r"[0-9a-f]{32}")


class Progress(StrEnum):
    """How far a release came."""

    INTENT = "intent"
    """Begun. Nothing of it may stand under its final name."""
    WRITTEN = "written"
    """Allowed; the finished bytes lie, synced, under ``partial_path``."""
    RELEASED = "released"
    """Logged and renamed to ``final_path``."""
    DENIED = "denied"
    """Policy said no; nothing was kept."""
    ABANDONED = "abandoned"
    """Interrupted before it was allowed and logged; cleaned up later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One release, from its private side.

    Attributes:
        record_id: 32 hex characters, random.
        commitment_key: hex of the 32-byte HMAC key of every commitment of this release.
        created_at: RFC 3339, UTC.
        partial_path: where the finished bytes wait before the rename.
        final_path: where they go.
        content_id: hex of the 64-bit id; the mark's payload where there is a mark.
        progress: how far it came.
        force: whether they may replace a file of that name.
        prompt: as asked; None for media made elsewhere.
        negative_prompt: as asked.
        edits: what prompt review changed, as JSON text.
        recipe: canonical JSON of the recipe, None for media made elsewhere.
        drawing: how it was drawn, as JSON text (``guard.drawing``), None for media made elsewhere.
        asset_sha256: the released bytes.
        manifest_sha256: their manifest.
        decision: the publish decision, as JSON text.
        sidecar_path: where the manifest goes that lies beside the file, None for all others.
    """

    record_id: str
    commitment_key: str
    created_at: str
    partial_path: str
    final_path: str
    content_id: str
    progress: Progress = Progress.INTENT
    force: bool = False
    prompt: str | None = None
    negative_prompt: str | None = None
    edits: str | None = None
    recipe: str | None = None
    asset_sha256: str | None = None
    manifest_sha256: str | None = None
    decision: str | None = None
    sidecar_path: str | None = None
    drawing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The folder of records."""

    folder: Path

    def write(self, record: Record) -> None:
        """Write or replace one record, atomically and synced."""
        from provenance.files import write_private  # noqa: PLC0415

        body = {"schema_version": SCHEMA_VERSION, **asdict(record)}
        text = json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True)
        write_private(self._path(record.record_id), text.encode("utf-8", "surrogatepass"), overwrite=True)

    def read(self, record_id: str) -> Record:
        """One record.

        Raises:
            IntegrityError: ``record.damaged`` when the file is not a record.
        """
        path = self._path(record_id)
        try:
            return _parse(path.read_text(encoding="utf-8", errors="surrogatepass"))
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise IntegrityError(
                "record.damaged",
                "a private record cannot be read",
                where=str(path),
                hint="restore it from a backup, or move it away: its release can then no longer be explained",
            ) from error

    def unfinished(self) -> Iterator[Record]:
        """Records whose lock file was left behind: their release was interrupted, or is running."""
        for lock in sorted(self.folder.glob("*.lock")):
            if self._path(lock.stem).is_file():
                yield self.read(lock.stem)
            else:
                lock.unlink(missing_ok=True)  # interrupted before its intent was on disk: nothing began

    def of_asset(self, sha256: str) -> tuple[str, ...]:
        """Ids of the records whose release ended in bytes with this digest.

        Raises:
            IntegrityError: ``record.damaged`` for any record that cannot be read: it may be the one.
        """
        return tuple(one.record_id for one in self.all() if one.asset_sha256 == sha256)

    def all(self) -> Iterator[Record]:
        """Every record.

        Raises:
            IntegrityError: ``record.damaged``, on reaching one that cannot be read.
        """
        for path in sorted(self.folder.glob("*.json")):
            if is_record_id(path.stem):
                yield self.read(path.stem)

    def require_erasable(self, record_id: str) -> None:
        """Raises:
        InputError: ``record.unknown``.
        ConfigurationError: ``record.in-use`` while its release is under way, or waits to be mended.
        """
        path = self._path(record_id)
        if not path.exists():
            what, hint = "there is no private record of this id", "its id is its file name in records/"
            raise InputError("record.unknown", what, where=str(path), hint=hint)
        if self.lock_path(record_id).exists():
            what = "the release of this record has not ended, and is mended by what the record says"
            hint = "wait for it, or run any guard release first: it mends what was interrupted"
            raise ConfigurationError("record.in-use", what, where=str(path), hint=hint)

    def erase(self, record_id: str) -> None:
        """Remove a record for good: what it alone held is gone, what it committed to stays in the log.

        Raises:
            As ``require_erasable``; ``InputError`` ``output.unwritable``.
        """
        from provenance.files import disk_errors, fsync_folder  # noqa: PLC0415

        self.require_erasable(record_id)
        with disk_errors(self._path(record_id)):
            self._path(record_id).unlink()
            fsync_folder(self.folder)

    def lock_path(self, record_id: str) -> Path:
        """Held by the process at work on a record; removed when its release has ended."""
        return self._path(record_id).with_suffix(".lock")

    def _path(self, record_id: str) -> Path:
        if not is_record_id(record_id):
            raise ValueError(f"not a record id: {record_id!r}")
        return self.folder / f"{record_id}.json"


def is_record_id(text: str) -> bool:
    """Whether ``text`` is spelled like the id of a record."""
    return _RECORD_ID.fullmatch(text) is not None


def _parse(text: str) -> Record:
    body: dict[str, Any] = json.loads(text)
    # Records of earlier versions lack later fields, which have defaults.
    if body.pop("schema_version") != SCHEMA_VERSION or not set(body) <= {f.name for f in fields(Record)}:
        raise ValueError("unknown layout")
    body["progress"] = Progress(body["progress"])
    return Record(**body)
