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

    from provenance.log.merkle import Frontier

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


def append(
    tiles: Tiles, frontier: Frontier, entries: Sequence[bytes], signer: NoteSigner, step: Step
) -> Appended:
    """Entries, hashes, checkpoint; each durable before the next begins.

    Args:
        tiles: the log's files, holding nothing beyond ``frontier`` (see ``recover``).
        frontier: the tree so far; grows along.
        entries: at least one, each at most 65,535 bytes.
        signer: signs the new checkpoint.
        step: told ``"entries written"``, ``"entries synced"``, …, ``"folder synced"``.
    """
    size, hashes = frontier.size, [merkle.leaf_hash(entry) for entry in entries]
    # (1) entries
    _write("entries", tiles.grow("entries", size, [framed(entry) for entry in entries]), step)
    # (2) hashes
    _write("hashes", _grow_hashes(tiles, size, hashes), step)
    # (3) checkpoint
    for leaf in hashes:
        frontier.push(leaf)
    head = Checkpoint(origin=signer.name, size=frontier.size, root=frontier.root())
    note = sign_checkpoint(head, signer)
    publish(tiles.folder, note, step)
    return Appended(indexes=tuple(range(size, head.size)), checkpoint=head, note=note)


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


def recover(tiles: Tiles, head: Checkpoint) -> Frontier:
    """Check the growing end of what ``head`` covers, then cut off what it does not cover.

    Returns:
        The right edge of the tree, from which it grows on.

    Raises:
        IntegrityError: covered data are damaged; then nothing is cut.
    """
    frontier = checked_frontier(tiles, head)
    number, width = divmod(head.size, TILE_WIDTH)
    growing = tiles.checked_entries(number, width) if width else ()
    with disk_errors(tiles.folder):
        tiles.cut("entries", head.size, sum(len(framed(entry)) for entry in growing))
        for level in range(MAX_LEVEL + 1):
            count = hashes_at(level, head.size)
            tiles.cut(level, count, count % TILE_WIDTH * merkle.HASH_BYTES)
            if count == 0:
                break
        for stray in temporaries_in(tiles.folder):
            stray.unlink()
    return frontier


def checked_frontier(tiles: Tiles, head: Checkpoint) -> Frontier:
    """The right edge of the stored tree, after checking that it gives the root of ``head``.

    Reads O(log size) tiles.

    Raises:
        IntegrityError: ``log.root-mismatch`` or ``log.tile-missing``.
    """
    frontier = tiles.frontier(head.size)
    if frontier.root() != head.root:
        raise IntegrityError(
            "log.root-mismatch",
            f"the stored hashes do not give the root of the checkpoint over {head.size} entries",
            where=str(tiles.folder),
            hint="guard log verify",
        )
    return frontier


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
