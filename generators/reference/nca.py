"""Growing neural cellular automata (Mordvintsev, Randazzo, Niklasson and Levin 2020).

One small network, the same in every cell, sees a cell and its eight neighbours and says how the cell
changes. Grown from a single cell it has to become the picture and stay it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from generators.reference.fitting import fit
from generators.reference.outputs import TrainedReference
from generators.reference_files import EDGE, Settings

if TYPE_CHECKING:
    from generators.reference.data import Picture
    from generators.reference.outputs import SampleRequest, TrainingTask

NEEDS = "Picture"
SIZE = 16
STEPS = 300
CHANNELS = 16
"""Red, green, blue (times alpha), alpha, and twelve that only the cells know."""
GROWN = 24
"""Steps after which the picture should be there."""
_POOL, _BATCH = 64, 4
_FIRE = 0.5


class Automaton(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """The rule: 48 perceived numbers to 16 changes, about 8 000 weights."""

    def __init__(self, *, width: int = 128) -> None:
        super().__init__()
        same = torch.zeros(3, 3)
        same[1, 1] = 1
        across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8  # Sobel
        filters = torch.stack([same, across, across.T])[:, None].repeat(CHANNELS, 1, 1, 1)
        self.register_buffer("filters", filters, persistent=False)
        self.rule = nn.Sequential(
            nn.Conv2d(3 * CHANNELS, width, 1), nn.ReLU(), nn.Conv2d(width, CHANNELS, 1, bias=False)
        )
        nn.init.zeros_(self.rule[-1].weight)

    def forward(self, cells: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        """One step of (N, 16, H, W): about half of the cells act, the dead stay empty.

        A cell sees its neighbours, and whether it lives depends on theirs: news travels two cells a step.
        """
        before = alive(cells)
        perceived = functional.conv2d(cells, self.filters, padding=1, groups=CHANNELS)
        acting = torch.rand(len(cells), 1, *cells.shape[2:], generator=rng) < _FIRE
        cells = cells + self.rule(perceived) * acting
        return cells * (before & alive(cells))

    def run(self, cells: torch.Tensor, steps: int, rng: torch.Generator) -> torch.Tensor:
        """Many steps."""
        for _ in range(steps):
            cells = self(cells, rng)
        return cells


class Growth(Automaton):
    """A rule with the height and width of the field it grows in."""

    def __init__(self, sides: tuple[int, int]) -> None:
        super().__init__()
        self.sides = sides


def alive(cells: torch.Tensor) -> torch.Tensor:
    """Cells with a mature neighbour (alpha above 0.1), themselves included."""
    return functional.max_pool2d(cells[:, 3:4], 3, stride=1, padding=1) > 0.1


def seed_cell(high: int, wide: int) -> torch.Tensor:
    """One living cell in the middle of an empty field, (1, 16, H, W)."""
    cells = torch.zeros(1, CHANNELS, high, wide)
    cells[:, 3:, high // 2, wide // 2] = 1
    return cells


def target(picture: Picture) -> torch.Tensor:
    """(4, H, W) with an empty edge, colours times alpha."""
    rgba = picture.rgba
    whole = torch.cat([rgba[:3] * rgba[3:], rgba[3:]])
    return functional.pad(whole, (EDGE,) * 4)


def train(picture: Picture, task: TrainingTask) -> Automaton:
    """Grow from a pool of earlier states; the worst of a batch begins anew, the best loses a disc.

    Experiments 2 and 3 of the paper: the picture is kept, and heals.
    """
    torch.manual_seed(task.seed)
    model, wanted = Automaton(), target(picture)
    seed = seed_cell(*wanted.shape[1:])
    beside = {"pool": seed.repeat(_POOL, 1, 1, 1)}

    def loss(rng: torch.Generator) -> torch.Tensor:
        pool = beside["pool"]
        chosen = torch.randperm(_POOL, generator=rng)[:_BATCH]
        cells = pool[chosen]
        order = _errors(cells, wanted).argsort(descending=True)
        chosen, cells = chosen[order], cells[order]
        cells[0] = seed[0]
        cells[-1] *= _hole(wanted.shape[1:], rng)
        steps = int(torch.randint(GROWN * 3 // 4, GROWN * 3 // 2, (1,), generator=rng))
        cells = model.run(cells, steps, rng)
        pool[chosen] = cells.detach().clamp(-4, 4)
        return _errors(cells, wanted).mean()

    fit(
        model, loss, work=task.work / "nca", steps=task.steps, seed=task.seed, matrix_rate=0.03, rate=2e-3,
        average=0.97, beside=beside,
    )  # fmt: skip
    return model


def _errors(cells: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return (cells[:, :4] - wanted).square().mean((1, 2, 3))


def _hole(sides: torch.Size, rng: torch.Generator) -> torch.Tensor:
    """0 in a disc somewhere, 1 around it."""
    high, wide = sides
    y, x = (float(torch.rand(1, generator=rng)) * side for side in sides)
    apart = (torch.arange(high)[:, None] - y).square() + (torch.arange(wide) - x).square()
    return (apart > (min(sides) / 4) ** 2).float()


def psnr(cells: torch.Tensor, wanted: torch.Tensor) -> str:
    """PSNR in dB of colours and alpha."""
    return f"{-10 * float(_errors(cells.clamp(0, 1), wanted).mean().log10()):.1f} dB"


def settings(picture: Picture, task: TrainingTask) -> Settings:  # noqa: ARG001 - the call of every model here
    """What the weights need to be built again."""
    _, high, wide = picture.rgba.shape
    return Settings(kind="nca", shape=(4, high + 2 * EDGE, wide + 2 * EDGE), steps=GROWN)


def blank(said: Settings) -> Growth:
    """The rule before its weights, and its field."""
    return Growth(said.shape[1:])


def draw(model: Growth, asked: SampleRequest) -> torch.Tensor:
    """(3, H, W) in [0, 1], on white: grown from one cell; the seed says which cells act when."""
    rng = torch.Generator().manual_seed(asked.seed)
    with torch.no_grad():
        cells = model.run(seed_cell(*model.sides), asked.steps, rng)[0]
    return cells[:3] + 1 - cells[3:4].clamp(0, 1)


def make(picture: Picture, task: TrainingTask) -> TrainedReference:
    """Train, grow, grow on, damage and heal."""
    model, wanted = train(picture, task), target(picture)
    rng, seed = torch.Generator().manual_seed(task.seed), seed_cell(*wanted.shape[1:])
    with torch.no_grad():
        grown = model.run(seed.repeat(8, 1, 1, 1), GROWN, rng)
        later = model.run(grown, 4 * GROWN, rng)
        hurt = later * _hole(wanted.shape[1:], rng)
        healed = model.run(hurt, 2 * GROWN, rng)
    return TrainedReference(
        title="Growing neural cellular automaton (Mordvintsev et al. 2020)",
        about="One local rule grows the picture from one cell; fewer steps give stages of its growth.",
        weights=cast("dict[str, torch.Tensor]", model.state_dict()),
        figures={
            f"grown, {GROWN} steps, mean of 8": psnr(grown, wanted),
            f"kept, {5 * GROWN} steps": psnr(later, wanted),
            "with a hole": psnr(hurt, wanted),
            f"healed, {2 * GROWN} steps later": psnr(healed, wanted),
            "an empty field": psnr(torch.zeros_like(grown), wanted),
        },
    )
