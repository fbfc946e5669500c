"""Enlarging without anything learnt: Lanczos, sharper edges, faint grain.

Flat areas without any texture cannot hide a watermark, and enlarged ones look like wax. The grain is a
function of the seed alone, so a recipe still gives the same pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from generators.recipe import StageRecord
from provenance.digest_grid import area_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.finishes import Finish
    from generators.interface import GenerationWarning
    from provenance.canonical import Json

NAME, VERSION = "lanczos-unsharp-grain", "1"
GRAIN = 3.0
"""Standard deviation in 8-bit steps; just visible at full size on a plain ground."""
_SHARPEN = ((2.6, 130), (1.0, 60))
"""Radius in pixels of the model's own grid times the enlargement / 4, and percent, one pass after another."""


class _Plain:
    """The functions of this module as a ``Finish``."""

    def enlarge(self, pixels: NDArray[np.uint8], *, width: int, height: int, seed: int) -> NDArray[np.uint8]:
        return enlarge(pixels, width=width, height=height, seed=seed)

    def reduce(self, pixels: NDArray[np.float32], *, side: int) -> NDArray[np.float32]:
        return reduce(pixels, side=side)

    def record(self) -> StageRecord:
        return record()

    def warnings(self, *, width: int, height: int) -> tuple[GenerationWarning, ...]:  # noqa: ARG002
        return ()


def plain() -> Finish:
    """This way to enlarge, for ``generators.finishes``."""
    return _Plain()


def enlarge(pixels: NDArray[np.uint8], *, width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """(h, w, 3) to (height, width, 3), both uint8."""
    return grained(np.asarray(_sharpened(pixels, width=width, height=height)), seed)


def reduce(pixels: NDArray[np.float32], *, side: int) -> NDArray[np.float32]:
    """The (side, side, 3) picture in 0..1 that ``enlarge`` makes (height, width, 3) ``pixels`` of, about.

    Iterated: what enlarging the guess leaves over is reduced and added. Grain averages out.
    """
    height, width = pixels.shape[:2]
    guess: NDArray[np.float32] = area_means(pixels, side, side)
    for _ in range(_REDUCTIONS):
        again = _sharpened(np.rint(guess.clip(0, 1) * 255).astype(np.uint8), width=width, height=height)
        left = pixels - np.asarray(again, np.float32) / np.float32(255)
        guess = guess + np.float32(_RELAXATION) * area_means(left.astype(np.float32), side, side)
    return np.asarray(guess.clip(0, 1), np.float32)


_REDUCTIONS, _RELAXATION = 6, 0.7
"""Sharpening more than doubles fine structure, so a full step would overshoot."""


def record(seed_stream: str = "PCG64(seed)") -> StageRecord:
    """What the recipe says about this step."""
    passes = [[radius, percent] for radius, percent in _SHARPEN]
    parameters: dict[str, Json] = {"sharpen": passes, "grain": GRAIN, "stream": seed_stream}
    return StageRecord(name=NAME, version=VERSION, parameters=parameters)


def _sharpened(pixels: NDArray[np.uint8], *, width: int, height: int) -> Image.Image:
    picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    factor = max(width / pixels.shape[1], 1.0) / 4
    for radius, percent in _SHARPEN:
        picture = picture.filter(
            ImageFilter.UnsharpMask(radius=radius * factor, percent=percent, threshold=0)
        )
    return picture


def grained(pixels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """The same grain in all three channels: luminance grain looks like paper, coloured grain like a fault."""
    noise = np.random.Generator(np.random.PCG64(seed)).normal(0.0, GRAIN, pixels.shape[:2])
    # A little wider than one pixel, so that it survives scaling and mild compression.
    soft = noise + np.roll(noise, 1, axis=0) + np.roll(noise, 1, axis=1) + np.roll(noise, (1, 1), axis=(0, 1))
    grain = soft / 2
    result: NDArray[np.uint8] = np.clip(np.rint(pixels + grain[..., None]), 0, 255).astype(np.uint8)
    return result
