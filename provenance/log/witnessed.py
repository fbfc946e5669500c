"""The owner's side of witnessing: whose cosignatures count, and the checkpoints that carry them.

``witnesses`` in the log's folder lists public keys, one a line; ``witnessed/<size>`` is the checkpoint
over that many entries with every cosignature that was brought back for it. A cosigned checkpoint that
the log does not contain is not filed but reported: somebody has seen another history.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError, IntegrityError
from provenance.files import read_bounded, write_public
from provenance.log.checkpoint import MOST_NOTE_BYTES, Checkpoint, open_checkpoint
from provenance.log.cosignature import WitnessVerifier, cosignatures, merged, only_by
from provenance.log.writing import CHECKPOINT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provenance.log.checkpoint import NoteVerifier
    from provenance.log.cosignature import Cosignature
    from provenance.log.store import Log
    from provenance.log.tiles import Tiles

WITNESSED = "witnessed"
"""Folder of cosigned checkpoints, in the log's folder and in an export of it."""
_KEYS = "witnesses"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
STAMP = ".tsr"
"""Ending of a time-stamp token (RFC 3161, DER) beside the checkpoint that it is over."""
MOST_STAMP_BYTES = 65_536


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
    write_public(log.folder / _KEYS, text.encode(), overwrite=True)
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
    write_public(path, note, overwrite=True)
    return Witnessed(checkpoint=seen, note=note, by=cosignatures(note, known))


def file_stamp(log: Log, token: bytes, checkpoint: Checkpoint, note: bytes) -> Path:
    """File a time-stamp token over ``stamped_bytes`` of ``note``, beside that checkpoint; its path."""
    path = log.folder / WITNESSED / str(checkpoint.size)
    path.parent.mkdir(exist_ok=True)
    if note_of(log.folder, checkpoint) is None:
        write_public(path, only_by(note, (log.verifier,)), overwrite=True)
    stamp = path.with_name(path.name + STAMP)
    write_public(stamp, token, overwrite=True)
    return stamp


def stamped_bytes(note: bytes, verifier: NoteVerifier) -> bytes:
    """What a time-stamp on a checkpoint is over: the note as the log alone signed it."""
    return only_by(note, (verifier,))


def stamps(folder: Path, verifier: NoteVerifier) -> tuple[tuple[Checkpoint, bytes, bytes], ...]:
    """Every filed token with its checkpoint and the bytes that it has to be over, smallest first.

    Raises:
        IntegrityError: as ``open_checkpoint``.
    """
    found = []
    for size in sizes(folder):
        path = folder / WITNESSED / str(size)
        token = path.with_name(path.name + STAMP)
        if token.exists():
            note = read_bounded(path, most=MOST_NOTE_BYTES)
            data = stamped_bytes(note, verifier)
            found.append((open_checkpoint(note, verifier), data, read_bounded(token, most=MOST_STAMP_BYTES)))
    return tuple(found)


def require_contained(log: Log, seen: Checkpoint) -> None:
    """The log's own tree begins with the one of ``seen``.

    Raises:
        IntegrityError: ``log.truncated``, ``log.forked``.
    """
    problem = contradiction(log.tiles, log.checkpoint().size, seen)
    if problem is not None:
        problem.where = str(log.folder)
        raise problem


def contradiction(tiles: Tiles, size: int, seen: Checkpoint) -> IntegrityError | None:
    """Why a tree of ``size`` entries does not begin with the one of ``seen``; None when it does.

    Raises:
        IntegrityError: ``log.tile-missing`` when the tiles are damaged.
    """
    if seen.size > size:
        what = f"a checkpoint over {seen.size} entries is known, the log has {size}"
        return IntegrityError("log.truncated", what, hint="guard log verify")
    if tiles.frontier(seen.size).root() != seen.root:
        what = f"the first {seen.size} entries are not those that the known checkpoint covers"
        return IntegrityError("log.forked", what, hint="guard log verify")
    return None


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
    return tuple(sorted(int(path.name) for path in found if _SIZE.fullmatch(path.name)))


def witnessed(
    folder: Path, verifier: NoteVerifier, known: Sequence[WitnessVerifier]
) -> tuple[Witnessed, ...]:
    """Every filed checkpoint that one of ``known`` has signed, smallest first; also in a published copy.

    A copy's own checkpoint counts too, where it carries cosignatures.

    Raises:
        IntegrityError: a filed checkpoint is damaged or not of this log, or its signatures are false.
    """
    found: dict[int, Witnessed] = {}
    for path in [*(folder / WITNESSED / str(size) for size in sizes(folder)), folder / CHECKPOINT]:
        note = read_bounded(path, most=MOST_NOTE_BYTES)
        by = cosignatures(note, known)
        if by:
            seen = open_checkpoint(note, verifier)
            found[seen.size] = Witnessed(checkpoint=seen, note=note, by=by)
    return tuple(found[size] for size in sorted(found))


def _bad_list(folder: Path) -> IntegrityError:
    what, hint = "the list of the log's witnesses cannot be read", "restore it, or write one key a line"
    return IntegrityError("log.witness-key", what, where=str(folder / _KEYS), hint=hint)
