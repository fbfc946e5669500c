"""A conditional StyleGAN2 generator (Karras et al. 2020) in the tensor layout of published ``G_ema`` files.

Names, shapes and arithmetic are those of NVIDIA's PyTorch release, so that its weights, saved as safetensors,
draw the same pictures here: mapping network with equalised learning rate, modulated and demodulated
convolutions, noise, skip connections to RGB, and [1, 3, 3, 1] filters around every doubling.
Computed in single precision, where the original's clamping of half-precision activations has no use.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

MAPPING_RATE = 0.01
"""Learning rate of the mapping network relative to the rest; part of its arithmetic."""
_AVERAGE = 0.995
"""Decay of the running mean of w, per batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Everything that the tensors' shapes do not leave open.

    Attributes:
        z: numbers drawn at random for a picture.
        condition: length of the condition vector; 0 for none.
        embedded: numbers the condition is brought to.
        mapping: outputs of the mapping layers; the last is the length of w.
        channels: feature maps at 4 × 4, 8 × 8, … pixels.
        colours: of the picture.
    """

    z: int
    condition: int
    embedded: int
    mapping: tuple[int, ...]
    channels: tuple[int, ...]
    colours: int = 3

    @property
    def side(self) -> int:
        """Pixels of the picture."""
        return 2 << len(self.channels)


def activated(x: torch.Tensor) -> torch.Tensor:
    """Leaky ReLU with a gain of √2, which keeps the variance of what it half removes."""
    return functional.leaky_relu(x, 0.2) * math.sqrt(2)


def setup_filter() -> torch.Tensor:
    """The 4 × 4 low-pass filter [1, 3, 3, 1] ⊗ [1, 3, 3, 1], of sum 1."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(line, line) / line.sum() ** 2


def filtered(
    x: torch.Tensor, kernel: torch.Tensor, padding: Sequence[int], *, gain: float = 1
) -> torch.Tensor:
    """Every channel filtered on its own; ``padding`` is left, right, top, bottom. The kernel is symmetric."""
    channels = x.shape[1]
    weight = (kernel * gain).to(x.dtype)[None, None].expand(channels, 1, -1, -1)
    return functional.conv2d(functional.pad(x, list(padding)), weight, groups=channels)


