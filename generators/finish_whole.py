"""Small pictures enlarged by a whole factor, every pixel to a square: nothing is invented between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.recipe import StageRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME, VERSION = "nearest-whole", "1"


def enlarge(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """(h, w, C) to (h × factor, w × factor, C)."""
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def record(factor: int) -> StageRecord:
    """What the recipe says about this step."""
    return StageRecord(name=NAME, version=VERSION, parameters={"factor": factor})
