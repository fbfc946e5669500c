"""What the two players minimise: three published games, and the penalties that keep them stable.

``scores`` are of the discriminator, not squashed, higher for what looks real.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Loss(Protocol):
    """One game."""

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """What the generator minimises, of the scores of its pictures."""
        ...

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """What the discriminator minimises."""
        ...


class NonSaturating:
    """Logistic, the generator maximising log D (Goodfellow et al. 2014, §3; StyleGAN2)."""

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """-log D(fake)."""
        return functional.softplus(-fake).mean()

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """-log D(real) - log(1 - D(fake))."""
        return functional.softplus(-real).mean() + functional.softplus(fake).mean()


class Minimax(NonSaturating):
    """The original game: the generator minimises log(1 - D), which is flat where it loses clearly."""

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """log(1 - D(fake))."""
        return -functional.softplus(fake).mean()


class Wasserstein:
    """Earth mover's distance by a critic (Arjovsky et al. 2017)."""

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """Higher scores."""
        return -fake.mean()

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Scores apart; a weak pull to 0 keeps them from drifting away together (Karras et al. 2018)."""
        return fake.mean() - real.mean() + 1e-3 * real.square().mean()


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {"non-saturating": NonSaturating(), "wgan-gp": Wasserstein(), "dcgan": Minimax()}
)
"""By the name of the command line's ``--loss``; ``dcgan`` is the original minimax game."""


def r1_penalty(judge: Callable[[torch.Tensor], torch.Tensor], real: torch.Tensor) -> torch.Tensor:
    """Mean squared gradient of the scores at real pictures (Mescheder et al. 2018), without weight."""
    real = real.detach().requires_grad_()
    (slope,) = torch.autograd.grad(judge(real).sum(), real, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


def gradient_penalty(
    judge: Callable[[torch.Tensor], torch.Tensor],
    real: torch.Tensor,
    fake: torch.Tensor,
    rng: torch.Generator,
) -> torch.Tensor:
    """Squared distance from 1 of the slope between real and made pictures (Gulrajani et al. 2017)."""
    share = torch.rand(len(real), 1, 1, 1, generator=rng)
    between = fake.detach().lerp(real, share).requires_grad_()
    (slope,) = torch.autograd.grad(judge(between).sum(), between, create_graph=True)
    length = (slope.square().sum((1, 2, 3)) + 1e-12).sqrt()
    return (length - 1).square().mean()
