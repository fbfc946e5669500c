"""A variational autoencoder (Kingma and Welling 2013): Gaussian latents, logistic pixels, one ELBO.

Pixels keep one learnt scale each, so the bound is of the same density as the flow's, and their bits per
dimension can stand side by side. A Gaussian's tails are too thin for pixels that are nearly always black:
it came to 4.6 bits on held-out digits where a histogram of each pixel comes to 2.4.
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
STEPS = 2000
LATENT = 12
_BATCH = 64
_DRAWS = 16
"""Latent draws over which the held-out bound is averaged."""


class VAE(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """(N, C, H, W) in (0, 1) to ``LATENT`` numbers and back; two hidden layers each way."""

    def __init__(self, shape: tuple[int, int, int], *, width: int = 128) -> None:
        super().__init__()
        self.shape = shape
        size = math.prod(shape)
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(size, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, 2 * LATENT),
        )
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, size)
        )
        self.log_scale = nn.Parameter(torch.full(shape, -2.0))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The mean picture of each latent."""
        return cast(torch.Tensor, self.decoder(latents).sigmoid().reshape(-1, *self.shape))

    def bound(self, cube: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """ELBO of each picture in nats (eq. 10 with one draw): reconstruction less divergence.

        Args:
            cube: (N, C, H, W) in (0, 1).
            noise: (N, LATENT), standard normal: the reparameterisation.
        """
        mean, log_variance = self.encoder(2 * cube - 1).chunk(2, dim=1)
        said = self.decode(mean + (0.5 * log_variance).exp() * noise)
        error = (cube - said) * (-self.log_scale).exp()
        reconstruction = -error - 2 * functional.softplus(-error) - self.log_scale
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return cast(torch.Tensor, reconstruction.flatten(1).sum(1) - divergence)


def sample(model: VAE, count: int, seed: int) -> torch.Tensor:
    """Mean pictures (N, C, H, W) in (0, 1) of latents drawn from the prior; no pixel noise is added."""
    noise = torch.randn(count, LATENT, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return model.decode(noise)


def train(pictures: Pictures, task: TrainingTask) -> VAE:
    """Maximise the ELBO, with fresh dequantisation noise each step."""
    torch.manual_seed(task.seed)
    values = pictures.values[~pictures.held_out]
    model = VAE(tuple(values.shape[1:]))

    def loss(rng: torch.Generator) -> torch.Tensor:
        batch = values[torch.randint(len(values), (_BATCH,), generator=rng)]
        cube = dequantised(batch, pictures.depth, rng)
        return -model.bound(cube, torch.randn(len(cube), LATENT, generator=rng)).mean() / batch[0].numel()

    fit(model, loss, work=task.work / "vae", steps=task.steps, seed=task.seed, matrix_rate=0.01, rate=1e-2)
    return model


def held_out_bits(model: VAE, pictures: Pictures, seed: int) -> torch.Tensor:
    """Upper bound of the bits per dimension of each held-out picture."""
    values, rng = pictures.values[pictures.held_out], torch.Generator().manual_seed(seed)
    with torch.no_grad():
        bounds = [
            model.bound(
                dequantised(values, pictures.depth, rng), torch.randn(len(values), LATENT, generator=rng)
            )
            for _ in range(_DRAWS)
        ]
    return bits(torch.stack(bounds).mean(0), values[0].numel(), pictures.depth)


def settings(pictures: Pictures, task: TrainingTask) -> Settings:  # noqa: ARG001 - the call of every model here
    """What the weights need to be built again."""
    return Settings(kind="vae", shape=tuple(pictures.values.shape[1:]), depth=pictures.depth)


def blank(said: Settings) -> VAE:
    """The network before its weights."""
    return VAE(said.shape)


def draw(model: VAE, asked: SampleRequest) -> torch.Tensor:
    """(C, H, W) in (0, 1)."""
    return sample(model, 1, asked.seed)[0]


def make(pictures: Pictures, task: TrainingTask) -> TrainedReference:
    """Train, and measure the held-out bound."""
    model = train(pictures, task)
    return TrainedReference(
        title="Variational autoencoder (Kingma and Welling 2013)",
        about="Samples are the mean pictures of latents from the prior: soft, as those of this kind are.",
        weights=model.state_dict(),
        figures={
            "held-out bits per dimension, at most (ELBO, uniform dequantisation)": spread(
                held_out_bits(model, pictures, task.seed + 1)
            ),
            "the same of a histogram for every pixel on its own": f"{histogram_bits(pictures):.3f}",
        },
    )
