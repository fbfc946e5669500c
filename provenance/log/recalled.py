"""What a log says was withdrawn, found without parsing all of it.

``verify`` asks this of its own log each time, so bundles are searched for the word that only withdrawals
have, and only those with it are parsed. Hashes are not computed: ``guard log verify`` does that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from provenance.log.leaves import WithdrawalLeaf, parse_leaf
from provenance.log.published import Published
from provenance.log.tiles import TILE_WIDTH, unframed

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.log.checkpoint import NoteVerifier
    from provenance.log.tiles import Tiles

_WORD = b'"type":"withdrawal"'
"""As canonical JSON writes it; digests beside it cannot hold a quotation mark."""


def withdrawal_leaves(tiles: Tiles, size: int) -> dict[int, WithdrawalLeaf]:
    """Every withdrawal among the first ``size`` entries, by its place.

    Raises:
        IntegrityError: ``log.entry-missing``, ``log.leaf-malformed``.
    """
    found: dict[int, WithdrawalLeaf] = {}
    for number in range(-(-size // TILE_WIDTH)):
        start = number * TILE_WIDTH
        entries, _ = unframed(tiles.read("entries", number), min(TILE_WIDTH, size - start))
        for offset, entry in enumerate(entries):
            if _WORD in entry:
                leaf = parse_leaf(entry)
                if isinstance(leaf, WithdrawalLeaf):
                    found[start + offset] = leaf
    return found


def recalled_in(folder: Path, verifier: NoteVerifier) -> dict[int, WithdrawalLeaf]:
    """The same of the log below ``folder``, all that its checkpoint covers; read once for each checkpoint.

    Raises:
        InputError, IntegrityError: as ``Published.open`` and ``withdrawal_leaves``.
    """
    opened = Published.open(folder, verifier)
    return dict(_read(folder, opened.note, verifier))


@lru_cache(maxsize=8)
def _read(folder: Path, note: bytes, verifier: NoteVerifier) -> dict[int, WithdrawalLeaf]:
    del note  # a checkpoint names one log: with another there is something to read again
    opened = Published.open(folder, verifier)
    return withdrawal_leaves(opened.tiles, opened.head.size)
