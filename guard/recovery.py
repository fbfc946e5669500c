"""Mend what an interrupted release left behind.

Every release notes its intent, its partial file and its digest in a private record and holds the
record's lock while it runs. Whoever gets the lock of an unfinished record knows that its process is
gone, and the log says what to do: with an ALLOW for the recorded bytes they get their final name,
without one they are removed. ``docs/decisions/0001-nothing-on-disk-before-allow.md`` has the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

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


class Books(Protocol):
    """Log and registry, as far as mending asks them."""

    def require_latest(self) -> None:
        """Hold the one against the other before anything is mended or added.

        Raises:
            IntegrityError: ``log.behind-registry``.
        """
        ...

    def outcome(self, manifest_sha256: str, asset_sha256: str) -> int | None:
        """Where the log allows exactly these bytes, or None; the registry says the same when this returns."""
        ...

    def manifest(self, manifest_sha256: str, asset_sha256: str) -> bytes | None:
        """The manifest of released bytes; None where it is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBooks:
    """Those of this installation."""

    log: Log
    registry: Registry

    def require_latest(self) -> None:
        """See ``Books``."""
        require_latest(self.registry, self.log)

    def outcome(self, manifest_sha256: str, asset_sha256: str) -> int | None:
        """See ``Books``."""
        allowed = allowed_at(self.log, manifest_sha256, asset_sha256)
        if allowed is None:
            self.registry.discard(manifest_sha256)
        else:
            # Also where the file was lost since: the log says that it was released, and so does the registry.
            self.registry.mark_released(manifest_sha256, allowed)
        return allowed

    def manifest(self, manifest_sha256: str, asset_sha256: str) -> bytes | None:
        """See ``Books``."""
        known = self.registry.by_asset(asset_sha256)
        return next((one.manifest for one in known if one.manifest_sha256 == manifest_sha256), None)


def mend_interrupted(records: Records, log: Log, registry: Registry) -> tuple[Record, ...]:
    """Bring every interrupted release to its end, forwards or backwards.

    Nothing is mended by a log that is behind the registry: what it no longer holds may well have been
    allowed, and its bytes would be removed.

    Returns:
        The records that were mended, as they stand now.

    Raises:
        IntegrityError: ``log.behind-registry``.
    """
    return mend(records, OwnBooks(log=log, registry=registry))


def mend(records: Records, books: Books) -> tuple[Record, ...]:
    """The same by whoever keeps the books.

    Raises:
        As ``mend_interrupted``, and what ``books`` raise.
    """
    books.require_latest()
    return tuple(mended for record in records.unfinished() for mended in _mend(record, records, books))


def settle(
    record_id: str, records: Records, books: Books, *, otherwise: Progress = Progress.ABANDONED
) -> Record:
    """Bring one release to its end; the caller holds its lock.

    Args:
        otherwise: how it ended if its bytes may not have their final name.
    """
    record = records.read(record_id)
    if record.progress not in UNFINISHED:
        return record
    allowed = None
    if record.manifest_sha256 is not None:
        allowed = books.outcome(record.manifest_sha256, record.asset_sha256 or "")
    if allowed is not None and _finished(record, books):
        ended = replace(record, progress=Progress.RELEASED)
    else:
        Path(record.partial_path).unlink(missing_ok=True)
        ended = replace(record, progress=otherwise)
    records.write(ended)
    return ended


def _mend(record: Record, records: Records, books: Books) -> Iterator[Record]:
    lock = records.lock_path(record.record_id)
    try:
        with locked(lock, timeout_s=0.0):
            yield settle(record.record_id, records, books)
            lock.unlink(missing_ok=True)
    except ConfigurationError as error:
        if error.code != "lock.timeout":
            raise
        # Its process is alive and at work; it will finish by itself.


def _finished(record: Record, books: Books) -> bool:
    """Give the partial file its name; False when what lies there may not have it."""
    partial, final = Path(record.partial_path), Path(record.final_path)
    _place_beside(record, books, partial if partial.exists() else final)
    if not partial.exists():
        return final.exists() and _digest(final) == record.asset_sha256  # interrupted after the rename
    if _digest(partial) != record.asset_sha256:
        return False
    try:
        replace_atomically(partial, final, overwrite=record.force)
    except InputError:
        return False  # the name was taken since; what stands there stays
    return True


def _place_beside(record: Record, books: Books, media: Path) -> None:
    """The manifest of a file that has no place for it, as the release does before it renames."""
    if record.sidecar_path is None or not media.exists() or _digest(media) != record.asset_sha256:
        return
    manifest = books.manifest(record.manifest_sha256 or "", record.asset_sha256 or "")
    if manifest is not None:
        write_sidecar(Path(record.sidecar_path), manifest)


def _digest(path: Path) -> str:
    return sha256_of(FileBytes(path))
