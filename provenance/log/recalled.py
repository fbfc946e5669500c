"""What a log says was withdrawn, found without parsing all of it.

``verify`` asks this of its own log each time. Bundles are searched for the word that only withdrawals have,
and only those with it are parsed. The own log has an index besides (``provenance.log.recall_index``): entries
that it covers are not read again, those behind it are hashed up to the signed root, so nothing that was
changed in the files goes unnoticed here either. Of a copy that somebody else published no index is believed,
and hashes are not computed: that its log holds what its list says was checked when it was added.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from provenance.errors import Error, IntegrityError
from provenance.log.leaves import WithdrawalLeaf, parse_leaf
from provenance.log.merkle import leaf_hash
from provenance.log.published import Published
from provenance.log.recall_index import RecallIndex, read_index, write_index
from provenance.log.tiles import TILE_WIDTH, unframed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.log.checkpoint import NoteSigner, NoteVerifier
    from provenance.log.tiles import Tiles

_WORD = b'"type":"withdrawal"'
"""As canonical JSON writes it; digests beside it cannot hold a quotation mark."""
_BEHIND = TILE_WIDTH
"""Entries behind the index at which it is written anew: hashing fewer takes less time than writing it."""


def withdrawal_leaves(tiles: Tiles, size: int) -> dict[int, WithdrawalLeaf]:
    """Every withdrawal among the first ``size`` entries, by its place.

    Raises:
        IntegrityError: ``log.entry-missing``, ``log.leaf-malformed``.
    """
    return {at: leaf for at, entry in _entries(tiles, 0, size) if (leaf := _withdrawal(entry)) is not None}


def recalled_in(folder: Path, verifier: NoteVerifier) -> dict[int, WithdrawalLeaf]:
    """The same of the log below ``folder``, all that its checkpoint covers; read once for each checkpoint.

    Raises:
        InputError, IntegrityError: as ``Published.open`` and ``withdrawal_leaves``.
    """
    opened = Published.open(folder, verifier)
    return dict(_read(folder, opened.note, verifier))


def recalled_here(folder: Path, signer: NoteSigner) -> dict[int, WithdrawalLeaf]:
    """The same of an installation's own log, by its index, which is brought up to date where it is behind.

    Where the index cannot be written, the next one to ask reads the same entries again.

    Raises:
        InputError, IntegrityError: as ``recalled_in``; ``log.root-mismatch`` where entries do not give the
            signed root.
    """
    opened = Published.open(folder, signer.verifier)
    known = read_index(folder, signer.verifier)
    found = None
    if known.size:
        with suppress(IntegrityError):  # an index of another history, whatever it says: all is read again
            found = _extended(opened, known)
    if found is None:
        known = RecallIndex()
        found = _extended(opened, known)
    if found.size - known.size >= _BEHIND:
        with suppress(Error):
            write_index(folder, found, signer)
    return dict(found.leaves)


def _extended(opened: Published, known: RecallIndex) -> RecallIndex:
    """``known`` and what the log holds behind it.

    Raises:
        IntegrityError: ``log.root-mismatch``, ``log.entry-missing``.
    """
    frontier = known.frontier()
    leaves = dict(known.leaves)
    for at, entry in _entries(opened.tiles, known.size, opened.head.size):
        frontier.push(leaf_hash(entry))
        leaf = _withdrawal(entry)
        if leaf is not None:
            leaves[at] = leaf
    if (frontier.size, frontier.root()) != (opened.head.size, opened.head.root):
        what = f"the {opened.head.size} entries of the log do not give their signed root"
        hint = "guard log verify"
        raise IntegrityError("log.root-mismatch", what, where=str(opened.folder), hint=hint)
    return RecallIndex(size=frontier.size, peaks=tuple(frontier.peaks), leaves=leaves)


def _entries(tiles: Tiles, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    for number in range(start // TILE_WIDTH, -(-end // TILE_WIDTH) if start < end else 0):
        first = number * TILE_WIDTH
        entries, _ = unframed(tiles.read("entries", number), min(TILE_WIDTH, end - first))
        for offset in range(max(0, start - first), len(entries)):
            yield first + offset, entries[offset]


def _withdrawal(entry: bytes) -> WithdrawalLeaf | None:
    if _WORD not in entry:
        return None
    leaf = parse_leaf(entry)
    return leaf if isinstance(leaf, WithdrawalLeaf) else None


@lru_cache(maxsize=8)
def _read(folder: Path, note: bytes, verifier: NoteVerifier) -> dict[int, WithdrawalLeaf]:
    del note  # a checkpoint names one log: with another there is something to read again
    opened = Published.open(folder, verifier)
    return withdrawal_leaves(opened.tiles, opened.head.size)
