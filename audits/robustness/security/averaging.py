"""Averaging: who has many pictures marked with one key, and no key, estimates what they have in common.

The tile of a key repeats over every picture at the same place. What differs from picture to picture (the
picture, the signs of the payload, the private layer) averages out; pilots and verify lines stay. With
them the attacker can disturb synchronisation, or make unmarked pictures look marked; a payload they
cannot write, because its signs averaged out. The attacker here is a strong one: uses our own published
front end, knows the size of the tile, and has pictures of one size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import scipy.fft

from audits.robustness.attacks import rounded
from audits.robustness.relink import frames_of
from provenance.watermark.folding import tile_spectrum
from provenance.watermark.front_end import luma_of, whiten
from provenance.watermark.layout import R_MAX, R_MIN, T
from provenance.watermark.tile import lay, pixels_per_sample, visibility

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audits.robustness.attacks import Picture
    from provenance.watermark.layout import Layout


_AGREEMENT = 2.0
"""Of random phases a line in 50 agrees that well (Rayleigh: exp(-4))."""


def folded(pixels: Picture, spread: float) -> NDArray[np.complex128]:
    """(T, T) phases of all tiles of one whole picture added up, as the published front end hears them.

    Phases only: a picture with a strong pattern of its own must not outshout the others.
    """
    plane = whiten(luma_of(frames_of(pixels))).plane
    scale = pixels_per_sample(plane.shape[1], plane.shape[0], spread)
    spectrum = tile_spectrum(plane, np.eye(2) / scale).astype(np.complex128)
    return np.asarray(spectrum / np.maximum(np.abs(spectrum), 1e-9))


def estimate(phases: Sequence[NDArray[np.complex128]]) -> NDArray[np.float32]:
    """The (T, T) tile that the folded pictures have in common; standard deviation 1, 0 where there is none.

    Lines whose phases agree no better than chance are left out: of what changes from picture to picture
    an average of a few would otherwise be taken for part of it.
    """
    mean = np.mean(phases, axis=0)
    cycles = scipy.fft.fftfreq(T) * T
    radius = np.hypot(cycles[:, None], cycles[None])
    agree = np.abs(mean) > _AGREEMENT / np.sqrt(len(phases))
    mean[(radius < R_MIN) | (radius > R_MAX) | ~agree] = 0
    tile = scipy.fft.ifft2(mean).real
    return np.asarray(tile / max(float(tile.std()), 1e-12), np.float32)


def likeness(tile: NDArray[np.float32], layout: Layout) -> float:
    """Correlation of an estimate with what is constant in the key's tile: pilots and verify lines."""
    spectrum = scipy.fft.fft2(tile)
    constant = np.concatenate([layout.pilots, layout.verify])
    u, v = layout.u[constant], layout.v[constant]
    seen = spectrum[v % T, u % T] * np.exp(-1j * layout.phase[constant])
    worth = layout.amplitude[constant]
    energy = max(float(np.sum(np.abs(spectrum) ** 2)) / 2, 1e-12)  # the other half plane holds the conjugates
    return float(np.sum(seen.real * worth) / np.sqrt(energy * np.sum(worth**2)))


def pattern(tile: NDArray[np.float32], pixels: Picture, spread: float) -> NDArray[np.float32]:
    """The tile laid over a picture as a mark is."""
    height, width = pixels.shape[:2]
    laid = lay(tile, width, height, pixels_per_sample(width, height, spread))
    return np.asarray(laid * visibility(luma_of(frames_of(pixels))), np.float32)


def removed(pixels: Picture, tile: NDArray[np.float32], spread: float, *, quality_db: float) -> Picture:
    """``pixels`` less the estimated tile, with as much change as ``quality_db`` allows."""
    return _added(pixels, -pattern(tile, pixels, spread), quality_db)


def forged(pixels: Picture, tile: NDArray[np.float32], spread: float, *, quality_db: float) -> Picture:
    """An unmarked picture with the estimated tile."""
    return _added(pixels, pattern(tile, pixels, spread), quality_db)


def _added(pixels: Picture, change: NDArray[np.float32], quality_db: float) -> Picture:
    strength = 255 * 10 ** (-quality_db / 20) / max(float(np.sqrt(np.mean(change**2))), 1e-9)
    return rounded(cv2.add(pixels.astype(np.float32), cv2.merge([change * np.float32(strength)] * 3)))
