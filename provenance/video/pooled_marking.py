"""Marking a clip: one tile over all frames, as strong as the eye forgives, without flicker.

A clip carries the same tile in every frame, laid at the coarser of the two spreads: what codecs for
moving pictures leave of a frame lies below the fine tile's band (measured: at x264 CRF 28 on a panning
clip the coarse tile decodes and the fine one does not). What would flicker is held back: the visibility
mask follows the picture slowly where texture appears and quickly where it goes, and the strength is set
once for a shot and only ever falls quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.errors import InputError
from provenance.watermark.interface import minimum_size
from provenance.watermark.layout import layout_of
from provenance.watermark.tile import lay, pixels_per_sample, tile_of, visibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.key import WatermarkKey

CLIP_SPREAD = 1.6
"""The coarser of the picture codec's spreads, so that single frames can be read as pictures too."""
CLIP_DB = 39.5
"""Least PSNR of a frame: moving pictures hide more than still ones, and their codecs take more."""
_MASK_SIDE = 240
"""Shorter side at which visibility is judged: it is smooth, and every frame needs it."""
_RISE, _FALL = 0.12, 0.5
"""Share of the way the mask goes in one frame, up and down: texture may appear long before the mark
uses it, but where it goes nothing must be left to be seen."""
_SETTLE = 0.03
"""Share of the way the strength rises in one frame: about a second."""
_CUT = 22.0
"""Mean change of luma between frames, in 8-bit steps, from which a new shot begins."""


class ClipMarker:
    """Marks the frames of one clip, in order.

    Args:
        key: the locator key.
        payload: the clip's content id.
        size: (width, height) of all frames, in pixels.
        psnr_db: least PSNR of a frame; infinite for strength 0, which leaves every frame as it is.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when frames are too small.
    """

    def __init__(
        self, key: WatermarkKey, payload: bytes, size: tuple[int, int], *, psnr_db: float = CLIP_DB
    ) -> None:
        width, height = size
        if min(size) < minimum_size():
            raise InputError(
                "watermark.capacity-exceeded",
                f"{width}x{height} is too small for a mark (shorter side {minimum_size()})",
                hint=f"enlarge it to {minimum_size()} pixels or more on its shorter side",
            )
        tile = tile_of(payload, layout_of(key))
        self._pattern = lay(tile, width, height, pixels_per_sample(width, height, CLIP_SPREAD))
        self._wanted = float(np.sqrt(max((255 * 10 ** (-psnr_db / 20)) ** 2 - 1 / 12, 0.0)))
        self._shape = (height, width, 3)
        factor = min(1.0, _MASK_SIDE / min(size))
        self._small = (max(1, round(width * factor)), max(1, round(height * factor)))
        self._last: NDArray[np.float32] | None = None
        self._mask = np.zeros(0, np.float32)
        self._strength = 0.0

    def mark(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The next frame with the mark in it.

        Args:
            rgb: (H, W, 3) of the size given; not changed.
        """
        if rgb.shape != self._shape or rgb.dtype != np.uint8:
            raise ValueError(f"frames must be {self._shape} uint8, not {rgb.shape} {rgb.dtype}")
        if not self._wanted:
            return rgb.copy()
        self._follow(rgb)
        change = cv2.resize(self._mask * np.float32(self._strength), rgb.shape[1::-1])
        cv2.multiply(change, self._pattern, dst=change)
        return np.asarray(cv2.add(rgb, cv2.merge([change] * 3), dtype=cv2.CV_8U), np.uint8)

    def _follow(self, rgb: NDArray[np.uint8]) -> None:
        """Bring mask and strength on to the next frame."""
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        luma = cv2.resize(gray, self._small, interpolation=cv2.INTER_AREA)
        seen = visibility(luma)
        cut = self._last is None or float(cv2.norm(luma, self._last, cv2.NORM_L1)) > _CUT * luma.size
        self._last = luma
        if cut:
            self._mask = seen
        else:
            step = seen - self._mask
            self._mask = self._mask + np.where(step > 0, np.float32(_RISE), np.float32(_FALL)) * step
        # The tile has standard deviation 1 and knows nothing of the mask.
        most = self._wanted / float(np.sqrt(np.mean(self._mask * self._mask)))
        self._strength = most if cut else min(most, self._strength + _SETTLE * (most - self._strength))
