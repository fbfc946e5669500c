"""Pictures of any shape as models of one size learn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def square(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle square, ``side`` × ``side``; a copy, as torch wants to own it."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    middle = Image.fromarray(pixels[top : top + short, left : left + short])
    return np.array(middle.resize((side, side), Image.Resampling.LANCZOS))


def signed_square(pixels: NDArray[np.uint8], side: int) -> torch.Tensor:
    """``square`` as (3, side, side) in [-1, 1]."""
    small = torch.from_numpy(square(pixels, side)).float()
    return (small / 127.5 - 1).permute(2, 0, 1).contiguous()
