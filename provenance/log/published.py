"""A published log, read from a local copy of it: what a witness or any stranger looks at.

The layout is that of C2SP tlog-tiles, which gives the incomplete tiles at the right edge names of their
own (``<N>.p/<W>``). The owner's working folder, where such a tile grows in place, reads the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.files import read_bounded
from provenance.log.checkpoint import MOST_NOTE_BYTES, NoteVerifier, open_checkpoint
from provenance.log.tiles import MOST_BYTES, TILE_WIDTH, Tiles, hashes_at, tile_path
from provenance.log.writing import CHECKPOINT

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.log.checkpoint import Checkpoint
    from provenance.log.tiles import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTiles(Tiles):
    """The tiles of a published log under a checkpoint over ``size`` entries."""

    size: int

    def read(self, level: Level, index: int) -> bytes:
        """The tile's bytes: the whole one where there is one, else the partial one of ``size``.

        A copy may come from anybody: no more is read than a tile can have, and nothing but files.

        Raises:
            InputError: as ``read_bounded``, except for a file that is not there.
        """
        whole = _bytes_of(self.path(level, index))
        width = hashes_at(0 if level == "entries" else level, self.size) - index * TILE_WIDTH
        if whole or not 0 < width < TILE_WIDTH:
            return whole
        return _bytes_of(self.folder / tile_path(level, index, width))


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A copy of a published log, and the key it is held against.

    Attributes:
        folder: with ``checkpoint`` and ``tile/``.
        note: the checkpoint as it lies there.
        head: the same, its signature checked.
        tiles: the files that it covers.
    """

    folder: Path
    note: bytes
    head: Checkpoint
    tiles: PublishedTiles

    @classmethod
    def open(cls, folder: Path, verifier: NoteVerifier) -> Published:
        """The log in ``folder``; only its checkpoint is looked at.

        Raises:
            InputError: ``log.not-published``; as ``read_bounded``.
            IntegrityError: as ``open_checkpoint``.
        """
        try:
            note = read_bounded(folder / CHECKPOINT, most=MOST_NOTE_BYTES)
        except InputError as error:
            if error.code != "input.missing":
                raise
            what = "there is no log in this folder: it has no checkpoint"
            hint = "name the folder that guard log export wrote, or a copy of it"
            raise InputError("log.not-published", what, where=str(folder), hint=hint) from error
        head = open_checkpoint(note, verifier)
        return cls(folder=folder, note=note, head=head, tiles=PublishedTiles(folder=folder, size=head.size))


def _bytes_of(path: Path) -> bytes:
    try:
        return read_bounded(path, most=MOST_BYTES)
    except InputError as error:
        if error.code == "input.missing":
            return b""
        raise