def doubled(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) to (N, C, 2 H, 2 W): zeros put in between, then filtered."""
    n, c, h, w = x.shape
    spaced = torch.zeros(n, c, h, 2, w, 2, dtype=x.dtype, device=x.device)
    spaced[:, :, :, 0, :, 0] = x
    return filtered(spaced.reshape(n, c, 2 * h, 2 * w), kernel, (2, 1, 2, 1), gain=4)


class EqualLinear(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """Weights are stored at variance 1 and scaled when used (Karras et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.gain, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs) to (N, outputs)."""
        return functional.linear(x, self.weight * self.gain, self.bias * self.rate)


class Mapping(nn.Module):  # type: ignore[misc]
    """Random numbers and condition to w."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        if shape.condition:
            self.embed = EqualLinear(shape.condition, shape.embedded)
        widths = (shape.z + shape.embedded, *shape.mapping)
        for i, (before, after) in enumerate(pairwise(widths)):
            self.add_module(f"fc{i}", EqualLinear(before, after, rate=MAPPING_RATE))
        self.register_buffer("w_avg", torch.zeros(shape.mapping[-1]))
        self.shape = shape

    def forward(self, z: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """(N, z) and (N, condition) to (N, w)."""
        x = _normalised(z)
        if self.shape.condition:
            x = torch.cat([x, _normalised(self.embed(condition))], dim=1)
        for i in range(len(self.shape.mapping)):
            x = activated(getattr(self, f"fc{i}")(x))
        if self.training:
            with torch.no_grad():
                self.w_avg.lerp_(x.mean(0), 1 - _AVERAGE)
        return x

    def truncated(self, w: torch.Tensor, psi: float) -> torch.Tensor:
        """Nearer to the mean: less variety, fewer failures (the truncation trick); 1 changes nothing."""
        return self.w_avg.lerp(w, psi) if psi != 1 else w


def _normalised(x: torch.Tensor) -> torch.Tensor:
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Layer(nn.Module):  # type: ignore[misc]
    """Modulated 3 × 3 convolution, demodulated; with ``up``, to twice the size."""

    def __init__(self, inputs: int, outputs: int, w: int, side: int, *, up: bool = False) -> None:
        super().__init__()
        self.affine = EqualLinear(w, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise_const", torch.randn(side, side))
        self.register_buffer("resample_filter", setup_filter())
        self.up = up

    def forward(self, x: torch.Tensor, w: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """``noise`` is (N, 1, side, side), or None for the one that is stored."""
        styles = self.affine(w)
        # Scaling maps before and after does what a kernel for each picture would, in one convolution.
        power = self.weight.square().sum((2, 3))
        demodulation = (styles.square() @ power.T + 1e-8).rsqrt()
        x = x * styles[:, :, None, None]
        if self.up:
            x = functional.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)
            x = filtered(x, self.resample_filter, (1, 1, 1, 1), gain=4)
        else:
            x = functional.conv2d(x, self.weight, padding=1)
        x = x * demodulation[:, :, None, None]
        x = x + self.noise_strength * (self.noise_const if noise is None else noise)
        return activated(x + self.bias[:, None, None])


class ToRGB(nn.Module):  # type: ignore[misc]
    """Modulated 1 × 1 convolution to colours, not demodulated."""

    def __init__(self, inputs: int, w: int, colours: int) -> None:
        super().__init__()
        self.affine = EqualLinear(w, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(colours, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(colours))

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, colours, H, W)."""
        styles = self.affine(w) / math.sqrt(self.weight.shape[1])
        return functional.conv2d(x * styles[:, :, None, None], self.weight, self.bias)


class Block(nn.Module):  # type: ignore[misc]
    """One resolution: two layers (one at 4 × 4, after the learnt constant) and its share of the picture."""

    def __init__(self, before: int, channels: int, w: int, side: int, colours: int) -> None:
        super().__init__()
        if before:
            self.conv0 = Layer(before, channels, w, side, up=True)
        else:
            self.const = nn.Parameter(torch.randn(channels, side, side))
        self.conv1 = Layer(channels, channels, w, side)
        self.torgb = ToRGB(channels, w, colours)
        self.register_buffer("resample_filter", setup_filter())


class Synthesis(nn.Module):  # type: ignore[misc]
    """w to pixels."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.sides = tuple(4 << i for i in range(len(shape.channels)))
        before = (0, *shape.channels)
        for side, inputs, outputs in zip(self.sides, before, shape.channels, strict=False):
            self.add_module(f"b{side}", Block(inputs, outputs, shape.mapping[-1], side, shape.colours))
        self.layer_sides = (4, *(side for side in self.sides[1:] for _ in range(2)))

    def forward(self, w: torch.Tensor, noise: Sequence[torch.Tensor] | None = None) -> torch.Tensor:
        """(N, w) to (N, colours, side, side), about -1 to 1, not clipped; noise as ``layer_sides`` says."""
        noises: Any = iter(noise if noise is not None else [None] * len(self.layer_sides))
        x = picture = None
        for side in self.sides:
            block = getattr(self, f"b{side}")
            if picture is None:
                x = block.const[None].expand(len(w), -1, -1, -1)
            else:
                x = block.conv0(x, w, next(noises))
                picture = doubled(picture, block.resample_filter)
            x = block.conv1(x, w, next(noises))
            share = block.torgb(x, w)
            picture = share if picture is None else picture + share
        assert picture is not None
        return picture


class StyleGAN2(nn.Module):  # type: ignore[misc]
    """Mapping and synthesis."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.shape = shape
        self.mapping = Mapping(shape)
        self.synthesis = Synthesis(shape)

    def forward(
        self,
        z: torch.Tensor,
        condition: torch.Tensor | None = None,
        *,
        truncation: float = 1.0,
        noise: Sequence[torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """(N, z) and (N, condition) to (N, colours, side, side)."""
        w = self.mapping.truncated(self.mapping(z, condition), truncation)
        pictures: torch.Tensor = self.synthesis(w, noise)
        return pictures
