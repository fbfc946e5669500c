"""What both marks of the invisible-watermark package have in common: where they are, and the vote.

They live in the blue-difference channel U of 8-bit RGB, in its Haar approximation: half the sum of each 2 × 2
pixels. The sums are integers, and they are what is worked with here. Blocks of 4 × 4 sums (8 × 8 pixels), row
by row from the top left corner, carry one bit each, the message over and over; each bit is decided by
majority. Any crop or resize therefore ends the mark.

Blocks are kept as (4, 4, n), values of one place in all blocks next to each other, so that numpy's loops run
over blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIDE = 8
"""Pixels along the side of a block."""
STEP = 36.0
"""The quantiser's step; the package fixes it ("scales")."""
_BAND_PIXELS = 4 * 2**20
_BLUE, _GREEN = 2.032, -0.395
"""What one step of U adds to B and to G when YUV becomes RGB again (OpenCV's full-range BT.601)."""


def sums_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(4 rows, 4 columns) sums over 2 × 2 pixels of U, 0..1020: twice the Haar approximation, exactly.

    Args:
        pixels: (H, W, 3) RGB; what does not fill a block at the right and at the bottom is left out.
    """
    return pooled(u_of(pixels))


def u_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """U of the pixels that fill blocks."""
    height, width = (side // SIDE * SIDE for side in pixels.shape[:2])
    return np.asarray(cv2.extractChannel(cv2.cvtColor(pixels[:height, :width], cv2.COLOR_RGB2YUV), 1))


def pooled(u: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Sums over 2 × 2 values of a contiguous plane with even sides."""
    pairs = u.view(np.uint16)
    across = (pairs & 255) + (pairs >> 8)  # neighbours in a row, whatever the byte order
    return np.asarray(across[0::2] + across[1::2], np.uint16)


def blocks_of(sums: NDArray[np.uint16]) -> NDArray[np.int16]:
    """(4, 4, n) sums, block by block."""
    rows, columns = sums.shape[0] // 4, sums.shape[1] // 4
    apart = sums.view(np.int16).reshape(rows, 4, columns, 4).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(apart).reshape(4, 4, -1)


def add(pixels: NDArray[np.uint8], change: NDArray[np.int16] | NDArray[np.float32]) -> None:
    """Add ``change``, (4, 4, n), to the sums of ``pixels``, in place.

    B and G take it as they would if U were changed and turned back into RGB, rounded and clipped. R and what
    did not change stay as they are: going through YUV and back would cost every pixel a rounding.
    """
    rows, columns = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
    together = change.reshape(4, 4, rows, columns).transpose(2, 0, 3, 1).reshape(4 * rows, 4 * columns)
    planes = [np.rint(together * np.float32(gain / 4)).astype(np.int8) for gain in (_GREEN, _BLUE)]
    pair = cv2.merge([np.zeros_like(planes[0]), *planes] * 2)  # each value for two neighbours in a row
    row = pair.reshape(4 * rows, SIDE * columns, 3)
    more, less = cv2.max(row, 0).view(np.uint8), cv2.max(-row, 0).view(np.uint8)
    for first in (0, 1):
        lines = pixels[first : SIDE * rows : 2, : SIDE * columns]
        cv2.subtract(cv2.add(lines, more), less, dst=lines)  # one of the two is 0: clipped once


def spread(bits: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """The bit of each of ``n`` blocks."""
    times = -(-n // len(bits))
    return np.broadcast_to(bits, (times, len(bits))).reshape(-1)[:n]


def bands(pixels: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(first row, whole rows of blocks) from the top down: large pictures need no large copies."""
    whole, width = pixels.shape[0] // SIDE * SIDE, max(pixels.shape[1], 1)
    step = max(_BAND_PIXELS // width // SIDE, 1) * SIDE
    for top in range(0, whole, step):
        yield top, pixels[top : min(top + step, whole)]


def shares(decisions: NDArray[np.bool_], n: int) -> NDArray[np.float64]:
    """(n,) share of a bit's blocks that say 1; there must be at least n decisions."""
    whole = len(decisions) // n * n
    ones = decisions[:whole].reshape(-1, n).sum(axis=0, dtype=np.int64)
    ones[: len(decisions) - whole] += decisions[whole:]
    counts = np.full(n, whole // n, np.int64)
    counts[: len(decisions) - whole] += 1
    return np.asarray(ones / counts)


def vote(decisions: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """(n,) bits; the package's threshold, a little below one half, decides ties for 1."""
    return np.asarray(shares(decisions, n) * 255 > 127)
