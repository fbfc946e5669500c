"""Optical flow by OpenCV: DIS, dense inverse search (Kroeger et al., ECCV 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "opencv-dis-medium"
"""Stands beside every figure that was measured with it."""


def flow(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where each pixel of ``one`` (H, W, 3) is in ``other``: (H, W, 2) float32, x and y, in pixels."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    before, after = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (one, other))
    return np.asarray(search.calc(before, after, None), np.float32)
