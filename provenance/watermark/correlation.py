"""Where in its period a tile lies: pilots with their keyed phases taken out, correlated over all offsets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from provenance.watermark.layout import PILOT_BAND, T

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.layout import Layout

COARSE_GRID, FINE_GRID = 48, 72
"""Offsets tried to a side. Pilots reach 22 cycles, so 45 see every peak, between samples dimmed by up to
a half; at 72 by a fifth."""
_CHUNK = 16
"""Surfaces computed at once: so many stay in the processor's cache."""


def correlate(
    pilots: NDArray[np.complex64], layout: Layout, *, grid: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Phase correlation of n sets of pilots over ``grid`` × ``grid`` offsets.

    Args:
        pilots: (n, len(layout.pilots)) with their keyed phases taken out.
        layout: of the key.
        grid: offsets to a side.

    Returns:
        (n,) peaks in standard deviations of noise and (n, 2) their offsets (x, y) in tile samples.
    """
    u, v = layout.u[layout.pilots] % grid, layout.v[layout.pilots]
    columns = round(PILOT_BAND[1]) + 1
    waves = _waves(columns, grid)
    peaks, places = np.empty(len(pilots)), np.empty(len(pilots), np.int64)
    for start in range(0, len(pilots), _CHUNK):
        part = np.s_[start : start + _CHUNK]
        plane = np.zeros((len(pilots[part]), grid, columns), np.complex64)
        plane[:, u, v] = pilots[part]
        across = scipy.fft.ifft(plane, axis=1, norm="forward", overwrite_x=True)
        surface = across.view(np.float32).reshape(-1, 2 * columns) @ waves
        surface = surface.reshape(len(plane), -1)
        places[part] = surface.argmax(axis=1)
        peaks[part] = np.take_along_axis(surface, places[part][:, None], axis=1)[:, 0]
    return peaks / noise_of(pilots), np.stack(np.divmod(places, grid), axis=1) * (T / grid)


def noise_of(pilots: NDArray[np.complexfloating]) -> NDArray[np.float64]:
    """(n,) standard deviation that the sum of n sets of pilots would have with random phases."""
    return np.asarray(np.sqrt(np.maximum((np.abs(pilots) ** 2).sum(axis=-1) / 2, 4.0)))


@lru_cache(maxsize=4)
def _waves(columns: int, grid: int) -> NDArray[np.float32]:
    """(2 × columns, grid): times (real, imaginary) pairs it gives the real part of an inverse transform."""
    waves = np.exp(2j * np.pi * np.outer(np.arange(columns), np.arange(grid)) / grid)
    return np.stack([waves.real, -waves.imag], axis=1).reshape(2 * columns, grid).astype(np.float32)
