"""From 128 to 512 pixels: the second stage of the cascade (Ho et al. 2022), a small residual network.

Sub-pixel convolution (Shi et al. 2016): all work is done on the small grid, the last layer gives sixteen
pixels for each. What it adds to the picture is a residual on a bicubic enlargement.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

FACTOR = 4
_WIDTH, _BLOCKS = 48, 8


class SuperResolution(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """(N, 3, H, W) in [-1, 1] to (N, 3, 4 H, 4 W); 0.36 million parameters."""

    def __init__(self, width: int = _WIDTH, blocks: int = _BLOCKS) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(_Residual(width) for _ in range(blocks))
        self.last = nn.Conv2d(width, 3 * FACTOR**2, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The enlarged pictures, not clipped."""
        features = start = self.first(pictures)
        for block in self.blocks:
            features = block(features)
        detail = functional.pixel_shuffle(self.last(features + start), FACTOR)
        plain = functional.interpolate(pictures, scale_factor=FACTOR, mode="bicubic", align_corners=False)
        result: torch.Tensor = plain + detail
        return result


class _Residual(nn.Module):  # type: ignore[misc]
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        inner: torch.Tensor = self.second(functional.silu(self.first(features)))
        return features + 0.3 * inner
