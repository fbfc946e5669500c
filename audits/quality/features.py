"""Feature extractors: what distances between sets of pictures are measured over, each with a name.

A figure means something only together with the name of its features. Only Inception's features give what
is called FID; none of these is Inception, so no figure here is called that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Extractor(Protocol):
    """From a picture to numbers."""

    @property
    def name(self) -> str:
        """Stable, with a digest of weights where there are any; equal names give equal features."""
        ...

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Features (D,), finite, of a picture (H, W, 3) uint8 RGB of any size."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelGrid:
    """Mean colours of a grid over the picture: a baseline that knows of colour and layout only.

    Attributes:
        side: cells a side.
    """

    side: int = 8

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"pixels-{self.side}x{self.side}"

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(side · side · 3,) in 0..1."""
        return resized(picture, self.side).ravel()


def resized(picture: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    """(side, side, 3) in 0..1: area means where it shrinks, bilinear where it grows."""
    height, width = picture.shape[:2]
    way = Image.Resampling.BOX if min(height, width) >= side else Image.Resampling.BILINEAR
    small = Image.fromarray(picture).resize((side, side), way)
    return np.asarray(small, np.float64) / 255
