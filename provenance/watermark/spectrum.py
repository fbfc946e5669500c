"""The spectrum of a whitened plane, evened out so that pilots can be counted in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """The part of the centred half spectrum that the tile's lines can lie in, locally normalised to power 1.

    Attributes:
        lines: (2 reach + 1, reach + 1) complex64; row = vertical frequency + reach, column =
            horizontal frequency ≥ 0, in samples; phases refer to the middle of the plane.
        power: same shape, float32, outliers limited.
        limit: highest frequency looked at, cycles per pixel.
        grid: side of the padded transform: samples to a cycle per pixel.
        longest: longer side of the plane in pixels; ``grid / longest`` samples to a resolution cell.
    """

    lines: NDArray[np.complex64]
    power: NDArray[np.float32]
    limit: float
    grid: int
    longest: int

    @property
    def reach(self) -> int:
        """Row of frequency 0."""
        return int(self.lines.shape[0]) // 2

    def at(self, fx: NDArray[np.float64], fy: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Nearest samples at frequencies in cycles per pixel; 0 beyond ``limit``."""
        inside = (np.abs(fx) < self.limit) & (np.abs(fy) < self.limit)
        # Half a spectrum is kept: a frequency with fx < 0 is the conjugate of the opposite one.
        side = np.where(fx < 0, np.float32(-1), np.float32(1))
        scale = side * inside * np.float32(self.grid)
        column = np.rint(fx * scale).astype(np.int32)
        row = np.rint(fy * scale).astype(np.int32) + self.reach
        values = self.lines[row, column]
        values.imag *= side
        values[~inside] = 0
        return values


def spectrum_of(plane: NDArray[np.float32], limit: float) -> Spectrum:
    """The normalised spectrum of a whitened plane, up to ``limit`` cycles per pixel."""
    longest = max(plane.shape)
    grid = _SMALL_GRID if longest <= _SMALL_PLANE else _LARGE_GRID
    raw = _transform(plane, grid, reach=round(limit * grid) + 1)
    power = raw.real**2 + raw.imag**2
    box = (41, 41) if grid == _SMALL_GRID else (61, 61)
    level = cv2.blur(cv2.min(power, 8 * cv2.blur(power, box)), box)
    level += 1e-4 * float(level.max()) + 1e-20
    power /= level
    raw *= np.minimum(1, _AMPLITUDE_LIMIT / np.sqrt(np.maximum(power, 1e-9))) / np.sqrt(level)
    power = np.minimum(power, _POWER_LIMIT)
    _notch(raw, power, max(2, round(2.5 * grid / longest)))
    return Spectrum(lines=raw, power=power, limit=limit, grid=grid, longest=longest)


def _transform(plane: NDArray[np.float32], grid: int, reach: int) -> NDArray[np.complex64]:
    """Padded to ``grid``, with the middle of the plane at index 0 so that phases vary slowly.

    The plane is white, so there is little that could leak: a window that only softens the border hears the
    lines best. Rows first: of their frequencies only those up to ``reach`` are transformed down the columns.
    """
    height, width = plane.shape
    rows, columns = (_softened(side) for side in (height, width))
    across = _wrapped(plane * rows[:, None] * columns, grid, axis=1)
    half = scipy.fft.rfft(across, axis=1)[:, : reach + 1]
    full = scipy.fft.fft(_wrapped(half, grid, axis=0), axis=0)
    return np.concatenate([full[-reach:], full[: reach + 1]])


def _softened(length: int) -> NDArray[np.float32]:
    """1, but for a twentieth at either end that rises from and falls to 0."""
    edge = max(length // 20, 1)
    window = np.ones(length, np.float32)
    window[:edge] = np.sin(np.pi / 2 * (np.arange(edge) + 0.5) / edge)
    window[-edge:] = window[:edge][::-1]
    return window


def _wrapped(array: NDArray[Any], grid: int, axis: int) -> NDArray[Any]:
    """Padded to ``grid`` along ``axis``; the middle moves to index 0 and what lies before it to the end."""
    middle = array.shape[axis] // 2
    before, after = np.split(array, [middle], axis=axis)
    gap = list(array.shape)
    gap[axis] = grid - array.shape[axis]
    return np.concatenate([after, np.zeros(gap, array.dtype), before], axis=axis)


def _notch(lines: NDArray[np.complex64], power: NDArray[np.float32], half: int) -> None:
    """Take out the axes, where borders, text and the JPEG grid sit."""
    middle = lines.shape[0] // 2
    for part in (np.s_[middle - half : middle + half + 1], np.s_[:, : half + 1]):
        lines[part] = 0
        power[part] = 1
