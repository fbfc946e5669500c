"""The spectrum of a whitened plane, evened out so that pilots can be counted in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import scipy.fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMALL_PLANE, _SMALL_GRID, _LARGE_GRID = 640, 1024, 2048
"""Padding to about twice the plane halves the loss between frequency samples."""
_POWER_LIMIT, _AMPLITUDE_LIMIT = 6.0, 2.2
"""One loud line (a fence, a JPEG grid) must not outvote the pilots."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """Half of the centred spectrum, locally normalised to power 1.

    Attributes:
        lines: (grid, grid // 2 + 1) complex64; row = vertical frequency shifted by grid // 2, column =
            horizontal frequency ≥ 0; phases refer to the middle of the plane.
        power: same shape, float32, outliers limited.
        grid: side of the padded transform.
        longest: longer side of the plane in pixels; ``grid / longest`` samples to a resolution cell.
    """

    lines: NDArray[np.complex64]
    power: NDArray[np.float32]
    grid: int
    longest: int

    @property
    def limit(self) -> float:
        """Highest frequency looked at, cycles per pixel."""
        return 0.47

    def at(self, fx: NDArray[np.float64], fy: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Nearest samples at frequencies in cycles per pixel; 0 beyond ``limit``."""
        inside = (np.abs(fx) < self.limit) & (np.abs(fy) < self.limit)
        mirrored = fx < 0
        sign = np.where(mirrored, -1, 1)
        column = np.rint(np.where(inside, fx, 0) * sign * self.grid).astype(np.int32)
        row = np.rint(np.where(inside, fy, 0) * sign * self.grid).astype(np.int32) + self.grid // 2
        values = self.lines[row, column]
        return np.where(inside, np.where(mirrored, values.conj(), values), 0).astype(np.complex64)


def spectrum_of(plane: NDArray[np.float32]) -> Spectrum:
    """The normalised spectrum of a whitened plane."""
    height, width = plane.shape
    longest = max(height, width)
    grid = _SMALL_GRID if longest <= _SMALL_PLANE else _LARGE_GRID
    raw = scipy.fft.fftshift(scipy.fft.rfft2(_centred(plane, grid)), axes=0)
    power = raw.real**2 + raw.imag**2
    box = (41, 41) if grid == _SMALL_GRID else (61, 61)
    level = cv2.blur(cv2.min(power, 8 * cv2.blur(power, box)), box)
    level += 1e-4 * float(level.max()) + 1e-20
    power /= level
    raw *= np.minimum(1, _AMPLITUDE_LIMIT / np.sqrt(np.maximum(power, 1e-9))) / np.sqrt(level)
    power = np.minimum(power, _POWER_LIMIT)
    _notch(raw, power, max(2, round(2.5 * grid / longest)))
    return Spectrum(lines=raw, power=power, grid=grid, longest=longest)


def _centred(plane: NDArray[np.float32], grid: int) -> NDArray[np.float32]:
    """Windowed, padded, with the middle of the plane at index 0 so that phases vary slowly."""
    height, width = plane.shape
    rows, columns = (np.sqrt(np.hanning(side + 2)[1:-1]).astype(np.float32) for side in (height, width))
    windowed = plane * rows[:, None] * columns[None]
    padded = np.zeros((grid, grid), np.float32)
    y, x = height // 2, width // 2
    padded[: height - y, : width - x] = windowed[y:, x:]
    padded[: height - y, grid - x :] = windowed[y:, :x]
    padded[grid - y :, : width - x] = windowed[:y, x:]
    padded[grid - y :, grid - x :] = windowed[:y, :x]
    return padded


def _notch(lines: NDArray[np.complex64], power: NDArray[np.float32], half: int) -> None:
    """Take out the axes, where borders, text and the JPEG grid sit."""
    middle = lines.shape[0] // 2
    for part in (np.s_[middle - half : middle + half + 1], np.s_[:, : half + 1]):
        lines[part] = 0
        power[part] = 1
