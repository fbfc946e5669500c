"""Coded bits → one tile → the tile laid over a picture, shaped by what the eye forgives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import scipy.fft

from provenance.watermark import ecc
from provenance.watermark.front_end import deviation_of, smooth
from provenance.watermark.layout import T

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.layout import Layout

UNIT_SIDE = 512
"""A picture of this many pixels a side carries the tile at one sample a pixel (times its spread)."""


def data_signs(payload: bytes, layout: Layout) -> NDArray[np.int64]:
    """+1 or -1 for each data line."""
    coded = ecc.encode(payload) ^ layout.whitening
    return 1 - 2 * coded[layout.coded_bit]


def tile_of(payload: bytes, layout: Layout) -> NDArray[np.float32]:
    """The (T, T) tile that carries ``payload``, standard deviation 1."""
    lines = layout.amplitude * np.exp(1j * layout.phase)
    lines[layout.data] *= data_signs(payload, layout)
    return waves(lines, layout)


def waves(lines: NDArray[np.complex128], layout: Layout) -> NDArray[np.float32]:
    """The (T, T) tile whose lines, in the layout's order, are proportional to these; standard deviation 1."""
    half = np.zeros((T, T // 2 + 1), np.complex128)
    positive = layout.u >= 0
    half[layout.v[positive], layout.u[positive]] = lines[positive]
    # irfft2 holds u ≥ 0 only: a line with u < 0 is there as the conjugate at (-u, -v).
    half[-layout.v[~positive] % T, -layout.u[~positive]] = lines[~positive].conj()
    vertical = positive & (layout.u == 0)
    half[-layout.v[vertical] % T, 0] = lines[vertical].conj()
    tile = np.asarray(scipy.fft.irfft2(half, (T, T)), np.float32)
    return np.asarray(tile / tile.std())


def pixels_per_sample(width: int, height: int, spread: float) -> float:
    """Size of a tile sample in a released picture of that size."""
    return spread * float(np.sqrt(width * height)) / UNIT_SIDE


def lay(
    tile: NDArray[np.float32],
    width: int,
    height: int,
    scale: float,
    *,
    reduction: tuple[float, float] = (1.0, 1.0),
) -> NDArray[np.float32]:
    """The tile repeated over (height, width), its first sample at the picture's first pixel.

    Args:
        tile: (T, T).
        width: of the plane wanted, in its own pixels.
        height: of the plane wanted.
        scale: pixels of the picture to a sample.
        reduction: (horizontal, vertical) size of the plane relative to the picture.
    """
    step = 1 / (scale * np.array(reduction))
    first = (0.5 / np.array(reduction) - 0.5) / scale  # of the plane's first pixel, in samples
    across, down = (int(np.ceil(side * by / T)) + 1 for side, by in zip((width, height), step, strict=True))
    plane = np.tile(tile, (down, across))
    if np.abs(step - 1).max() < 1e-9:
        return plane[:height, :width]
    matrix = np.array([[step[0], 0, first[0]], [0, step[1], first[1]]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_WRAP))


def visibility(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much change each pixel hides, relative: texture hides more than flat ground.

    Local standard deviation of the fine structure, bounded below so that flat ground takes part and
    above so that edges do not take all.
    """
    deviation = deviation_of(luma - smooth(luma, 7), 9)
    return np.asarray(cv2.pow(cv2.min(2.2 + deviation, 14.0), 0.8), np.float32)
