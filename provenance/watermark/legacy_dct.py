"""dwtDct of invisible-watermark: the largest value of a block is quantised. There is no DCT in it.

The decoder is the package's: largest of the 15 values after the first, which half of a step it lies in. The
encoder is free as long as that decoder reads it. The package's own may lower the largest value below another
one, which its decoder then reads instead: 21 of 100 blocks of its clean output are wrong. Here the value
stays the largest by a margin, by whichever costs less of raising it and lowering what comes too near: 2 of
100 are wrong, mostly where blue or green end (``benchmarks/results/legacy_marks.json``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark.legacy_plane import SIDE, STEP, blocks_of, pooled, spread, u_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_QUARTER = np.int16(STEP / 2)
"""Of a step, in the unit of sums; the middles of its halves lie at one quarter and at three."""
_MARGIN = np.int16(4)
"""By which the largest sum stays ahead: rounding to 8-bit RGB rarely moves a sum by more."""
_HAAR = 0.7071067811865476
"""PyWavelets' filter tap; not exactly the root of one half, which decides ties (see ``_decide_ties``)."""


def decisions(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What each block of (H, W, 3) RGB says; the same as the package's, exact ties included."""
    u = u_of(pixels)
    sums = pooled(u)
    sums[0::4, 0::4] = 0  # the first value of a block is never looked at
    rows, columns = sums.shape[0] // 4, sums.shape[1] // 4
    tall = sums.reshape(rows, 4, -1).max(axis=1)
    largest = np.maximum(
        np.maximum(tall[:, 0::4], tall[:, 1::4]), np.maximum(tall[:, 2::4], tall[:, 3::4])
    ).reshape(rows * columns)
    within = largest % np.uint16(2 * STEP)
    said = np.asarray(within > STEP)
    tied = np.flatnonzero(within == STEP)
    if tied.size:
        said[tied] = _decide_ties(u, tied, columns)
    return said


def _decide_ties(u: NDArray[np.uint8], blocks: NDArray[np.intp], columns: int) -> NDArray[np.bool_]:
    """Blocks in the very middle of a step: the package's double precision rounding decides, so do as it does.

    Rounding never makes the approximation smaller (tried on all kinds of 2 × 2 sums), so that one larger
    value among the equal ones is enough.
    """
    rows = blocks // columns * SIDE
    across = blocks % columns * SIDE
    steps = np.arange(SIDE)
    patch = u[(rows[:, None] + steps)[:, :, None], (across[:, None] + steps)[:, None, :]].astype(np.float64)
    tall = patch[:, 0::2] * _HAAR + patch[:, 1::2] * _HAAR
    haar = (tall[:, :, 0::2] * _HAAR + tall[:, :, 1::2] * _HAAR).reshape(len(blocks), 16)
    return np.asarray(haar[:, 1:].max(axis=1) % STEP > 0.5 * STEP)


def change(sums: NDArray[np.uint16], bits: NDArray[np.bool_]) -> NDArray[np.int16]:
    """(4, 4, n) to add to the sums so that their blocks say ``bits``, over and over."""
    values = blocks_of(sums).reshape(16, -1)
    n = values.shape[1]
    blocks = np.arange(n)
    offset = _QUARTER + 2 * _QUARTER * spread(bits, n).astype(np.int16)
    largest, place, second = _leaders(values)
    least = second + _MARGIN
    target = _centre(largest + np.int16(2 * _QUARTER), offset)
    near = target >= least
    # Where the nearest value would not be ahead: raise it to the first that is …
    raised = np.where(near, target, _centre(least + np.int16(4 * _QUARTER - 1), offset))
    # … or take the one below, and lower what would be ahead of it.
    lowered = np.where(near, target, raised - np.int16(4 * _QUARTER))
    over = np.maximum(values, lowered - _MARGIN)
    over -= lowered - _MARGIN
    over[0] = over[place, blocks] = 0
    down = (_squares(over, lowered - largest) < _squares(raised - largest)) & (lowered > 0)
    over *= -down.astype(np.int16)
    over[place, blocks] = np.where(down, lowered, raised) - largest
    return over.reshape(4, 4, n)


def _leaders(values: NDArray[np.int16]) -> tuple[NDArray[np.int16], NDArray[np.intp], NDArray[np.int16]]:
    """Of (16, n) without the first row: the largest, where it first occurs, and the next largest.

    Value and place are packed into one integer: one maximum finds both.
    """
    packed = values << 4  # values are at most 1020
    packed += np.arange(15, -1, -1, dtype=np.int16)[:, None]
    packed[0] = 0
    first = packed.max(axis=0)
    place = 15 - (first & 15).astype(np.intp)
    packed[place, np.arange(len(place))] = 0
    return first >> 4, place, packed.max(axis=0) >> 4


def _centre(value: NDArray[np.int16], offset: NDArray[np.int16]) -> NDArray[np.int16]:
    """The last ``offset`` plus whole steps that is not above ``value``; the first of them at least."""
    step = np.int16(4 * _QUARTER)
    return np.asarray(np.maximum((value - offset) // step, 0) * step + offset, np.int16)


def _squares(*moves: NDArray[np.int16]) -> NDArray[np.float32]:
    """(n,) squares, summed over all moves and places."""
    total = np.float32(0)
    for move in moves:
        floats = np.atleast_2d(move).astype(np.float32)
        total = total + np.einsum("kn,kn->n", floats, floats)
    return np.asarray(total)
