"""What the two players of a GAN minimise, and what the discriminator looks at."""

from __future__ import annotations

import pytest
import torch

from generators.training.gan_discriminator import Discriminator, deviation
from generators.training.gan_losses import LOSSES, gradient_penalty, r1_penalty


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_each_player_pulls_scores_its_own_way(name: str) -> None:
    loss = LOSSES[name]
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    for_real, for_fake = torch.autograd.grad(loss.discriminator(real, fake), (real, fake))
    assert (for_real < 0).all(), "descending raises the scores of real pictures"
    assert (for_fake > 0).all(), "and lowers those of made ones"
    (for_fake,) = torch.autograd.grad(loss.generator(fake), fake)
    assert (for_fake < 0).all(), "the generator raises its own"


def test_the_original_game_is_flat_where_the_generator_loses() -> None:
    slopes = {}
    for name in ("dcgan", "non-saturating"):
        fake = torch.full((1,), -8.0, requires_grad=True)
        slopes[name] = torch.autograd.grad(LOSSES[name].generator(fake), fake)[0].abs().item()
    assert slopes["dcgan"] < 0.001 < 0.9 < slopes["non-saturating"]


def test_penalties_are_those_of_a_known_slope() -> None:
    """A critic with a constant slope of length 3: R1 is 9, the gradient penalty (3 - 1)²."""
    pictures = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    slope = torch.zeros(3, 4, 4)
    slope[0, 0, 0] = 3.0

    def judge(seen: torch.Tensor) -> torch.Tensor:
        return (seen * slope).sum((1, 2, 3))

    assert r1_penalty(judge, pictures).item() == pytest.approx(9)
    rng = torch.Generator().manual_seed(1)
    assert gradient_penalty(judge, pictures, -pictures, rng).item() == pytest.approx(4)


def test_a_collapsed_batch_has_no_deviation() -> None:
    one = torch.randn(1, 3, 4, 4).expand(4, -1, -1, -1)
    assert deviation(one).max() < 1e-3
    assert deviation(torch.randn(4, 3, 4, 4)).min() > 0.3


def test_the_condition_is_judged_too() -> None:
    torch.manual_seed(0)
    judge, pictures = Discriminator((8, 8, 8), 4), torch.randn(4, 3, 16, 16)
    scores = [judge(pictures, torch.eye(4)[[i] * 4]) for i in (0, 1)]
    assert (scores[0] - scores[1]).abs().min() > 1e-4
