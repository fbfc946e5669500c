"""The learnt finish: a network enlarges fourfold, area means bring it to the size asked for, then grain.

One network for pictures of every bundled model. Up to ``LEARNT`` pixels it draws the detail; what is asked
for beyond is enlarged with Lanczos, and said.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from generators.finish import GRAIN, grained
from generators.interface import GenerationWarning
from generators.pinned import SUPER_RESOLUTION, pinned_file
from generators.recipe import StageRecord
from generators.super_resolution_adapter import FACTOR, SuperResolution
from generators.tensors_adapter import filled
from provenance.digest_grid import area_means

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.finishes import Finish

NAME, VERSION = "super-resolution", "1"
WEIGHTS = "super_resolution.safetensors"
LEARNT = 512
"""Pixels to a side of the pictures it was trained to draw."""
_REDUCTIONS, _RELAXATION = 3, 0.7
"""Of ``reduce``. The network sharpens, so a full step would overshoot; more passes would fit the grain."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnedFinish:
    """The network and the digest of its weights."""

    network: SuperResolution
    weights_sha256: str

    def enlarge(self, pixels: NDArray[np.uint8], *, width: int, height: int, seed: int) -> NDArray[np.uint8]:
        """(h, w, 3) to (height, width, 3), both uint8."""
        made = self._enlarged(pixels.astype(np.float32) / np.float32(255), (height, width))
        return grained(np.rint(made * 255).astype(np.uint8), seed)

    def reduce(self, pixels: NDArray[np.float32], *, side: int) -> NDArray[np.float32]:
        """The (side, side, 3) picture in 0..1 that ``enlarge`` makes (height, width, 3) ``pixels`` of, about.

        Iterated: what enlarging the guess leaves over is reduced and added, by a smaller share when the last
        step led away from ``pixels``. Stopped early: grain averages out, and going on would fit it.
        """
        size = pixels.shape[0], pixels.shape[1]
        best = guess = area_means(pixels, side, side)
        share, lowest, step = _RELAXATION, np.inf, np.zeros_like(guess)
        for _ in range(_REDUCTIONS):
            left = pixels - self._enlarged(guess.clip(0, 1), size)
            error = float(np.mean(left**2))
            if error < lowest:
                best, lowest, step = guess, error, area_means(left.astype(np.float32), side, side)
            else:
                share /= 2
            guess = best + np.float32(share) * step
        return np.asarray(best.clip(0, 1), np.float32)

    def record(self) -> StageRecord:
        """Name, version, digest of the weights, grain."""
        said: dict[str, Any] = {
            "weights_sha256": self.weights_sha256,
            "grain": GRAIN,
            "stream": "PCG64(seed)",
        }
        return StageRecord(name=NAME, version=VERSION, parameters=said)

    def warnings(self, *, width: int, height: int) -> tuple[GenerationWarning, ...]:
        """Beyond ``LEARNT`` there is no more detail."""
        if max(width, height) <= LEARNT:
            return ()
        message = f"this model draws detail up to {LEARNT} pixels; beyond, the picture is only enlarged"
        return (GenerationWarning(code="generate.enlarged", message=message),)

    def _enlarged(self, pixels: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
        """(h, w, 3) in 0..1 to ``size``, (height, width), without grain."""
        learnt = tuple(min(asked, LEARNT) for asked in size)
        while min(pixels.shape[:2]) * FACTOR < min(learnt):
            # A small picture takes several passes; all but the last end where the last begins.
            first = tuple(-(-asked // FACTOR) for asked in learnt)
            pixels = _fitted(self._pass(pixels), first)
        return _fitted(_fitted(self._pass(pixels), learnt), size)

    def _pass(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fourfold."""
        picture = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None] * 2 - 1
        with torch.no_grad():
            # A third faster with the channels innermost.
            made = self.network(picture.contiguous(memory_format=torch.channels_last))
        result: NDArray[np.float32] = (made[0].permute(1, 2, 0).numpy() / 2 + 0.5).clip(0, 1)
        return result


def _fitted(pixels: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Area means down, Lanczos up."""
    height, width = pixels.shape[:2]
    if (height, width) == size:
        return pixels
    if size[0] <= height and size[1] <= width:
        return np.asarray(area_means(pixels, size[0], size[1]), np.float32)
    planes = [
        Image.fromarray(plane).resize((size[1], size[0]), Image.Resampling.LANCZOS)
        for plane in np.moveaxis(pixels, 2, 0)
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=2).clip(0, 1)


@functools.cache
def learned() -> Finish:
    """The finish with the weights that ship with mediaguard, read once.

    Raises:
        ConfigurationError: ``weights.not-installed``.
        IntegrityError: ``weights.changed``.
    """
    found = pinned_file(SUPER_RESOLUTION, WEIGHTS)
    return read(found.path, found.sha256)


def read(path: Path, sha256: str) -> LearnedFinish:
    """The finish with the weights of a file.

    Raises:
        InputError: ``weights.not-safetensors``: no such file, or of another network.
    """
    network = filled(SuperResolution(), path, what="the file does not hold the network that enlarges")
    network = network.eval().requires_grad_(requires_grad=False).to(memory_format=torch.channels_last)
    return LearnedFinish(network=network, weights_sha256=sha256)
