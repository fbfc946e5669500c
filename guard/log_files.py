"""Checkpoints that stand in published files: each file is a witness of the log that it quotes.

The checkpoint is signed by the log itself, so it counts however the file around it fares: whoever holds
one copy of one picture can tell that entries before it were changed, left out, moved or cut off. It counts by
the key, under whatever name: a key that shows one history here and another one there has forked its log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import Error, IntegrityError
from provenance.log.audit import Earlier, LogProblem
from provenance.log.checkpoint import open_by_key, open_checkpoint, parse_checkpoint, split_note

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from guard.inputs import Named
    from provenance.log.checkpoint import NoteVerifier

NO_CHECKPOINT = "it quotes no checkpoint of a log"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWitness:
    """What a published file says of the log.

    Attributes:
        file: its path.
        size: entries that its checkpoint covers; None where there is none of this log.
        reason: why there is none; for one under another name, that name.
    """

    file: str
    size: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What all files say.

    Attributes:
        files: one by one.
        earlier: the checkpoints to hold the log against.
        problems: checkpoints in the log's name that its key has not signed.
        errors: files that could not be read.
    """

    files: tuple[FileWitness, ...]
    earlier: tuple[Earlier, ...]
    problems: tuple[LogProblem, ...]
    errors: tuple[tuple[Path, Error], ...]


def gathered(named: Iterable[Named], verifier: NoteVerifier) -> Gathered:
    """Read the checkpoint out of each file."""
    files, earlier, problems, errors = [], [], [], []
    for one in named:
        try:
            note = _checkpoint_in(one)
        except Error as error:
            errors.append((one.path, error))
            continue
        try:
            found = _judged(str(one.path), note, verifier)
        except IntegrityError as error:
            problems.append(LogProblem(code=error.code, what=f"{one.path}: {error.what}"))
            continue
        files.append(found)
        if found.size is not None:
            earlier.append(Earlier(note=note, source=f"quoted in {one.path}"))
    return Gathered(
        files=tuple(files), earlier=tuple(earlier), problems=tuple(problems), errors=tuple(errors)
    )


def _judged(file: str, note: bytes, verifier: NoteVerifier) -> FileWitness:
    """Raises ``IntegrityError`` where the note claims this log and is not signed by it."""
    if not note:
        return FileWitness(file=file, reason=NO_CHECKPOINT)
    origin = parse_checkpoint(split_note(note)[0]).origin
    if origin == verifier.name:
        return FileWitness(file=file, size=open_checkpoint(note, verifier).size)
    try:
        size = open_by_key(note, verifier).size
    except IntegrityError:
        return FileWitness(file=file, reason=f"its checkpoint is of another log, {origin}")
    return FileWitness(file=file, size=size, reason=f"this log's key signed it under the name {origin}")


def _checkpoint_in(named: Named) -> bytes:
    from guard.inputs import stdin_asset  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415 - Pillow
    from provenance.manifest.read import read_manifest  # noqa: PLC0415 - c2pa
    from provenance.manifest.sidecar import read_sidecar  # noqa: PLC0415
    from provenance.manifest.trust import TrustLists  # noqa: PLC0415

    if named.problem is not None:
        raise named.problem
    if named.skipped is not None:
        return b""
    asset = stdin_asset() if named.stdin else read_asset(named.path)
    beside = None if named.stdin else read_sidecar(named.path, asset.mime)
    reading = read_manifest(asset, TrustLists(), sidecar=beside)
    return (reading.log_checkpoint or "").encode()
