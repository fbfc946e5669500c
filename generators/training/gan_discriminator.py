"""The other player: a residual discriminator that also judges whether a picture fits its condition."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from generators.stylegan2_adapter import EqualLinear, activated, filtered, setup_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROUP = 4
"""Pictures whose deviation is compared; small, as in the paper, so that it means the same for any batch."""


class Discriminator(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """(N, 3, S, S) and (N, condition) to (N,) scores, higher for what looks real.

    Residual blocks (Karras et al. 2020), the deviation within the batch as one more map (Karras et al. 2018),
    and the condition by projection (Miyato and Koyama 2018).
    """

    def __init__(self, channels: Sequence[int], condition: int, *, colours: int = 3) -> None:
        """``channels``: feature maps at 4 × 4, 8 × 8, … pixels, as in the generator."""
        super().__init__()
        last, deepest = channels[-1], channels[0]
        self.first = EqualConv(colours, last, 1)
        self.sides = tuple(4 << i for i in range(len(channels) - 1, 0, -1))
        # Named by their size, so that they keep their names when a larger one is put before them.
        for side, (inputs, outputs) in zip(self.sides, pairwise(reversed(channels)), strict=True):
            self.add_module(f"b{side}", _Down(inputs, outputs))
        self.mixed = EqualConv(deepest + 1, deepest, 3)
        self.dense = EqualLinear(deepest * 16, deepest)
        self.score = EqualLinear(deepest, 1)
        # Not equalised: of many inputs a handful is 1, and scaling for all of them made it learn too slowly.
        self.label = nn.Linear(condition, deepest, bias=False) if condition else None
        if self.label is not None:
            nn.init.normal_(self.label.weight, std=0.1)

    def forward(self, pictures: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """The scores, not squashed."""
        x = activated(self.first(pictures))
        for side in self.sides:
            x = getattr(self, f"b{side}")(x)
        x = activated(self.mixed(torch.cat([x, deviation(x)], dim=1)))
        x = activated(self.dense(x.flatten(1)))
        scores = self.score(x).squeeze(1)
        if self.label is not None:
            scores = scores + (x * self.label(condition)).sum(1) / math.sqrt(x.shape[1])
        return scores


def deviation(x: torch.Tensor, group: int = _GROUP) -> torch.Tensor:
    """(N, 1, H, W): how much maps differ within groups of pictures; a collapsed generator shows here."""
    n, _, height, width = x.shape
    size = min(group, n) if n % min(group, n) == 0 else n
    grouped = x.reshape(size, -1, *x.shape[1:])
    spread = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    return spread.repeat(size)[:, None, None, None].expand(n, 1, height, width)


class EqualConv(nn.Module):  # type: ignore[misc]
    """Convolution with equalised learning rate."""

    def __init__(self, inputs: int, outputs: int, side: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = 1 / math.sqrt(inputs * side * side)

    def forward(self, x: torch.Tensor, *, stride: int = 1) -> torch.Tensor:
        """Same size, or what the stride leaves of an already padded input."""
        padding = self.weight.shape[-1] // 2 if stride == 1 else 0
        return functional.conv2d(x, self.weight * self.gain, self.bias, stride=stride, padding=padding)


class _Down(nn.Module):  # type: ignore[misc]
    """Half the size: filtered before every second pixel is dropped."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualConv(inputs, inputs, 3)
        self.second = EqualConv(inputs, outputs, 3)
        self.skip = EqualConv(inputs, outputs, 1, bias=False)
        self.register_buffer("kernel", setup_filter())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        short = self.skip(filtered(x, self.kernel, (1, 1, 1, 1))[:, :, ::2, ::2])
        x = activated(self.first(x))
        x = activated(self.second(filtered(x, self.kernel, (2, 2, 2, 2)), stride=2))
        return (x + short) * math.sqrt(0.5)
