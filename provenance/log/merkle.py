"""Merkle trees of RFC 6962 §2.1, with the verification algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2.

Pure functions over 32-byte SHA-256 hashes; D[a:b] is the run of leaves a..b-1. The proof makers take a
function for the hash of a run, so that a log on disk can answer from its tiles.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    RangeHash = Callable[[int, int], bytes]
    """MTH(D[start:end]) for 0 <= start < end."""

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""MTH({}), the root of the empty tree."""


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 || d)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True, kw_only=True)
class Frontier:
    """The right edge of a growing tree: all that is needed to add leaves and to name the root.

    Attributes:
        size: leaves so far.
        peaks: roots of the largest complete subtrees, from left to right: one for each 1 in binary ``size``.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def push(self, leaf: bytes) -> None:
        """Add a leaf hash on the right."""
        current, position = leaf, self.size
        while position & 1:
            current, position = node_hash(self.peaks.pop(), current), position >> 1
        self.peaks.append(current)
        self.size += 1

    def root(self) -> bytes:
        """MTH of all leaves pushed so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of leaf hashes (RFC 6962 §2.1)."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def split_point(size: int) -> int:
    """The largest power of two smaller than ``size`` (k in RFC 6962 §2.1); ``size`` is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, range_hash: RangeHash) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, leaf to root.

    Raises:
        ValueError: ``index`` is not a leaf of a tree of ``size``.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            path.append(range_hash(middle, end))
            end = middle
        else:
            path.append(range_hash(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old_size: int, size: int, range_hash: RangeHash) -> tuple[bytes, ...]:
    """PROOF(old_size, D[size]) of RFC 6962 §2.1.2; empty when the sizes are equal.

    Raises:
        ValueError: not 0 < ``old_size`` <= ``size``. (Every tree extends the empty one: nothing to prove.)
    """
    if not 0 < old_size <= size:
        raise ValueError(f"no proof leads from a tree of {old_size} to one of {size}")
    return _subproof(old_size, 0, size, range_hash, known=True)


def _subproof(
    old_size: int, start: int, end: int, range_hash: RangeHash, *, known: bool
) -> tuple[bytes, ...]:
    """SUBPROOF(m, D[start:end], b); ``known`` is b: the verifier holds the root of the old subtree."""
    if old_size == end - start:
        return () if known else (range_hash(start, end),)
    middle = start + split_point(end - start)
    left = middle - start
    if old_size <= left:
        return (*_subproof(old_size, start, middle, range_hash, known=known), range_hash(middle, end))
    return (*_subproof(old_size - left, middle, end, range_hash, known=False), range_hash(start, middle))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """True when ``proof`` leads from the leaf hash ``leaf`` at ``index`` to ``root`` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> bool:
    """True when ``proof`` shows that the tree under ``root`` extends the one under ``old_root``.

    RFC 9162 §2.1.4.2, with the two cases it leaves to the caller: the empty tree, and equal sizes.
    """
    if not 0 <= old_size <= size or not _are_hashes(old_root, root, *proof):
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size == size:
        return not proof and old_root == root
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # the old tree is itself a node on the path
        path.insert(0, old_root)
    return bool(path) and _follow(old_size - 1, size - 1, path, old_root, root)


def _follow(node: int, last: int, path: list[bytes], old_root: bytes, root: bytes) -> bool:
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
