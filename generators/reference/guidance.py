"""Classifier guidance (Dhariwal and Nichol 2021, section 4): what classifies noised pictures steers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from generators.reference.fitting import fit
from generators.reference.unet import Block, Conditioning

if TYPE_CHECKING:
    from generators.reference.data import Pictures
    from generators.reference.ddpm import Schedule
    from generators.reference.outputs import TrainingTask

_BATCH = 64


class NoisyClassifier(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """log p(y | x_t): half a U-Net on a noised picture that is told how noisy it is."""

    def __init__(self, channels: int, classes: int, *, width: int = 24) -> None:
        super().__init__()
        self.told = Conditioning(told := 2 * width, 0)
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.fine = Block(width, width, told)
        self.shrink = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.coarse = Block(2 * width, 2 * width, told)
        self.head = nn.Linear(2 * width * 4, classes)

    def forward(self, x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) and (N,) to log-probabilities (N, classes)."""
        told = self.told(steps, torch.zeros_like(steps))
        x = self.coarse(self.shrink(self.fine(self.first(x), told)), told)
        quarters = functional.adaptive_avg_pool2d(functional.silu(x), 2).flatten(1)
        return cast(torch.Tensor, self.head(quarters).log_softmax(1))


def gradient(
    classifier: NoisyClassifier, x: torch.Tensor, steps: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """The gradient of log p(y | x_t) with respect to x_t: what is added to the mean, times the variance."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        chosen = classifier(leaf, steps).gather(1, labels[:, None]).sum()
        return cast(torch.Tensor, torch.autograd.grad(chosen, leaf)[0])


def train(pictures: Pictures, schedule: Schedule, task: TrainingTask) -> NoisyClassifier:
    """Cross-entropy on pictures noised to random steps."""
    torch.manual_seed(task.seed + 1)
    known = ~pictures.held_out
    values, labels = pictures.signed[known], pictures.labels[known]
    classifier = NoisyClassifier(values.shape[1], len(pictures.classes))

    def loss(rng: torch.Generator) -> torch.Tensor:
        chosen = torch.randint(len(values), (_BATCH,), generator=rng)
        steps = torch.randint(len(schedule.kept), (_BATCH,), generator=rng)
        noise = torch.randn(values[chosen].shape, generator=rng)
        said = classifier(schedule.noised(values[chosen], steps, noise), steps)
        return functional.nll_loss(said, labels[chosen])

    fit(
        classifier,
        loss,
        work=task.work / "classifier",
        steps=max(1, task.steps // 2),
        seed=task.seed + 1,
        matrix_rate=0.02,
    )
    return classifier
