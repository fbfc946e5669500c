"""RealNVP (Dinh, Sohl-Dickstein and Bengio 2017): an invertible network, so the likelihood is exact.

Affine couplings under checkerboard and channel masks, squeezing, and half of the channels going out at
each level (section 3). In place of batch normalisation there is one affine map over all values, set from
the data at first, so that nothing depends on the batch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from generators.reference.fitting import fit
from generators.reference.likelihood import bits, dequantised, histogram_bits, spread
from generators.reference.outputs import TrainedReference
from generators.reference_files import Settings

if TYPE_CHECKING:
    from generators.reference.data import Pictures
    from generators.reference.outputs import SampleRequest, TrainingTask

NEEDS = "Pictures"
SIZE = 16
STEPS = 1200
_ALPHA = 0.05
"""Keeps the logit finite (section 4.1)."""
_BATCH = 64
Shape = tuple[int, int, int]


class Coupling(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """Values under the mask stay and say how the others are scaled and shifted (eq. 9)."""

    def __init__(self, mask: torch.Tensor, width: int) -> None:
        super().__init__()
        self.register_buffer("mask", mask, persistent=False)
        channels = len(mask)
        self.network = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, 2 * channels, 3, padding=1),
        )
        nn.init.zeros_(self.network[-1].weight)
        nn.init.zeros_(self.network[-1].bias)
        self.reach = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The image of ``x`` and the log-determinant of each picture."""
        scale, shift = self._said(x)
        return x * scale.exp() + shift, scale.sum((1, 2, 3))

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Undo ``forward``."""
        scale, shift = self._said(y)
        return cast(torch.Tensor, (y - shift) * (-scale).exp())

    def _said(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scale, shift = self.network(x * self.mask).chunk(2, dim=1)
        free = 1 - self.mask
        return self.reach * scale.tanh() * free, shift * free


class RealNVP(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """A density over (C, H, W) real values; even sides are squeezed while they are ``smallest`` or more."""

    def __init__(self, shape: Shape, *, width: int = 24, smallest: int = 8) -> None:
        super().__init__()
        self.shape = shape
        self.log_scale = nn.Parameter(torch.zeros(shape))
        self.shift = nn.Parameter(torch.zeros(shape))
        self.levels = nn.ModuleList()
        channels, high, wide = shape
        while high % 2 == wide % 2 == 0 and min(high, wide) >= smallest:
            near = [Coupling(checkerboard((channels, high, wide), i), width) for i in range(3)]
            high, wide = high // 2, wide // 2
            deep = [Coupling(channelwise((4 * channels, high, wide), i), width) for i in range(3)]
            self.levels.append(nn.ModuleList([*near, *deep]))
            channels *= 2
        self.last = nn.ModuleList(
            [Coupling(checkerboard((channels, high, wide), i), width) for i in range(4)]
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, H, W) to (N, C × H × W) and the log-determinants (N,)."""
        x = x * self.log_scale.exp() + self.shift
        total, out = self.log_scale.sum().expand(len(x)), []
        for level in self.levels:
            for i, coupling in enumerate(level):
                x, change = coupling(functional.pixel_unshuffle(x, 2) if i == 3 else x)
                total = total + change
            done, x = x.chunk(2, dim=1)
            out.append(done.flatten(1))
        for coupling in self.last:
            x, change = coupling(x)
            total = total + change
        return torch.cat([*out, x.flatten(1)], dim=1), total

    def inverse(self, z: torch.Tensor) -> torch.Tensor:
        """(N, C × H × W) to (N, C, H, W)."""
        (channels, high, wide), parts = self.shape, []
        for _ in self.levels:
            channels, high, wide = 2 * channels, high // 2, wide // 2
            count = channels * high * wide
            parts.append(z[:, :count].reshape(-1, channels, high, wide))
            z = z[:, count:]
        x = z.reshape(-1, channels, high, wide)
        for coupling in reversed(self.last):
            x = coupling.inverse(x)
        for level, done in zip(reversed(self.levels), reversed(parts), strict=True):
            x = torch.cat([done, x], dim=1)
            for i, coupling in reversed(list(enumerate(level))):
                x = coupling.inverse(x)
                x = functional.pixel_shuffle(x, 2) if i == 3 else x
        return (x - self.shift) * (-self.log_scale).exp()

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """Natural logarithm of the density at each ``x`` (eq. 3), exactly."""
        z, change = self(x)
        return cast(torch.Tensor, (-0.5 * z.square() - 0.5 * math.log(2 * math.pi)).sum(1) + change)


