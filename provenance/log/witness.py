"""The witness's side: sign a log's checkpoint only if it extends the one signed before, and never forget.

The steps, under a lock for the log's key (C2SP tlog-witness, ``add-checkpoint``):

1. Read the checkpoint and check the log's signature.
2. Read the last checkpoint that was signed for this log.
3. Refuse a smaller tree, and one whose proof does not lead from the last; keep the refused checkpoint,
   which together with the last one proves that the log's key signed two histories.
4. Store the new checkpoint, durably.
5. Sign.

So a witness killed between any two steps has never signed what it does not remember. A log is told by its
key: one that appears under a second name has to extend what was signed under the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import Error, InputError, IntegrityError
from provenance.files import fsync_folder, write_private
from provenance.locks import locked
from provenance.log.checkpoint import Checkpoint, NoteVerifier, open_checkpoint
from provenance.log.cosignature import only_by
from provenance.log.merkle import EMPTY_ROOT
from provenance.log.proof import ConsistencyProof, prove_consistency
from provenance.log.writing import unobserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provenance.log.cosignature import WitnessSigner
    from provenance.log.published import Published
    from provenance.log.writing import Step

    Prove = Callable[[Checkpoint], ConsistencyProof]
    """Gives the proof from a checkpoint that the witness remembers."""

_LAST = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessing:
    """What a witness did.

    Attributes:
        before: entries in the last tree that it had signed; 0 on first sight.
        checkpoint: what it signed now.
        note: the checkpoint with the log's signature and its own.
        time: the time in its signature, seconds since 1970.
    """

    before: int
    checkpoint: Checkpoint
    note: bytes
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Somebody who remembers.

    Attributes:
        folder: its memory, one folder a log. Losing it means trusting the next checkpoint unseen.
        signer: its key.
        clock: seconds since 1970.
        step: told ``"remembered"`` once the checkpoint is durable and before it is signed.
        lock_timeout_s: how long it waits for another process at work on the same log.
    """

    folder: Path
    signer: WitnessSigner
    clock: Callable[[], int]
    step: Step = unobserved
    lock_timeout_s: float = 10.0

    def cosign_copy(self, published: Published, log: NoteVerifier) -> Witnessing:
        """Sign the checkpoint of a copy of the log; the proof is made from the copy's own tiles.

        Raises:
            As ``cosign``; ``log.root-mismatch`` or ``log.tile-missing`` when the copy is damaged.
        """

        def prove(last: Checkpoint) -> ConsistencyProof:
            head = published.head
            if published.tiles.frontier(head.size).root() != head.root:
                what = f"the hashes of this copy do not give the root over {head.size} entries"
                raise IntegrityError("log.root-mismatch", what, hint="copy the published log again")
            return prove_consistency(published.tiles, published.note, head.size, min(last.size, head.size))

        return self.cosign(published.note, log, prove)

    def cosign_request(self, request: ConsistencyProof, log: NoteVerifier) -> Witnessing:
        """Sign the checkpoint that ``request`` ends in.

        Raises:
            InputError: ``log.witness-size`` when it does not begin where this witness last signed.
            As ``cosign``.
        """

        def prove(last: Checkpoint) -> ConsistencyProof:
            if request.old_size != last.size:
                what = f"the proof begins at {request.old_size} entries, this witness last saw {last.size}"
                hint = f"ask the log's owner for a proof from {last.size} entries on"
                raise InputError("log.witness-size", what, hint=hint)
            return request

        return self.cosign(request.note, log, prove)

    def cosign(self, note: bytes, log: NoteVerifier, prove: Prove) -> Witnessing:
        """Sign ``note`` if it extends what was signed before; numbered as in the module's text.

        Raises:
            IntegrityError: ``log.truncated``, ``log.forked``; as ``open_checkpoint``.
            InputError: ``log.own-witness`` when the witness has the log's own key.
            ConfigurationError: ``lock.timeout``, ``disk.full``.
        """
        if self.signer.verifier.public_key == log.public_key:
            what, hint = "a log cannot be its own witness", "guard log witness new makes a key"
            raise InputError("log.own-witness", what, hint=hint)
        head = open_checkpoint(note, log)  # (1)
        memory = self._memory(log)
        with locked(self.folder / f".{_named(log.public_key)}.lock", self.lock_timeout_s):
            last = self.last(log)  # (2)
            try:
                self._require_extension(last, head, log, prove)  # (3)
            except IntegrityError:
                _keep(memory, note)
                raise
            bare = only_by(note, [log])
            write_private(memory / _LAST, bare, overwrite=True)  # (4)
            self.step("remembered")
            time = self.clock()
            signed = self.signer.cosign(bare, time)  # (5)
        return Witnessing(before=last.size, checkpoint=head, note=signed, time=time)

    def last(self, log: NoteVerifier) -> Checkpoint:
        """The last checkpoint that was signed for the key of ``log``, under whatever name.

        The empty tree before the first.

        Raises:
            IntegrityError: ``log.witness-memory`` when the memory does not hold such a checkpoint.
        """
        found = [self._last(one) for one in (log, *self._other_names(log))]
        return max(found, key=lambda one: one.size)

    def _last(self, log: NoteVerifier) -> Checkpoint:
        path = self._folder(log) / _LAST
        try:
            return open_checkpoint(path.read_bytes(), log)
        except FileNotFoundError:
            return Checkpoint(origin=log.name, size=0, root=EMPTY_ROOT)
        except Error as error:
            raise _lost(path, error.what) from error

    def _other_names(self, log: NoteVerifier) -> Iterator[NoteVerifier]:
        """Logs of the same key that this witness knows by other names."""
        for path in sorted(self.folder.glob("*/log")):
            try:
                other = NoteVerifier.parse(path.read_text(encoding="utf-8").strip())
            except ValueError as error:
                raise _lost(path, str(error)) from error
            if other.public_key == log.public_key and other != log:
                yield other

    def _require_extension(self, last: Checkpoint, head: Checkpoint, log: NoteVerifier, prove: Prove) -> None:
        if head.size < last.size:
            what = f"this witness signed a tree of {last.size} entries, now the log shows {head.size}"
            raise IntegrityError("log.truncated", what, hint="tell everybody who relies on this log")
        prove(last).check(last, log)

    def _folder(self, log: NoteVerifier) -> Path:
        """By key and origin: another key under the same name is another log."""
        return self.folder / _named(str(log).encode())

    def _memory(self, log: NoteVerifier) -> Path:
        folder = self._folder(log)
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(folder / "log", f"{log}\n".encode(), overwrite=True)
            fsync_folder(self.folder)
        return folder


def _named(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _lost(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        "log.witness-memory",
        f"what this witness signed last cannot be read: {why}",
        where=str(path),
        hint="restore it from a copy; without it this witness cannot vouch for the log's past",
    )


def _keep(memory: Path, note: bytes) -> None:
    """Evidence: one file a checkpoint that was refused."""
    path = memory / f"refused-{hashlib.sha256(note).hexdigest()[:16]}"
    if not path.exists():
        write_private(path, note, overwrite=True)
