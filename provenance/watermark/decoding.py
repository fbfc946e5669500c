"""From a whitened plane and a geometry to the tile's lines, the statistic and the payload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark import ecc
from provenance.watermark.correlation import FINE_GRID, correlate
from provenance.watermark.folding import tile_spectrum
from provenance.watermark.layout import AMPLITUDE_PILOT, R_MAX, R_MIN, T
from provenance.watermark.statistic import statistic, verify_log10_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.layout import Layout

_BANDS = 6
_UPRIGHT = np.eye(2, dtype=np.int64)
_ALL = slice(None)
_FRACTIONS = np.arange(-4, 5) / 4
"""Offsets are found to a quarter of a sample; half a step of the grid they are first found on is 0.9."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """The tile's lines as one copy shows them, offset and keyed phases taken out.

    Attributes:
        soft: (n,) complex, in units of the noise of its band; the real part carries the mark.
        gain: (n,) expected real part of a line that carries +1, from the pilots.
        offset: (x, y) tile coordinates of the plane's origin, each in [0, T).
    """

    soft: NDArray[np.complex128]
    gain: NDArray[np.float64]
    offset: tuple[float, float]


def read_lines(plane: NDArray[np.float32], matrix: NDArray[np.float64], layout: Layout) -> Lines:
    """The tile's lines under one geometry.

    Args:
        plane: (h, w) whitened luma.
        matrix: (2, 2) from plane pixels to tile samples.
        layout: of the key.
    """
    return lines_in(tile_spectrum(plane, matrix), layout)


def lines_in(
    spectrum: NDArray[np.complexfloating],
    layout: Layout,
    turn: NDArray[np.int64] = _UPRIGHT,
    *,
    offset: tuple[float, float] | None = None,
) -> Lines:
    """The lines of a plane's tile spectrum.

    Args:
        spectrum: (T, T) of the plane (``folding.tile_spectrum``).
        layout: of the key.
        turn: (2, 2) quarter turn or mirror image from the tile it was made for to the tile.
        offset: tile coordinates of the plane's origin, where they are known.
    """
    raw = raw_lines(spectrum, layout, turn)
    x, y = _offset(raw[layout.pilots], layout) if offset is None else offset
    aligned = raw * np.exp(-2j * np.pi * (layout.u * x + layout.v * y) / T)
    soft, gain = _weigh(aligned, layout)
    return Lines(soft=soft, gain=gain, offset=(x % T, y % T))


def raw_lines(
    spectrum: NDArray[np.complexfloating],
    layout: Layout,
    turn: NDArray[np.int64] = _UPRIGHT,
    chosen: NDArray[np.int64] | slice = _ALL,
) -> NDArray[np.complex128]:
    """Lines of ``spectrum`` with their keyed phases taken out, the offset still in; as ``lines_in``.

    Args:
        spectrum: as ``lines_in``.
        layout: as ``lines_in``.
        turn: as ``lines_in``.
        chosen: indices of the layout's lines that are wanted.
    """
    u, v = turn.T @ np.stack([layout.u[chosen], layout.v[chosen]])
    return np.asarray(spectrum[v % T, u % T] * np.exp(-1j * layout.phase[chosen]))


def statistic_of(lines: Lines, layout: Layout) -> float:
    """The statistic over the verify lines (see ``statistic``)."""
    return statistic(_limited(lines.soft[layout.verify]), lines.gain[layout.verify])


def log10_tail_of(lines: Lines, layout: Layout) -> float:
    """log10 of the probability of such a statistic under a random key (see ``statistic``)."""
    return verify_log10_tail(_limited(lines.soft[layout.verify]), lines.gain[layout.verify])


def promise(lines: Lines, layout: Layout) -> float:
    """How much speaks for a tile lying here, from pilots and data lines, in standard deviations of noise.

    A data line has its keyed phase or the opposite one, so its square has twice that phase, whatever bit
    it carries. Verify lines have no say: they are kept for the statistic.
    """
    pilots, square = lines.soft[layout.pilots], lines.soft[layout.data] ** 2
    in_phase = pilots.real.sum() / np.sqrt((np.abs(pilots) ** 2).sum() / 2 + 1e-9)
    return float(in_phase + square.real.sum() / np.sqrt((np.abs(square) ** 2).sum() / 2 + 1e-9))


def payload_of(lines: Lines, layout: Layout, sizes: tuple[int, ...] = (8,)) -> tuple[bytes, bool]:
    """The likeliest payload of the first of ``sizes`` (bytes) whose CRC passes, and whether one does."""
    soft = _coded(lines, layout)
    read = (ecc.decode(soft, size) for size in sizes)
    return next((found for found in read if found[1]), (b"", False))


def clearness(lines: Lines, layout: Layout, signs: NDArray[np.int64], size: int = 8) -> float:
    """Signal to noise ratio of the data lines in dB (Eb/N0) for someone who knows the payload.

    Args:
        lines: as read from a copy of a marked picture.
        layout: of the key.
        signs: what the data lines carry (``tile.data_signs``).
        size: bytes of the payload.
    """
    weight = lines.gain[layout.data]
    real = np.clip(lines.soft[layout.data].real, -4, 4)
    z = float(np.sum(weight * real * signs) / max(np.sqrt(np.sum(weight**2)), 1e-12))
    # Lines come in units of their noise, so z² / 2 is the energy over noise density of the message.
    return float(10 * np.log10(max(z, 1e-3) ** 2 / 2 / ecc.message_bits(size)))


def _coded(lines: Lines, layout: Layout) -> NDArray[np.float64]:
    weighted = np.clip(lines.soft[layout.data].real, -4, 4) * lines.gain[layout.data]
    sums = np.bincount(layout.coded_bit, weighted, ecc.CODED_BITS).astype(np.float64)
    return sums * (1 - 2 * layout.whitening)


def _offset(pilots: NDArray[np.complex128], layout: Layout) -> tuple[float, float]:
    """Where the plane's origin lies in the tile, from the pilots' phase correlation over all offsets.

    Loud lines are limited to twice the median.
    """
    size = np.abs(pilots)
    limited = pilots * np.minimum(1, 2 * np.median(size) / np.maximum(size, 1e-9))
    _, offsets = correlate(limited[None].astype(np.complex64), layout, grid=FINE_GRID)
    x, y = np.rint(4 * offsets[0]) / 4
    across, down = x + _FRACTIONS, y + _FRACTIONS
    u, v = layout.u[layout.pilots], layout.v[layout.pilots]
    waves = np.exp(2j * np.pi / T * np.outer(across, u)), np.exp(2j * np.pi / T * np.outer(v, down))
    near = ((waves[0] * limited) @ waves[1]).real
    column, row = np.unravel_index(near.argmax(), near.shape)
    return -float(across[column]), -float(down[row])


def _weigh(
    aligned: NDArray[np.complex128], layout: Layout
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Noise of each radial band from the quadrature part of its lines, signal from its pilots.

    Verify lines have no say: a band in which they happen to be in phase would count for more, and the
    statistic's p-value be a lie.
    """
    band = np.clip(((layout.radius - R_MIN) / (R_MAX - R_MIN) * _BANDS).astype(int), 0, _BANDS - 1)
    heard_in = np.concatenate([layout.pilots, layout.data])
    power = np.bincount(band[heard_in], aligned.imag[heard_in] ** 2, _BANDS)
    noise = np.sqrt(power / np.maximum(np.bincount(band[heard_in], minlength=_BANDS), 1)) + 1e-9
    pilot_band, heard = band[layout.pilots], aligned.real[layout.pilots]
    signal = np.zeros(_BANDS)
    for index in range(_BANDS):
        near = np.abs(pilot_band - index) <= 1
        signal[index] = (
            max(float(heard[near].mean()), 0.0)
            if near.sum() > 5
            else _unpiloted(aligned[layout.data[band[layout.data] == index]], limit=signal[index - 1])
        )
    if signal.max() <= 0:
        signal[:] = 1
    signal = np.maximum(signal, 0.05 * signal.max())
    return aligned / noise[band], (signal / noise)[band]


def _unpiloted(data: NDArray[np.complex128], *, limit: float) -> float:
    """Signal of a band above the pilots: what its data lines have in phase beyond quadrature, whatever
    their signs, in units of a pilot; at most that of the band below.
    """
    excess = float(np.mean(data.real**2) - np.mean(data.imag**2)) if len(data) else 0.0
    return min(float(np.sqrt(max(excess, 0.0))) * AMPLITUDE_PILOT, limit)


def _limited(lines: NDArray[np.complex128]) -> NDArray[np.complex128]:
    size = np.abs(lines)
    return lines * np.minimum(1, 4 / np.maximum(size, 1e-9))
