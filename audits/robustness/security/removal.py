"""Removal: by a holder of the locator key, who knows the mark to the last sample, and by anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from audits.robustness.attacks import rounded
from audits.robustness.relink import frames_of
from provenance.watermark.front_end import luma_of
from provenance.watermark.interface import WatermarkReading, detect
from provenance.watermark.layout import layout_of
from provenance.watermark.tile import UNIT_SIDE, lay, pixels_per_sample, tile_of, visibility

if TYPE_CHECKING:
    from audits.robustness.attacks import Picture, Transform
    from provenance.watermark.interface import Geometry, WatermarkKey


def subtract(pixels: Picture, locator: WatermarkKey, *, quality_db: float = 42.0) -> Picture:
    """What a holder of the locator key does: read the mark, draw it again, take it away.

    Args:
        pixels: a marked picture, whole.
        locator: the key.
        quality_db: at which it is guessed to have been marked.
    """
    reading = detect(frames_of(pixels), [locator]).detail
    if not isinstance(reading, WatermarkReading) or reading.payload is None or reading.geometry is None:
        return pixels
    height, width = pixels.shape[:2]
    spread = _spread(reading.geometry, width, height)
    tile = lay(
        tile_of(reading.payload, layout_of(locator)), width, height, pixels_per_sample(width, height, spread)
    )
    change = tile * visibility(luma_of(frames_of(pixels)))
    change *= 255 * 10 ** (-quality_db / 20) / max(float(np.sqrt(np.mean(change**2))), 1e-9)
    return rounded(pixels - change[..., None])


def spread_of(pixels: Picture, locator: WatermarkKey) -> float:
    """At which of the sizes the tile lies in a whole marked picture; the finer one where no mark is read.

    Without the key an attacker has two guesses.
    """
    reading = detect(frames_of(pixels), [locator]).detail
    if not isinstance(reading, WatermarkReading) or reading.geometry is None:
        return 1.0
    return _spread(reading.geometry, pixels.shape[1], pixels.shape[0])


def _spread(geometry: Geometry, width: int, height: int) -> float:
    pixels = 1 / np.sqrt(abs(np.linalg.det(np.array(geometry.matrix))))
    found = pixels * UNIT_SIDE / np.sqrt(width * height)
    return min(geometry.spreads, key=lambda one: float(abs(np.log(one / found))))


def jitter(reach: float, seed: int, *, cell: int = 32) -> Transform:
    """Push the picture about by a smooth random field of that standard deviation in pixels.

    No straight line bends visibly at one pixel, but tiles laid side by side no longer add up.
    """

    def attack(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        random = np.random.default_rng(seed)
        nodes = random.normal(0, 1, (2, height // cell + 2, width // cell + 2)).astype(np.float32)
        field = np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in nodes])
        field *= reach / max(float(field.std()), 1e-9)
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        moved = cv2.remap(
            pixels, columns + field[0], rows + field[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(moved, np.uint8)

    return attack
