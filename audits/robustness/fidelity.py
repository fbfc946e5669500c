"""How much a picture changed: PSNR, and structural similarity as in Wang et al. 2004."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.robustness.attacks import Picture

_DEVIATION, _RADIUS = 1.5, 5
"""The 11 × 11 Gaussian window of the paper."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""K1 and K2 of the paper, for 8-bit values."""


def psnr(one: Picture, other: Picture) -> float:
    """Peak signal-to-noise ratio in dB over all channels; infinite for the same pixels."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(one: Picture, other: Picture) -> float:
    """Mean structural similarity, -1 to 1, over all channels.

    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", 2004, with its 11 × 11 Gaussian window; windows that reach over the edge are left out.

    Args:
        one: (H, W, C) uint8, at least 11 pixels on each side.
        other: the same shape.
    """
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    variance_x = _window(x * x) - mean_x**2
    variance_y = _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    likeness /= (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    return float(likeness.mean())


def _window(values: NDArray[np.float64]) -> NDArray[np.float64]:
    import cv2

    side = 2 * _RADIUS + 1
    spread = np.asarray(cv2.GaussianBlur(values, (side, side), _DEVIATION))
    return spread[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]