def checkerboard(shape: Shape, turn: int) -> torch.Tensor:
    """1 on the squares of one colour; ``turn`` says which."""
    _, high, wide = shape
    board = (torch.arange(high)[:, None] + torch.arange(wide) + turn) % 2
    return board.float().expand(shape).clone()


def channelwise(shape: Shape, turn: int) -> torch.Tensor:
    """1 on one half of the channels; ``turn`` says which."""
    half = (torch.arange(shape[0]) * 2 // shape[0] + turn) % 2
    return half.float()[:, None, None].expand(shape).clone()


def to_real(cube: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(0, 1) to real values by the logit of section 4.1; the log-determinant of each picture beside it."""
    p = _ALPHA + (1 - 2 * _ALPHA) * cube
    change = math.log(1 - 2 * _ALPHA) - p.log() - (1 - p).log()
    return p.logit(), change.flatten(1).sum(1)


def to_cube(real: torch.Tensor) -> torch.Tensor:
    """Undo ``to_real``; what falls outside the cube is brought to its edge."""
    return ((real.sigmoid() - _ALPHA) / (1 - 2 * _ALPHA)).clamp(0, 1)


def log_density(model: RealNVP, cube: torch.Tensor) -> torch.Tensor:
    """Natural log density over the unit cube."""
    real, change = to_real(cube)
    return model.log_density(real) + change


def sample(model: RealNVP, count: int, seed: int, *, temperature: float = 1.0) -> torch.Tensor:
    """(N, C, H, W) in [0, 1]; ``temperature`` scales the deviation of the base distribution."""
    noise = torch.randn(count, math.prod(model.shape), generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return to_cube(model.inverse(temperature * noise))


def train(pictures: Pictures, task: TrainingTask) -> RealNVP:
    """Maximum likelihood, with fresh dequantisation noise each step."""
    torch.manual_seed(task.seed)
    values = pictures.values[~pictures.held_out]
    model = RealNVP(tuple(values.shape[1:]))
    real, _ = to_real(dequantised(values, pictures.depth, torch.Generator().manual_seed(task.seed)))
    with torch.no_grad():
        model.log_scale.copy_(-(real.std(0) + 0.01).log())
        model.shift.copy_(-real.mean(0) * model.log_scale.exp())

    def loss(rng: torch.Generator) -> torch.Tensor:
        batch = values[torch.randint(len(values), (_BATCH,), generator=rng)]
        cube = dequantised(batch, pictures.depth, rng)
        return -log_density(model, cube).mean() / batch[0].numel()

    fit(
        model, loss, work=task.work / "realnvp", steps=task.steps, seed=task.seed, matrix_rate=0.01, rate=3e-3
    )
    return model


def settings(pictures: Pictures, task: TrainingTask) -> Settings:  # noqa: ARG001 - the call of every model here
    """What the weights need to be built again."""
    return Settings(kind="realnvp", shape=tuple(pictures.values.shape[1:]), depth=pictures.depth)


def blank(said: Settings) -> RealNVP:
    """The network before its weights."""
    return RealNVP(said.shape)


def draw(model: RealNVP, asked: SampleRequest) -> torch.Tensor:
    """(C, H, W) in [0, 1]."""
    return sample(model, 1, asked.seed, temperature=asked.temperature)[0]


def make(pictures: Pictures, task: TrainingTask) -> TrainedReference:
    """Train, and measure held-out bits per dimension against the plainest model."""
    model = train(pictures, task)
    values, depth = pictures.values[pictures.held_out], pictures.depth
    with torch.no_grad():
        cube = dequantised(values, depth, torch.Generator().manual_seed(task.seed + 1))
        found = bits(log_density(model, cube), values[0].numel(), depth)
    return TrainedReference(
        title="RealNVP (Dinh, Sohl-Dickstein and Bengio 2017)",
        about="A normalising flow: exact likelihood of uniformly dequantised pictures, one pass to sample.",
        weights=model.state_dict(),
        figures={
            "held-out bits per dimension, uniform dequantisation": spread(found),
            "the same of a histogram for every pixel on its own": f"{histogram_bits(pictures):.3f}",
        },
    )
