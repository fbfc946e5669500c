"""Fourier sums at a tile's lines: the definition, and both ways to them against each other."""

import numpy as np
import pytest
import scipy.fft

from provenance.watermark.folding import fold, tile_spectrum
from provenance.watermark.layout import T


def by_definition(plane, matrix, u: int, v: int) -> complex:
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    x, y = np.tensordot(matrix, np.stack([columns, rows]), 1)
    return complex((plane * np.exp(-2j * np.pi * (u * x + v * y) / T)).sum())


@pytest.mark.parametrize("across", [0.9, -0.7, 0.31])
def test_a_straight_tile_is_summed_exactly(across) -> None:
    plane = np.random.default_rng(1).normal(size=(150, 211)).astype(np.float32)
    matrix = np.diag([across, 1.1])
    spectrum = tile_spectrum(plane, matrix)
    for u, v in ((0, 0), (3, 4), (-7, 9), (30, 2), (0, 11), (12, 0), (-20, -13), (29, -30)):
        assert spectrum[v % T, u % T] == pytest.approx(by_definition(plane, matrix, u, v), abs=0.05)


def test_lines_finer_than_the_pixels_are_left_out() -> None:
    """At three samples a pixel, line 22 has more than half a cycle a pixel: it would be read off another."""
    plane = np.random.default_rng(2).normal(size=(128, 128)).astype(np.float32)
    spectrum = tile_spectrum(plane, np.diag([3.0, 3.0]))
    assert spectrum[0, 22] == spectrum[22, 0] == spectrum[5, -22 % T] == 0
    assert abs(spectrum[0, 21]) > 0


def test_a_turned_tile_is_folded_to_the_same_lines() -> None:
    """Smooth waves survive the resampling: both ways agree up to its error."""
    rows, columns = np.mgrid[:300, :300]
    angle = np.radians(5)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    x, y = np.tensordot(matrix, np.stack([columns, rows]), 1)
    plane = np.cos(2 * np.pi * (6 * x + 4 * y) / T + 1).astype(np.float32)
    seen = tile_spectrum(plane, matrix)[4, 6]
    wanted = by_definition(plane, matrix, 6, 4)
    assert abs(seen - wanted) < 0.02 * abs(wanted)


def test_folding_an_aligned_tile_adds_its_copies_up() -> None:
    tile = np.random.default_rng(3).normal(size=(T, T)).astype(np.float32)
    plane = np.tile(tile, (2, 3))
    assert np.allclose(fold(plane, np.eye(2)), 6 * tile, atol=1e-4)
    summed, folded = tile_spectrum(plane, np.eye(2)), scipy.fft.fft2(fold(plane, np.eye(2)))
    low = np.arange(31)
    assert np.allclose(summed[low][:, low], folded[low][:, low], atol=0.1)
