"""Temporal warp error of a clip: what is left of the change between frames once motion is taken out.

Each frame is laid over the one before along the optical flow, and the mean difference is taken (after Lai et
al., ECCV 2018). Where flow forth and back disagree (Sundaram et al., ECCV 2010) nothing can be laid over, and
the plain difference counts: left out, as Lai et al. do, frames that have nothing in common would come out
best. Alone the number says little: a still clip has 0. So beside it stand the same of the clip's own frames
in random order, and the mean length of the flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Flow = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]
    """From two pictures (H, W, 3) to where each pixel of the first is in the second: (H, W, 2), x and y."""

LEAST_FRAMES = 4
"""Fewer have no order to lose."""
_SHARE, _FLOOR = 0.01, 0.5
"""Of the agreement: squared pixels, as in Sundaram et al."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """Of one clip; differences in 8-bit steps.

    Attributes:
        error: mean absolute difference, along the flow where it agrees.
        shuffled: the same of the frames in random order.
        agreeing: share of pixels where flow forth and back agree, 0 to 1.
        shuffled_agreeing: likewise in random order.
        motion: mean length of the flow, in pixels a frame.
        frames: of the clip.
    """

    error: float
    shuffled: float
    agreeing: float
    shuffled_agreeing: float
    motion: float
    frames: int


def steadiness(clip: NDArray[np.uint8], flow: Flow, *, seed: int) -> Steadiness:
    """Of a clip (T, H, W, 3).

    Raises:
        InputError: ``quality.too-few``, of frames.
    """
    if len(clip) < LEAST_FRAMES:
        what = f"a clip of {len(clip)} frames; from {LEAST_FRAMES} on their order can be told from chance"
        raise InputError("quality.too-few", what, hint="draw longer clips")
    error, agreeing, motion = _over(clip, flow)
    shuffled, shuffled_agreeing, _ = _over(clip[_order(len(clip), seed)], flow)
    return Steadiness(
        error=error,
        shuffled=shuffled,
        agreeing=agreeing,
        shuffled_agreeing=shuffled_agreeing,
        motion=motion,
        frames=len(clip),
    )


def _order(count: int, seed: int) -> NDArray[np.int64]:
    """A random order in which as few neighbours as can be were neighbours before, of twenty tried."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(count) for _ in range(20)]
    return min(orders, key=lambda order: int((np.abs(np.diff(order)) == 1).sum()))


def _over(clip: NDArray[np.uint8], flow: Flow) -> tuple[float, float, float]:
    """Mean difference, share of pixels where the flow agrees, mean length of the flow."""
    differences, agreed, lengths = [], [], []
    for one, following in pairwise(clip):
        forth, back = flow(one, following), flow(following, one)
        there, inside = _moved(following.astype(np.float32), forth)
        returned, _ = _moved(back, forth)
        off = ((forth + returned) ** 2).sum(-1)
        bound = _SHARE * ((forth**2).sum(-1) + (returned**2).sum(-1)) + _FLOOR
        same = inside & (off < bound)
        agreed.append(float(same.mean()))
        lengths.append(float(np.sqrt((forth**2).sum(-1)).mean()))
        nearest = np.where(same[..., None], there, following)
        differences.append(float(np.abs(nearest - one).mean()))
    return float(np.mean(differences)), float(np.mean(agreed)), float(np.mean(lengths))


def _moved(
    values: NDArray[np.float32], flow: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """``values`` (H, W, C) read where ``flow`` leads, between pixels bilinearly; and where that is inside."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y + flow[..., 1], x + flow[..., 0]
    inside = (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)
    y, x = y.clip(0, height - 1), x.clip(0, width - 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    below, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, along = (y - top)[..., None], (x - left)[..., None]
    upper = values[top, left] * (1 - along) + values[top, right] * along
    lower = values[below, left] * (1 - along) + values[below, right] * along
    return (upper * (1 - down) + lower * down).astype(np.float32), inside
