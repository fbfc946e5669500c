"""A second, finer tile in large pictures, for small pieces of them.

The tile is laid relative to the picture's size, so that a reduced copy reads like the picture. A piece
that holds less than about four tiles cannot be read: a crop to less than a quarter, or a sixteenth at
most. Pictures so large that such a piece is a picture of its own carry the same tile again at about a third
of the size. It dies when the whole is reduced, and the piece that was not reduced needs it
(``benchmarks/pieces.py``: pieces of 512 × 512 from 8 megapixels, and the whole at 360 pixels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.watermark.applying import stretched
from provenance.watermark.layout import T
from provenance.watermark.tile import pixels_per_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINE_SPREAD = 0.31
"""Relative to the first tile, and no simple fraction of it: their lines would meet."""
ENERGY = 0.3
"""Its share of the change: the first tile gives up 1.5 dB, of which large pictures have plenty."""
_LEAST_SIDE = 1664
"""Geometric mean of width and height from which a picture gets it: samples of the finer tile are a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FineTile:
    """The finer tile over one picture, in 8-bit steps at strength 1.

    Attributes:
        tile: (T, T).
        hiding: (h, w) visibility, at the size at which the picture is weighed.
        size: (width, height) of the picture.
    """

    tile: NDArray[np.float32]
    hiding: NDArray[np.float32]
    size: tuple[int, int]

    def rows(self, start: int, count: int) -> NDArray[np.float32]:
        """(count, width) of it from row ``start`` on."""
        width = self.size[0]
        step = 1 / pixels_per_sample(*self.size, FINE_SPREAD)
        plane = np.tile(self.tile, [int(np.ceil(side * step / T)) + 2 for side in (count, width)])
        matrix = np.array([[step, 0, 0], [0, step, start * step % T]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        laid = cv2.warpAffine(plane, matrix, (width, count), flags=flags, borderMode=cv2.BORDER_WRAP)
        return np.asarray(laid * stretched(self.hiding, self.size, start, count))


def carries_fine_tile(width: int, height: int) -> bool:
    """Whether a picture of that size gets the finer tile too."""
    return width * height >= _LEAST_SIDE**2
