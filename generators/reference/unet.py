"""The small U-Net that tells noise from picture, and the parts it shares with the guiding classifier."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

import torch
from torch import nn
from torch.nn import functional

_GROUPS = 8
_SMALLEST = 4
"""Pixels a side at which the U-Net turns round."""


class Block(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """A residual block that is told the time (and class) as shifts of its channels."""

    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.into = nn.Sequential(
            nn.GroupNorm(_GROUPS, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1)
        )
        self.told = nn.Linear(told, after)
        self.out = nn.Sequential(
            nn.GroupNorm(_GROUPS, after), nn.SiLU(), nn.Conv2d(after, after, 3, padding=1)
        )
        self.past = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        nn.init.zeros_(self.out[-1].weight)

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """(N, before, H, W) to (N, after, H, W)."""
        inside = self.into(x) + self.told(told)[:, :, None, None]
        return cast(torch.Tensor, self.past(x) + self.out(inside))


class Conditioning(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """Step and class as one vector; the class after the last one means "not said"."""

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.size = size
        self.time = nn.Sequential(nn.Linear(size, size), nn.SiLU(), nn.Linear(size, size))
        self.label = nn.Embedding(classes + 1, size)

    def forward(self, steps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N,) and (N,) to (N, size)."""
        rates = torch.exp(-math.log(10_000) * torch.arange(self.size // 2) / (self.size // 2))
        angles = steps[:, None].float() * rates
        waves = torch.cat([angles.sin(), angles.cos()], dim=1).to(self.label.weight.dtype)
        return cast(torch.Tensor, functional.silu(self.time(waves) + self.label(labels)))


class Denoiser(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """(N, C, S, S), steps and labels to the noise in it; S is 4 times a power of two."""

    def __init__(self, channels: int, side: int, classes: int, *, width: int = 24) -> None:
        super().__init__()
        levels = int(math.log2(side / _SMALLEST))
        widths = [width * min(2**i, 4) for i in range(levels + 1)]
        self.told = Conditioning(told := 2 * width, classes)
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList([Block(w, w, told) for w in widths[:-1]])
        self.shrink = nn.ModuleList([nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths)])
        self.middle = nn.ModuleList([Block(widths[-1], widths[-1], told) for _ in range(2)])
        self.grow = nn.ModuleList([nn.Conv2d(b, a, 3, padding=1) for a, b in pairwise(widths)])
        self.up = nn.ModuleList([Block(2 * w, w, told) for w in widths[:-1]])
        self.last = nn.Sequential(
            nn.GroupNorm(_GROUPS, width), nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1)
        )
        nn.init.zeros_(self.last[-1].weight)

    def forward(self, x: torch.Tensor, steps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The noise."""
        told, kept = self.told(steps, labels), []
        x = self.first(x)
        for block, shrink in zip(self.down, self.shrink, strict=True):
            x = block(x, told)
            kept.append(x)
            x = shrink(x)
        for block in self.middle:
            x = block(x, told)
        for block, grow, aside in zip(reversed(self.up), reversed(self.grow), reversed(kept), strict=True):
            x = grow(functional.interpolate(x, scale_factor=2.0))
            x = block(torch.cat([x, aside], dim=1), told)
        return cast(torch.Tensor, self.last(x))
