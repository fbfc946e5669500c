"""Bits per dimension, and the plainest model of pictures to hold others against.

Whole numbers get uniform noise in [0, 1) (uniform dequantisation): the density of the noisy values,
averaged over the noise, is a lower bound of the probability of the whole numbers (Theis, van den Oord and
Bethge 2016, eq. 4). Bits are counted per channel of a pixel, at one value as the unit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from generators.reference.data import Pictures


def dequantised(values: torch.Tensor, depth: int, rng: torch.Generator) -> torch.Tensor:
    """Whole numbers below ``depth`` to float32 in (0, 1)."""
    noise = torch.rand(values.shape, generator=rng)
    return ((values + noise) / depth).clamp(1e-6, 1 - 1e-6)


def bits(log_density: torch.Tensor, dimensions: int, depth: int) -> torch.Tensor:
    """Natural log densities over the unit cube to bits per dimension of the whole numbers."""
    return -log_density / (dimensions * math.log(2)) + math.log2(depth)


def histogram_bits(pictures: Pictures) -> float:
    """Held-out bits per dimension when every pixel is on its own: its counts plus one, normalised."""
    train, test = (pictures.values[where].flatten(1).long() for where in _parts(pictures))
    counts = torch.stack([torch.bincount(column, minlength=pictures.depth) for column in train.T]) + 1.0
    logs = (counts / counts.sum(1, keepdim=True)).log2()
    return float(-torch.stack([row[column] for row, column in zip(logs, test.T, strict=True)]).mean())


def spread(values: torch.Tensor) -> str:
    """Mean and the half width of its 95 % interval, over pictures."""
    half = 1.96 * float(values.std()) / len(values) ** 0.5
    return f"{float(values.mean()):.3f} ± {half:.3f} (n = {len(values)})"


def _parts(pictures: Pictures) -> tuple[torch.Tensor, torch.Tensor]:
    return ~pictures.held_out, pictures.held_out
