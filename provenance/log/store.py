"""The log on disk: one writer at a time, any number of readers, no server.

The invariants, in the order in which an append keeps them:

1. Only the holder of ``.lock`` writes.
2. Entries are durable before their hashes are, and hashes before a checkpoint covers them.
3. A checkpoint is replaced by renaming, so there is always exactly one, whole and signed.
4. What the checkpoint covers is never changed; what lies beyond it was never acknowledged, and the next
   writer cuts it off.

So after a crash at any point the log is what its checkpoint says: all of an append or nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.files import MAKE_OR_RESTORE, disk_errors, fsync_folder
from provenance.locks import locked
from provenance.log import merkle
from provenance.log.checkpoint import Checkpoint, NoteSigner, NoteVerifier, open_checkpoint, sign_checkpoint
from provenance.log.tiles import MAX_ENTRY_BYTES, TILE_WIDTH, Tiles
from provenance.log.writing import (
    CHECKPOINT,
    Appended,
    Step,
    append,
    checked_frontier,
    publish,
    recover,
    unobserved,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from provenance.log.audit import Earlier, LogReport
    from provenance.log.leaves import DecisionLeaf

_LOCK = ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log below ``folder``. Holds no state of its own: several processes may each have one.

    Attributes:
        folder: where the log is.
        verifier: whose checkpoints are believed.
        signer: needed to append.
        step: called with the name of each step of an append after it is done.
        lock_timeout_s: how long an append waits for another writer.
    """

    folder: Path
    verifier: NoteVerifier
    signer: NoteSigner | None = None
    step: Step = unobserved
    lock_timeout_s: float = 10.0

    @classmethod
    def create(cls, folder: Path, signer: NoteSigner, *, step: Step = unobserved) -> Log:
        """A new, empty log with its first checkpoint.

        Raises:
            ConfigurationError: ``log.exists``.
            IntegrityError: ``log.checkpoint-missing`` when there are entries but no checkpoint.
        """
        log = cls(folder=folder, verifier=signer.verifier, signer=signer, step=step)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            fsync_folder(folder.parent)
        with locked(folder / _LOCK, log.lock_timeout_s):
            if (folder / CHECKPOINT).exists():
                raise ConfigurationError("log.exists", "there is a log here already", where=str(folder))
            if (folder / "tile").exists():
                raise _checkpoint_missing(folder)
            empty = Checkpoint(origin=signer.name, size=0, root=merkle.EMPTY_ROOT)
            publish(folder, sign_checkpoint(empty, signer), step)
        return log

    @classmethod
    def open(
        cls,
        folder: Path,
        verifier: NoteVerifier,
        *,
        signer: NoteSigner | None = None,
        step: Step = unobserved,
    ) -> Log:
        """The log below ``folder``; with a ``signer`` also what a crash left uncovered is cut off.

        Opening checks the checkpoint and that the tiles give its root, not each entry: ``verify`` does that.
        To audit a log that may be damaged, make a ``Log(folder=…, verifier=…)`` and call ``verify``.

        Raises:
            ConfigurationError: ``log.missing``, ``lock.timeout``.
            IntegrityError: any ``log.…`` code of damage to what the checkpoint covers.
        """
        log = cls(folder=folder, verifier=verifier, signer=signer, step=step)
        if signer is None:
            checked_frontier(log.tiles, log.checkpoint())
            return log
        log.checkpoint()
        with locked(folder / _LOCK, log.lock_timeout_s):
            recover(log.tiles, log.checkpoint())
        return log

    @property
    def tiles(self) -> Tiles:
        """The files behind the log."""
        return Tiles(folder=self.folder)

    def note(self) -> bytes:
        """The current signed checkpoint, as published.

        Raises:
            ConfigurationError: ``log.missing``.
            IntegrityError: ``log.checkpoint-missing``.
        """
        try:
            return (self.folder / CHECKPOINT).read_bytes()
        except FileNotFoundError as error:
            if (self.folder / "tile").exists():
                raise _checkpoint_missing(self.folder) from error
            raise ConfigurationError(
                "log.missing", "there is no log here", where=str(self.folder), hint=MAKE_OR_RESTORE
            ) from error

    def checkpoint(self) -> Checkpoint:
        """The current head, its signature checked."""
        return open_checkpoint(self.note(), self.verifier)

    def append(self, entries: Sequence[bytes]) -> Appended:
        """Write ``entries`` behind all others under one new checkpoint; durable when this returns.

        Raises:
            InputError: ``log.entry-too-large`` (65,535 bytes are the most).
            ConfigurationError: ``log.read-only``, ``lock.timeout``, ``disk.full``.
            IntegrityError: the log is damaged; nothing is added to it.
        """
        if self.signer is None:
            raise ConfigurationError(
                "log.read-only", "appending needs the log key", hint="open it with the log key"
            )
        require_fitting(entries)
        with locked(self.folder / _LOCK, self.lock_timeout_s):
            old = self.checkpoint()
            if not entries:
                return Appended(indexes=(), checkpoint=old, note=self.note())
            frontier = recover(self.tiles, old)
            with disk_errors(self.folder):
                return append(self.tiles, frontier, entries, self.signer, self.step)

    def entry(self, index: int) -> bytes:
        """One entry, checked against its leaf hash.

        Raises:
            InputError: ``log.no-entry``.
            IntegrityError: ``log.entry-changed`` or ``log.entry-missing``.
        """
        size = self.checkpoint().size
        if not 0 <= index < size:
            raise InputError("log.no-entry", f"the log has {size} entries, none is number {index}")
        return self._bundle(index // TILE_WIDTH, size)[index % TILE_WIDTH]

    def entries(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """All entries from ``start`` that the current checkpoint covers, with their index, each checked."""
        size = self.checkpoint().size
        for number in range(start // TILE_WIDTH, -(-size // TILE_WIDTH)):
            for offset, entry in enumerate(self._bundle(number, size)):
                if number * TILE_WIDTH + offset >= start:
                    yield number * TILE_WIDTH + offset, entry

    def prove_inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """PATH(index, D[size]); ``size`` defaults to the current one.

        Raises:
            InputError: ``log.no-proof``.
        """
        size = self._covered(size)
        if not 0 <= index < size:
            raise InputError("log.no-proof", f"no entry {index} is among the first {size}")
        return merkle.inclusion_proof(index, size, self.tiles.range_hash)

    def consistency(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """PROOF(old, D[size]) that the tree of ``size`` extends the one of ``old``.

        Raises:
            InputError: ``log.no-proof``.
        """
        size = self._covered(size)
        if not 0 <= old <= size:
            raise InputError("log.no-proof", f"{old} entries are more than {size}")
        return merkle.consistency_proof(old, size, self.tiles.range_hash) if old else ()

    def decisions_for(self, manifest_sha256: str) -> tuple[tuple[int, DecisionLeaf], ...]:
        """Every decision about a manifest with its index, oldest first. Reads the whole log."""
        from provenance.log.leaves import decisions_for  # noqa: PLC0415 - leaves know logs, not the reverse

        return decisions_for(self, manifest_sha256)

    def verify(self, known: Sequence[bytes | Earlier] = ()) -> LogReport:
        """Read all that the checkpoint covers and compare; see ``provenance.log.audit``."""
        from provenance.log.audit import audit  # noqa: PLC0415 - audit imports this file's values

        return audit(self.tiles, self.note(), self.verifier, known)

    def _covered(self, size: int | None) -> int:
        current = self.checkpoint().size
        if size is not None and size > current:
            raise InputError("log.no-proof", f"the log has {current} entries, not {size}")
        return current if size is None else size

    def _bundle(self, number: int, size: int) -> tuple[bytes, ...]:
        return self.tiles.checked_entries(number, min(TILE_WIDTH, size - number * TILE_WIDTH))


def require_fitting(entries: Sequence[bytes]) -> None:
    """No entry is larger than its length can say.

    Raises:
        InputError: ``log.entry-too-large``.
    """
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise InputError(
                "log.entry-too-large", f"an entry has {len(entry)} bytes, {MAX_ENTRY_BYTES} are the most"
            )


def _checkpoint_missing(folder: Path) -> IntegrityError:
    return IntegrityError(
        "log.checkpoint-missing",
        "there are log entries but no checkpoint",
        where=str(folder),
        hint="restore it",
    )
