"""Changing the brightness of a decoded frame in its own depth and range, and nothing else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.container import RGB, Colour

_BT709, _BT2020, _BT601 = (0.2126, 0.7152, 0.0722), (0.2627, 0.6780, 0.0593), (0.299, 0.587, 0.114)
_WEIGHTS = {1: _BT709, 9: _BT2020, 10: _BT2020}
"""Of R, G and B in luma, by H.273 matrix coefficients; BT.601's for all others."""
_FULL = 2
_LIMITED_SPAN = 219 / 255
"""Luma of limited range goes from 16 to 235."""


def difference(before: RGB, after: RGB, colour: Colour) -> NDArray[np.float32]:
    """(H, W) change of luma from one (H, W, 3) frame to the other, in 8-bit steps of full range."""
    weights = np.array(_WEIGHTS.get(colour.matrix, _BT601), np.float32)
    return np.asarray((after.astype(np.int16) - before).astype(np.float32) @ weights, np.float32)


def brighten(frame: Any, change: NDArray[np.float32], colour: Colour) -> None:
    """Add ``change`` to the luma plane of PyAV's ``frame``, 8 or 10 bits deep, in place."""
    plane = frame.planes[0]
    deep = frame.format.name != "yuv420p"
    rows: Any = np.frombuffer(plane, np.uint16 if deep else np.uint8).reshape(plane.height, -1)
    luma = rows[:, : plane.width]  # what follows in each row is padding
    scale = (4.0 if deep else 1.0) * (1.0 if colour.range == _FULL else _LIMITED_SPAN)
    luma[:] = np.clip(np.rint(luma + np.float32(scale) * change), 0, 1023 if deep else 255)
