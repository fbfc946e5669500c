"""A plane's spectrum at the lines of a tile that lies in it in a given way.

All tiles of a plane are alike, so each line of the tile is one Fourier sum over the whole plane. Where the
tile lies straight, the two directions part and the sums are two matrix products, without any resampling.
Else the plane is resampled to the tile's frame, folded into one tile, and transformed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import scipy.fft

from provenance.watermark.layout import R_MAX, T

if TYPE_CHECKING:
    from numpy.typing import NDArray

_REACH = int(R_MAX)
"""Highest line of the tile in either direction."""


def tile_spectrum(plane: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.complex64]:
    """(T, T) sums over the plane; row = vertical, column = horizontal cycles per tile, modulo T.

    Lines beyond ``R_MAX`` may be 0, and those that the plane's pixels cannot hold are.

    Args:
        plane: (h, w) whitened luma.
        matrix: (2, 2) from plane pixels to tile samples; plane pixel (0, 0) lies at tile coordinate 0.
    """
    if matrix[0, 1] == 0 == matrix[1, 0]:
        return _straight(plane, float(matrix[0, 0]), float(matrix[1, 1]))
    return np.asarray(scipy.fft.fft2(fold(plane, matrix)))


def _straight(plane: NDArray[np.float32], across: float, down: float) -> NDArray[np.complex64]:
    height, width = plane.shape
    rows = (plane @ _waves(width, across)).view(np.complex64)
    upper = _waves(height, down).view(np.complex64).T
    spectrum = np.zeros((T, T), np.complex64)
    right = np.s_[: _REACH + 1]
    spectrum[right, right] = upper @ rows
    spectrum[-_REACH:, right] = (upper.conj() @ rows)[:0:-1]
    # The plane is real: a line and the opposite one are conjugates.
    left = np.arange(1, _REACH + 1)
    spectrum[:, -left] = spectrum[-np.arange(T)[:, None] % T, left].conj()
    return spectrum


@lru_cache(maxsize=8)
def _waves(length: int, step: float) -> NDArray[np.float32]:
    """(length, 2 × lines): exp(-2πi · line · step · pixel / T), real and imaginary parts, from line 0 up."""
    lines = np.arange(_REACH + 1)
    waves = np.exp(-2j * np.pi * step / T * np.outer(np.arange(length), lines)).astype(np.complex64)
    waves[:, lines * abs(step) >= T / 2] = 0  # beyond half a cycle per pixel
    return np.asarray(waves.view(np.float32))


def fold(plane: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """(T, T): resampled to the tile's frame, all tiles added up; as ``tile_spectrum``."""
    height, width = plane.shape
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height]], float)
    start = np.floor(corners.min(axis=1) / T) * T
    across, down = np.ceil((corners.max(axis=1) + 1 - start) / T).astype(int)
    back = np.linalg.inv(matrix)
    shrink = float(np.sqrt(abs(np.linalg.det(back))))
    if shrink > 1.5:
        plane = cv2.GaussianBlur(plane, (0, 0), 0.35 * shrink)  # no aliasing into the tile
    warp = np.hstack([back, (back @ start)[:, None]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    flat = cv2.warpAffine(plane, warp, (int(across) * T, int(down) * T), flags=flags)
    return np.asarray(flat.reshape(down, T, across, T).sum(axis=(0, 2)))
