"""The owner's side of witnessing: whose cosignatures count, and the checkpoints that carry them.

``witnesses`` in the log's folder lists public keys, one a line; ``witnessed/<size>`` is the checkpoint
over that many entries with every cosignature that was brought back for it. A cosigned checkpoint that
the log does not contain is not filed but reported: somebody has seen another history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError, IntegrityError
from provenance.files import PUBLIC, replace_atomically, write_temporary
from provenance.log.checkpoint import Checkpoint, open_checkpoint
from provenance.log.cosignature import WitnessVerifier, cosignatures, merged, only_by

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.log.cosignature import Cosignature
    from provenance.log.store import Log

WITNESSED = "witnessed"
"""Folder of cosigned checkpoints, in the log's folder and in an export of it."""
_KEYS = "witnesses"
STAMP = ".tsr"
"""Ending of a time-stamp token beside the checkpoint that it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A checkpoint of the log that others vouch for.

    Attributes:
        checkpoint: what they saw.
        note: its signed form with their signatures.
        by: who, and when.
    """

    checkpoint: Checkpoint
    note: bytes
    by: tuple[Cosignature, ...]


def witnesses(folder: Path) -> tuple[WitnessVerifier, ...]:
    """The witnesses of the log in ``folder``.

    Raises:
        IntegrityError: ``log.witness-key`` when the list was changed by something else.
    """
    try:
        lines = (folder / _KEYS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except UnicodeDecodeError as error:
        raise _bad_list(folder) from error
    try:
        return tuple(WitnessVerifier.parse(line) for line in lines)
    except ValueError as error:
        raise _bad_list(folder) from error


def add_witness(log: Log, witness: WitnessVerifier) -> bool:
    """Let the cosignatures of ``witness`` count; False when they do already.

    Raises:
        InputError: ``log.own-witness`` for the log's own key, ``log.witness-name`` for a name in use.
    """
    if witness.public_key == log.verifier.public_key:
        raise InputError(
            "log.own-witness",
            "a log cannot be its own witness",
            hint="the key of somebody else counts: guard log witness new, on their machine",
        )
    known = witnesses(log.folder)
    if witness in known:
        return False
    if any(witness.name == other.name for other in known) or witness.name == log.verifier.name:
        what = f"{witness.name} is the name of another key here"
        raise InputError("log.witness-name", what, hint="a witness that changes its key takes a new name")
    text = "".join(f"{one}\n" for one in (*known, witness))
    _write(log.folder / _KEYS, text.encode())
    return True


def accept(log: Log, note: bytes) -> Witnessed:
    """File the cosignatures under ``note``, a checkpoint of this log that witnesses have signed.

    Returns:
        The checkpoint with all cosignatures that are now known for it.

    Raises:
        InputError: ``log.no-cosignature`` where no known witness has signed.
        IntegrityError: ``log.forked`` or ``log.truncated`` when the log does not contain what they saw;
            the ``open_checkpoint`` and ``cosignatures`` codes.
    """
    seen = open_checkpoint(note, log.verifier)
    known = witnesses(log.folder)
    if not cosignatures(note, known):
        raise InputError(
            "log.no-cosignature",
            "no witness of this log has signed the checkpoint",
            hint="guard log witness add KEY, with the public key that the witness gave you",
        )
    require_contained(log, seen)
    note = only_by(merged(note_of(log.folder, seen) or note, note), (log.verifier, *known))
    path = log.folder / WITNESSED / str(seen.size)
    path.parent.mkdir(exist_ok=True)
    _write(path, note)
    return Witnessed(checkpoint=seen, note=note, by=cosignatures(note, known))


def require_contained(log: Log, seen: Checkpoint) -> None:
    """The log's own tree begins with the one of ``seen``.

    Raises:
        IntegrityError: ``log.truncated``, ``log.forked``.
    """
    size = log.checkpoint().size
    if seen.size > size:
        what = f"a checkpoint over {seen.size} entries is known, the log has {size}"
        raise IntegrityError("log.truncated", what, where=str(log.folder), hint="guard log verify")
    if log.tiles.frontier(seen.size).root() != seen.root:
        what = f"the first {seen.size} entries are not those that the witnessed checkpoint covers"
        raise IntegrityError("log.forked", what, where=str(log.folder), hint="guard log verify")


def note_of(folder: Path, checkpoint: Checkpoint) -> bytes | None:
    """The filed checkpoint with cosignatures, if it is this one."""
    try:
        note = (folder / WITNESSED / str(checkpoint.size)).read_bytes()
    except FileNotFoundError:
        return None
    return note if note.startswith(f"{checkpoint.text()}\n".encode()) else None


def sizes(folder: Path) -> tuple[int, ...]:
    """Sizes for which a cosigned checkpoint is filed, smallest first."""
    found = (folder / WITNESSED).glob("*")
    return tuple(sorted(int(path.name) for path in found if path.name.isdecimal()))


def witnessed(log: Log) -> tuple[Witnessed, ...]:
    """Every filed checkpoint with at least one cosignature that counts, smallest first.

    Raises:
        IntegrityError: a filed checkpoint is damaged, or its signatures are false.
    """
    known, found = witnesses(log.folder), []
    for size in sizes(log.folder):
        note = (log.folder / WITNESSED / str(size)).read_bytes()
        by = cosignatures(note, known)
        if by:
            found.append(Witnessed(checkpoint=open_checkpoint(note, log.verifier), note=note, by=by))
    return tuple(found)


def _write(path: Path, data: bytes) -> None:
    replace_atomically(write_temporary(path, data, mode=PUBLIC), path)


def _bad_list(folder: Path) -> IntegrityError:
    what, hint = "the list of the log's witnesses cannot be read", "restore it, or write one key a line"
    return IntegrityError("log.witness-key", what, where=str(folder / _KEYS), hint=hint)
