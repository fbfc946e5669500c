"""Noise that the frames of a clip have in common (VideoFusion, Luo et al. 2023).

Each frame starts from √λ · base + √(1 − λ) · residual. With the same base in all frames a clip holds
together better; λ = 0 is plain noise, at 1 all frames would start alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from generators.recipe import StageRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME, VERSION = "shared-noise", "1"


def mixed(noise: Any, share: Any, *, axis: int) -> Any:
    """Standard normal noise whose frames correlate with ``share``; array in, array out, tensors too.

    The base comes out of the noise itself: the mean over n frames and what each leaves of it are
    independent, so that the weights below give variance 1 and covariance ``share`` exactly.

    Args:
        noise: independent standard normal numbers with frames along ``axis``.
        share: λ, 0 … 1, a number or what broadcasts against ``noise``.
        axis: of the frames.
    """
    n = noise.shape[axis]
    mean = noise.mean(axis).reshape([1 if i == axis % noise.ndim else s for i, s in enumerate(noise.shape)])
    base = (share + (1 - share) / n) ** 0.5 * math.sqrt(n)
    return base * mean + (1 - share) ** 0.5 * (noise - mean)


class SharedNoise:
    """``mixed`` as a ``LatentInit`` for clips whose latents are (C, T, h, w)."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, noise: NDArray[np.float32]) -> tuple[NDArray[np.float32], StageRecord]:
        """The noise to start from, and what the recipe says of it."""
        changed = mixed(noise, self.share, axis=1).astype(noise.dtype)
        return changed, StageRecord(name=NAME, version=VERSION, parameters={"share": self.share})
