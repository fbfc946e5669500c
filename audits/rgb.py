"""Pixels as measurements want them: 8 bits, RGB, opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Frames


def rgb(frames: Frames, index: int = 0) -> NDArray[np.uint8]:
    """Frame ``index`` as (H, W, 3): 16 bits rounded to 8, grey as RGB, transparency over white."""
    full = np.iinfo(frames.pixels.dtype).max
    if frames.depth == 8 and frames.alpha is None and not frames.is_gray:
        return np.array(frames.pixels[index], np.uint8)
    light = frames.pixels[index].astype(np.float32) / full
    if frames.alpha is not None:
        share = (frames.alpha[index].astype(np.float32) / full)[..., None]
        light = light * share + (1 - share)
    return np.repeat(np.rint(light * 255).astype(np.uint8), 3 // light.shape[-1], axis=-1)
