"""Mend what an interrupted release left behind.

Every release notes its intent, its partial file and its digest in a private record and holds the
record's lock while it runs. Whoever gets the lock of an unfinished record knows that its process is
gone, and the log says what to do: with an ALLOW for the recorded bytes they get their final name,
without one they are removed. ``docs/decisions/0001-nothing-on-disk-before-allow.md`` has the table.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from guard.agreement import require_latest
from guard.records import Progress
from provenance.errors import ConfigurationError, InputError
from provenance.files import replace_atomically
from provenance.locks import locked
from provenance.log.leaves import allowed_at
from provenance.manifest.sidecar import write_sidecar
from provenance.stored import FileBytes, sha256_of

UNFINISHED = frozenset({Progress.INTENT, Progress.WRITTEN})

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guard.records import Record, Records
    from provenance.log.store import Log
    from provenance.registry import Registry


def mend_interrupted(records: Records, log: Log, registry: Registry) -> tuple[Record, ...]:
    """Bring every interrupted release to its end, forwards or backwards.

    Nothing is mended by a log that is behind the registry: what it no longer holds may well have been
    allowed, and its bytes would be removed.

    Returns:
        The records that were mended, as they stand now.

    Raises:
        IntegrityError: ``log.behind-registry``.
    """
    require_latest(registry, log)
    return tuple(
        mended for record in records.unfinished() for mended in _mend(record, records, log, registry)
    )


def settle(
    record_id: str,
    records: Records,
    log: Log,
    registry: Registry,
    *,
    otherwise: Progress = Progress.ABANDONED,
) -> Record:
    """Bring one release to its end; the caller holds its lock.

    Args:
        otherwise: how it ended if its bytes may not have their final name.
    """
    record = records.read(record_id)
    if record.progress not in UNFINISHED:
        return record
    allowed = _allowed_at(record, log)
    if allowed is not None:
        # Also where the file was lost since: the log says that it was released, and so does the registry.
        registry.mark_released(record.manifest_sha256 or "", allowed)
    elif record.manifest_sha256 is not None:
        registry.discard(record.manifest_sha256)
    if allowed is not None and _finished(record, registry):
        ended = replace(record, progress=Progress.RELEASED)
    else:
        Path(record.partial_path).unlink(missing_ok=True)
        ended = replace(record, progress=otherwise)
    records.write(ended)
    return ended


def _mend(record: Record, records: Records, log: Log, registry: Registry) -> Iterator[Record]:
    lock = records.lock_path(record.record_id)
    try:
        with locked(lock, timeout_s=0.0):
            yield settle(record.record_id, records, log, registry)
            lock.unlink(missing_ok=True)
    except ConfigurationError as error:
        if error.code != "lock.timeout":
            raise
        # Its process is alive and at work; it will finish by itself.


def _allowed_at(record: Record, log: Log) -> int | None:
    if record.manifest_sha256 is None or record.asset_sha256 is None:
        return None
    return allowed_at(log, record.manifest_sha256, record.asset_sha256)


def _finished(record: Record, registry: Registry) -> bool:
    """Give the partial file its name; False when what lies there may not have it."""
    partial, final = Path(record.partial_path), Path(record.final_path)
    _place_beside(record, registry, partial if partial.exists() else final)
    if not partial.exists():
        return final.exists() and _digest(final) == record.asset_sha256  # interrupted after the rename
    if _digest(partial) != record.asset_sha256:
        return False
    try:
        replace_atomically(partial, final, overwrite=record.force)
    except InputError:
        return False  # the name was taken since; what stands there stays
    return True


def _place_beside(record: Record, registry: Registry, media: Path) -> None:
    """The manifest of a file that has no place for it, as the release does before it renames."""
    if record.sidecar_path is None or not media.exists() or _digest(media) != record.asset_sha256:
        return
    for entry in registry.by_asset(record.asset_sha256 or ""):
        if entry.manifest_sha256 == record.manifest_sha256:
            write_sidecar(Path(record.sidecar_path), entry.manifest)


def _digest(path: Path) -> str:
    return sha256_of(FileBytes(path))
