"""dwtDctSvd of invisible-watermark: the largest singular value of each 4 × 4 block is quantised.

The DCT in its name is orthonormal and leaves singular values as they are, so it is left out. The largest
one comes from power iteration over all blocks at once; as it moves from s to t, the block changes by the
rank-1 matrix (t - s) u vᵀ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark.legacy_plane import STEP, blocks_of, spread, sums_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Triple = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

_TOLERANCE = np.float32(2e-3)
"""Of a singular value of sums (0..4080); the quantiser's step is 72 there."""
_ROUNDS = 24
_CHUNK = 4096
"""Blocks worked on at once: 16 float32 values of each fit into a level-2 cache."""


def decisions(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What each block of (H, W, 3) RGB says."""
    size = _largest(blocks_of(sums_of(pixels)))[0] / 2
    return np.asarray(size % np.float32(STEP) > 0.5 * STEP)


def change(sums: NDArray[np.uint16], bits: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(4, 4, n) to add to the sums so that their blocks say ``bits``, over and over."""
    size, left, right = _largest(blocks_of(sums))
    step = np.float32(2 * STEP)
    offset = step * (np.float32(0.25) + np.float32(0.5) * spread(bits, len(size)))
    nearest = np.maximum(np.rint((size - offset) / step), 0) * step + offset
    return np.asarray((left * (nearest - size))[:, None] * right[None], np.float32)


def _largest(blocks: NDArray[np.int16]) -> Triple:
    """Largest singular value (n,), its left and right vectors (4, n), of (4, 4, n) without negative values.

    Such a matrix has a singular vector without negative values (Perron-Frobenius), so that the iteration may
    start anywhere among those.
    """
    n = blocks.shape[2]
    size, left, right = np.empty(n, np.float32), np.empty((4, n), np.float32), np.empty((4, n), np.float32)
    for start in range(0, n, _CHUNK):
        part = slice(start, start + _CHUNK)
        size[part], left[:, part], right[:, part] = _iterate(blocks[:, :, part])
    return size, left, right


def _iterate(sums: NDArray[np.int16]) -> Triple:
    blocks = sums.astype(np.float32)
    right = _unit(blocks.sum(axis=0))[0]
    before = np.zeros(blocks.shape[2], np.float32)
    for _ in range(_ROUNDS):
        left, size = _unit(np.einsum("ijn,jn->in", blocks, right))
        if np.all(np.abs(size - before) <= _TOLERANCE):
            break
        before = size
        right = _unit(np.einsum("ijn,in->jn", blocks, left))[0]
    return size, left, right


def _unit(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit vectors and lengths of (4, n); a block of nothing but zeros gets a zero vector."""
    lengths = np.sqrt(np.einsum("in,in->n", vectors, vectors))
    return vectors / np.maximum(lengths, np.float32(1e-6)), lengths
