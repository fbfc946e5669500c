"""Writing the private layer beside a locator mark, out of one budget of visibility."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provenance.evidence import Outcome
from provenance.watermark.applying import add_change, psnr
from provenance.watermark.detection import detect_picture
from provenance.watermark.front_end import reduced
from provenance.watermark.interface import FLOOR_DB, TARGET_DB, Effort, Marked, WatermarkReading, embed
from provenance.watermark.layout import layout_of
from provenance.watermark.private import (
    NO_NUMBER,
    NUMBERS,
    coarse_signs,
    line_signs,
    quadrature,
    thumbnail_of,
)
from provenance.watermark.private_detection import read_private
from provenance.watermark.tile import UNIT_SIDE, lay, pixels_per_sample, visibility, waves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.keys import PrivateMarkKey
    from provenance.media import Frames
    from provenance.watermark.interface import Geometry, WatermarkKey

SHARE_DB = 0.4
"""What the locator gives up of its strength for the private layer: 9 % of the change's power."""


def embed_both(
    frames: Frames,
    payload: bytes,
    key: WatermarkKey,
    private: PrivateMarkKey,
    *,
    number: int | None = None,
    floor_db: float = FLOOR_DB,
    target_db: float = TARGET_DB,
) -> Marked:
    """Mark a picture with the locator and, where it can be read back, the private layer.

    Both together meet ``target_db`` and ``floor_db`` as ``interface.embed`` does for the locator alone.
    Where the layer cannot be read back, or costs the locator, the picture carries the locator alone.

    Args:
        number: of the operator's own, 1 to 255, that the layer also carries.

    Raises:
        As ``interface.embed``.
    """
    if number is not None and number not in NUMBERS:
        raise ValueError(f"the private layer carries numbers from {NUMBERS.start} to {NUMBERS.stop - 1}")
    marked = embed(
        frames, payload, key, floor_db=floor_db + SHARE_DB, target_db=max(target_db, floor_db) + SHARE_DB
    )
    layout = layout_of(key)
    shown, _ = coarse_signs(thumbnail_of(marked.frames))
    layer = quadrature(layout, line_signs(private, shown, len(layout.data), number or NO_NUMBER))
    both = _with_layer(frames, marked, waves(layer, layout))
    evidence = detect_picture(both, [key], Effort.QUICK)
    again = evidence.detail
    if isinstance(again, WatermarkReading) and again.payload == payload and again.geometry is not None:
        found = read_private(both, again.geometry, key, [private])
        if found.outcome is Outcome.SUPPORTS and getattr(found.detail, "number", None) == number:
            quality = psnr(frames, both)
            return replace(marked, frames=both, psnr=quality, evidence=evidence, private_layer=True)
    return replace(embed(frames, payload, key, floor_db=floor_db, target_db=target_db), private_layer=False)


def _with_layer(frames: Frames, marked: Marked, tile: NDArray[np.float32]) -> Frames:
    """The marked picture with the layer, at the strength that uses up the share kept for it."""
    reading = marked.evidence.detail
    assert isinstance(reading, WatermarkReading)
    assert reading.geometry is not None
    scale = pixels_per_sample(frames.width, frames.height, _spread(frames, reading.geometry))
    luma = reduced(frames)
    height, width = luma.plane.shape
    pattern = lay(tile, width, height, scale, reduction=luma.reduction)
    pattern = pattern * visibility(luma.plane)
    if luma.shown is not None:
        pattern = pattern * luma.shown
    peak = 255.0 if frames.depth == 8 else 65535.0
    spent = (peak * 10 ** (-marked.psnr / 20)) ** 2
    free = spent * (10 ** (SHARE_DB / 10) - 1)
    strength = float(np.sqrt(free / _mean_square(pattern, frames)))
    while True:
        both = add_change(marked.frames, np.asarray(pattern * strength, np.float32))
        if psnr(frames, both) >= marked.psnr - SHARE_DB or strength < 1e-6:
            return both
        strength *= 0.97


def _spread(frames: Frames, geometry: Geometry) -> float:
    """Which of the sizes the tile was laid at."""
    pixels = 1 / np.sqrt(abs(np.linalg.det(np.array(geometry.matrix))))
    found = pixels * UNIT_SIDE / np.sqrt(frames.width * frames.height)
    return min(geometry.spreads, key=lambda spread: abs(np.log(spread / found)))


def _mean_square(pattern: NDArray[np.floating], frames: Frames) -> float:
    shown = 1.0 if frames.alpha is None else float((frames.alpha[0] > 0).mean())
    return max(float(np.mean(pattern.astype(np.float64) ** 2)) / max(shown, 1e-9), 1e-12)
