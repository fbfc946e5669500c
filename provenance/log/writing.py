"""The steps of an append, and what undoes a half one. The caller holds the lock (see ``store``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from provenance.errors import IntegrityError
from provenance.files import disk_errors, fsync_folder, temporaries_in, temporary_beside
from provenance.log import merkle
from provenance.log.checkpoint import Checkpoint, NoteSigner, sign_checkpoint
from provenance.log.tiles import MAX_LEVEL, TILE_WIDTH, Tiles, framed, hashes_at, synced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Step: TypeAlias = Callable[[str], None]
"""Told the name of each step after it is done."""
CHECKPOINT = "checkpoint"


def unobserved(_: str) -> None:
    """The ``Step`` when nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What an append did.

    Attributes:
        indexes: where the entries are, in the order given.
        checkpoint: the head that covers them.
        note: the signed form of that head.
    """

    indexes: tuple[int, ...]
    checkpoint: Checkpoint
    note: bytes


def append(tiles: Tiles, size: int, entries: Sequence[bytes], signer: NoteSigner, step: Step) -> Appended:
    """Entries, hashes, checkpoint; each durable before the next begins.

    Args:
        tiles: the log's files, holding exactly ``size`` entries (see ``recover``).
        size: entries so far.
        entries: at least one, each at most 65,535 bytes.
        signer: signs the new checkpoint.
        step: told ``"entries written"``, ``"entries synced"``, …, ``"folder synced"``.
    """
    # (1) entries
    _write("entries", tiles.grow("entries", size, [framed(entry) for entry in entries]), step)
    # (2) hashes
    _write("hashes", _grow_hashes(tiles, size, [merkle.leaf_hash(entry) for entry in entries]), step)
    # (3) checkpoint
    new_size = size + len(entries)
    head = Checkpoint(origin=signer.name, size=new_size, root=tiles.range_hash(0, new_size))
    note = sign_checkpoint(head, signer)
    publish(tiles.folder, note, step)
    return Appended(indexes=tuple(range(size, new_size)), checkpoint=head, note=note)


def publish(folder: Path, note: bytes, step: Step) -> None:
    """Replace the checkpoint by ``note``, durably and in one piece."""
    temporary = temporary_beside(folder / CHECKPOINT)
    with disk_errors(folder):
        temporary.write_bytes(note)
        step("checkpoint written")
        synced([temporary])
        step("checkpoint synced")
        temporary.replace(folder / CHECKPOINT)
        step("checkpoint renamed")
        fsync_folder(folder)
        step("folder synced")


def recover(tiles: Tiles, head: Checkpoint) -> None:
    """Check the growing end of what ``head`` covers, then cut off what it does not cover.

    Raises:
        IntegrityError: covered data are damaged; then nothing is cut.
    """
    check_root(tiles, head)
    number, width = divmod(head.size, TILE_WIDTH)
    growing = tiles.checked_entries(number, width) if width else ()
    with disk_errors(tiles.folder):
        tiles.cut("entries", head.size, sum(len(framed(entry)) for entry in growing))
        for level in range(MAX_LEVEL + 1):
            count = hashes_at(level, head.size)
            tiles.cut(level, count, count % TILE_WIDTH * merkle.HASH_BYTES)
        for stray in temporaries_in(tiles.folder):
            stray.unlink()


def check_root(tiles: Tiles, head: Checkpoint) -> None:
    """Make sure that the stored hashes give the root of ``head``; reads O(log size) of them.

    Raises:
        IntegrityError: ``log.root-mismatch`` or ``log.tile-missing``.
    """
    root = tiles.range_hash(0, head.size) if head.size else merkle.EMPTY_ROOT
    if root != head.root:
        raise IntegrityError(
            "log.root-mismatch",
            f"the stored hashes do not give the root of the checkpoint over {head.size} entries",
            where=str(tiles.folder),
            hint="guard log verify",
        )


def _write(what: str, paths: Iterator[Path], step: Step) -> None:
    written = list(paths)
    step(f"{what} written")
    synced(written)
    step(f"{what} synced")


def _grow_hashes(tiles: Tiles, size: int, hashes: Sequence[bytes]) -> Iterator[Path]:
    """Level 0, and on every level above the hashes of the tiles that became full."""
    level, start = 0, size
    while hashes:
        yield from tiles.grow(level, start, hashes)
        full = range(start // TILE_WIDTH, (start + len(hashes)) // TILE_WIDTH)
        whole = [tiles.hashes(level, at * TILE_WIDTH, (at + 1) * TILE_WIDTH) for at in full]
        hashes = [merkle.tree_hash(tile) for tile in whole]
        level, start = level + 1, full.start
