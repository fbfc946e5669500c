"""Before the game: the generator learns which picture of its condition each z stands for.

A game alone needs millions of pictures until a generator draws anything. Where the data can say what a z
means, its place in the picture and its ground, a generator learns by plain regression what there is to draw
(Bojanowski et al. 2018, with latents that are given instead of learnt); the game comes after that.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch.nn import functional

from generators.training.loop import Run

if TYPE_CHECKING:
    from pathlib import Path

    from generators.stylegan2_adapter import StyleGAN2
    from generators.training.loop import Budget

QUICKER = {"mapping.": 30.0}
"""The mapping network's rate beside the others'; its weights are stored a hundred times as large."""
_MATRIX_RATE, _RATE, _AVERAGE = 0.15, 5e-3, 0.995
_LOG = logging.getLogger(__name__)


@runtime_checkable
class Meant(Protocol):
    """Data that can say which picture a z stands for."""

    def meant(self, z: torch.Tensor, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3, side, side) pictures in [-1, 1] of scenes that z, (N, …), decides, and (N, …) conditions."""
        ...


def drawn(
    generator: StyleGAN2, z: torch.Tensor, condition: torch.Tensor, rng: torch.Generator
) -> torch.Tensor:
    """Its pictures, with noise from ``rng``."""
    n = len(z)
    noise = [torch.randn(n, 1, side, side, generator=rng) for side in generator.synthesis.layer_sides]
    pictures: torch.Tensor = generator(z, condition, noise=noise)
    return pictures


def teach(
    generator: StyleGAN2,
    data: Meant,
    folder: Path,
    budget: Budget,
    *,
    seed: int,
    batch: int,
) -> None:
    """Teach (or continue) with checkpoints in ``folder``; the generator has the averaged weights afterwards.

    Raises:
        InputError: ``train.other-run``.
        IntegrityError: ``train.checkpoint-damaged``, ``train.not-finite``.
    """
    torch.manual_seed(seed)
    rates = {"matrix_rate": _MATRIX_RATE, "rate": _RATE, "average": _AVERAGE}
    run = Run(generator, **rates, seed=seed, quicker=QUICKER)
    run.resume(folder)
    total = 0.0
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        z = torch.randn(batch, generator.shape.z, generator=run.rng)
        meant, condition = data.meant(z, run.rng)
        loss = functional.l1_loss(drawn(generator, z, condition, run.rng), meant)
        run.advance(loss, spent)
        total += loss.item()
        if run.step % 100 == 0:
            _LOG.info("lesson %d  %.0f s  distance %.4f", run.step, run.seconds, total / 100)
            total = 0.0
        if run.step % 500 == 0:
            run.save(folder)
    run.save(folder)
    run.use_average()
