"""Publish a log as static files that any web server or folder can serve (C2SP tlog-tiles v1.0.0).

The order: full and partial tiles and entry bundles, then cosigned checkpoints, the checkpoint last. So at
every moment a reader finds everything that the checkpoint it sees covers, and an export that was
interrupted is ended by the next one. Nothing that is immutable is written twice. A place that holds
another log, or more of this log than there is here, is left alone: that is the alarm of a lost log.

What an export gives away: every entry with its time, and with each checkpoint how many there were when.
A checkpoint over one new entry dates exactly this release to whoever looks often; ``batch`` publishes
only whole batches, so that a reader learns of a release together with its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.locks import locked
from provenance.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from provenance.log.cosignature import merged
from provenance.log.merkle import EMPTY_ROOT, tree_hash
from provenance.log.target import FolderTarget
from provenance.log.tiles import MAX_LEVEL, TILE_WIDTH, framed, hashes_at, tile_path
from provenance.log.witnessed import STAMP, WITNESSED, note_of, require_contained, sizes
from provenance.log.writing import CHECKPOINT, Step, checked_frontier, unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.log.store import Log
    from provenance.log.target import Target
    from provenance.log.tiles import Tiles

_LOCK = ".export-lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did.

    Attributes:
        checkpoint: the head that is published now.
        note: its signed form, with the cosignatures there are for it.
        before: how many entries were published before.
        withheld: entries of the log that wait for their batch to be full.
        written: names of the files that were made or replaced.
    """

    checkpoint: Checkpoint
    note: bytes
    before: int
    withheld: int
    written: tuple[str, ...]


def export_log(log: Log, target: Target | Path, *, batch: int = 1, step: Step = unobserved) -> Exported:
    """Bring ``target`` up to date with ``log``.

    Args:
        log: with its signer where ``batch`` is more than 1: a checkpoint at a boundary has to be signed.
        target: a folder, or any place for files.
        batch: entries are published only in whole batches of this many.
        step: told the name of each file after it was written.

    Raises:
        InputError: ``log.batch`` for a batch below 1.
        ConfigurationError: ``log.read-only`` where a checkpoint cannot be signed; ``disk.full``,
            ``remote.failed``, ``lock.timeout``.
        IntegrityError: ``log.truncated``, ``log.forked`` against what is published; ``log.export-conflict``
            for files of another log; the codes of damage to the log itself. Then the checkpoint is left.
    """
    if batch < 1:
        raise InputError("log.batch", "a batch has at least one entry", hint="guard log export --batch 256")
    place = FolderTarget(folder=target) if isinstance(target, Path) else target
    with locked(log.folder / _LOCK, log.lock_timeout_s):
        return _export(log, place, batch, step)


def _export(log: Log, target: Target, batch: int, step: Step) -> Exported:
    """Numbered as in the module's text."""
    whole = log.checkpoint()
    checked_frontier(log.tiles, whole)
    old_note = target.read(CHECKPOINT)
    before = _published(log, old_note, target)
    head, note = whole, log.note()
    if (size := max(whole.size - whole.size % batch, before)) != whole.size:
        head, note = _boundary(log, size)
    written: list[str] = []

    def put(name: str, data: bytes) -> None:
        target.write(name, data)
        written.append(name)
        step(name)

    # (1) tiles and bundles
    for name, data in _files(log.tiles, before, head.size):
        if _wanted(target, name, data):
            put(name, data)
    # (2) cosigned checkpoints and time-stamps on them
    for name, data in _vouchers(log, head.size):
        if target.read(name) != data:
            put(name, data)
    # (3) the checkpoint
    cosigned = note_of(log.folder, head)
    note = note if cosigned is None else merged(note, cosigned)
    if old_note != note:
        put(CHECKPOINT, note)
    return Exported(
        checkpoint=head, note=note, before=before, withheld=whole.size - head.size, written=tuple(written)
    )


def _published(log: Log, note: bytes | None, target: Target) -> int:
    """How many entries are published already, after holding that checkpoint against the log."""
    if note is None:
        return 0
    try:
        published = open_checkpoint(note, log.verifier)
    except IntegrityError as error:
        raise _conflict(CHECKPOINT, target) from error
    require_contained(log, published)
    return published.size


def _boundary(log: Log, size: int) -> tuple[Checkpoint, bytes]:
    """A checkpoint over the first ``size`` entries. Signed anew it has the same bytes every time."""
    if log.signer is None:
        what = "a checkpoint at the end of a batch has to be signed, and the log key is not here"
        raise ConfigurationError("log.read-only", what, where=str(log.folder), hint="guard log export")
    root = log.tiles.frontier(size).root() if size else EMPTY_ROOT
    head = Checkpoint(origin=log.signer.name, size=size, root=root)
    return head, sign_checkpoint(head, log.signer)


def _files(tiles: Tiles, before: int, size: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every tile and bundle that a tree of ``size`` has beyond one of ``before``."""
    for index, width in _new_tiles(before, size):
        entries = tiles.checked_entries(index, width)
        yield tile_path("entries", index, width), b"".join(map(framed, entries))
    for level in range(MAX_LEVEL + 1):
        for index, width in _new_tiles(hashes_at(level, before), hashes_at(level, size)):
            hashes = tiles.hashes(level, index * TILE_WIDTH, index * TILE_WIDTH + width)
            if width == TILE_WIDTH:
                _require_parent(tiles, level, index, hashes)
            yield tile_path(level, index, width), b"".join(hashes)


def _new_tiles(before: int, size: int) -> Iterator[tuple[int, int]]:
    """Index and width of the tiles that ``size`` items fill and ``before`` items did not."""
    if size == before:
        return
    for index in range(before // TILE_WIDTH, -(-size // TILE_WIDTH)):
        yield index, min(TILE_WIDTH, size - index * TILE_WIDTH)


def _require_parent(tiles: Tiles, level: int, index: int, hashes: tuple[bytes, ...]) -> None:
    """A full tile is immutable once it is out, so it has to be right: its root stands one level up."""
    if level < MAX_LEVEL and tiles.hashes(level + 1, index, index + 1) != (tree_hash(hashes),):
        what, where = f"tile {index} of level {level} is not what was logged", str(tiles.path(level, index))
        raise IntegrityError("log.tile-changed", what, where=where, hint="guard log verify")


def _wanted(target: Target, name: str, data: bytes) -> bool:
    """False where an interrupted export has written it; a torn file is shorter and written again."""
    there = target.read(name)
    if there is None or len(there) < len(data):
        return True
    if there != data:
        raise _conflict(name, target)
    return False


def _vouchers(log: Log, size: int) -> Iterator[tuple[str, bytes]]:
    for filed in sizes(log.folder):
        if filed <= size:
            path = log.folder / WITNESSED / str(filed)
            yield f"{WITNESSED}/{filed}", path.read_bytes()
            token = path.with_name(path.name + STAMP)
            if token.exists():
                yield f"{WITNESSED}/{token.name}", token.read_bytes()


def _conflict(name: str, target: Target) -> IntegrityError:
    return IntegrityError(
        "log.export-conflict",
        f"{name} at the place of the export is not of this log",
        where=str(getattr(target, "folder", getattr(target, "root", ""))),
        hint="export to an empty place",
    )
