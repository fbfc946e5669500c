"""A class-conditional DDPM on pixels (Ho, Jain and Abbeel 2020) with classifier guidance (ADM).

The cosine schedule of Nichol and Dhariwal (2021), 100 steps, the smaller of the two fixed variances. One
picture in five is learnt without its class, so the same network samples with and without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from generators.reference import guidance
from generators.reference.fitting import fit
from generators.reference.judge import Judge
from generators.reference.outputs import TrainedReference
from generators.reference.unet import Denoiser
from generators.reference_files import Settings
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from generators.reference.data import Pictures
    from generators.reference.outputs import SampleRequest, TrainingTask

    Push = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

NEEDS = "Pictures"
SIZE = 16
STEPS = 1500
SCALE = 2.0
"""Strength of the guidance (s of algorithm 1)."""
_UNSAID = 0.2
_NOISE_STEPS = 100
_BATCH = 64
_JUDGED = 12
"""Pictures of each class that are drawn to be judged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """``kept`` is the share of the picture's variance that is left at each step (the ᾱ of the papers)."""

    kept: torch.Tensor

    @classmethod
    def cosine(cls, steps: int) -> Schedule:
        """Eq. 17 of Nichol and Dhariwal; no step takes more than 0.999 of what is left."""
        at = (torch.arange(steps + 1, dtype=torch.float64) / steps + 0.008) / 1.008
        ideal = (at * math.pi / 2).cos().square()
        shares = (ideal[1:] / ideal[:-1]).clamp(min=0.001)
        return cls(kept=shares.cumprod(0).float())

    def noised(self, x: torch.Tensor, steps: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """x_t from x_0 (eq. 4 of Ho et al.)."""
        kept = self.kept[steps][:, None, None, None]
        return kept.sqrt() * x + (1 - kept).sqrt() * noise

    def posterior(self, x: torch.Tensor, step: int, noise: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Mean and variance of x_(t-1) given x_t and the noise in it (eqs. 6, 7); x_0 stays in [-1, 1]."""
        kept = float(self.kept[step])
        before = float(self.kept[step - 1]) if step else 1.0
        taken = 1 - kept / before
        start = ((x - math.sqrt(1 - kept) * noise) / math.sqrt(kept)).clamp(-1, 1)
        mean = math.sqrt(before) * taken * start + math.sqrt(1 - taken) * (1 - before) * x
        return mean / (1 - kept), taken * (1 - before) / (1 - kept)


def sample(
    model: Denoiser,
    schedule: Schedule,
    labels: torch.Tensor,
    *,
    shape: tuple[int, int, int],
    seed: int,
    push: Push | None = None,
    scale: float = SCALE,
) -> torch.Tensor:
    """Ancestral sampling of one picture for each label, (N, C, S, S) in [-1, 1].

    Args:
        push: the gradient of log p(y | x_t), given x_t and the steps. Its product with the variance and
            ``scale`` is added to the mean (Dhariwal and Nichol, eq. 10 and algorithm 1).
    """
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(len(labels), *shape, generator=rng)
    for step in reversed(range(len(schedule.kept))):
        steps = torch.full((len(labels),), step)
        with torch.no_grad():
            mean, variance = schedule.posterior(x, step, model(x, steps, labels))
        if push is not None:
            mean = mean + scale * variance * push(x, steps)
        x = mean + math.sqrt(variance) * torch.randn(x.shape, generator=rng)
    return x.clamp(-1, 1)


def train(pictures: Pictures, schedule: Schedule, task: TrainingTask) -> Denoiser:
    """The simple loss (eq. 14 of Ho et al.)."""
    torch.manual_seed(task.seed)
    known = ~pictures.held_out
    values, labels = pictures.signed[known], pictures.labels[known]
    unsaid = len(pictures.classes)
    model = Denoiser(values.shape[1], values.shape[-1], unsaid)

    def loss(rng: torch.Generator) -> torch.Tensor:
        chosen = torch.randint(len(values), (_BATCH,), generator=rng)
        steps = torch.randint(len(schedule.kept), (_BATCH,), generator=rng)
        noise = torch.randn(values[chosen].shape, generator=rng)
        hidden = torch.rand(_BATCH, generator=rng) < _UNSAID
        said = labels[chosen].masked_fill(hidden, unsaid)
        return functional.mse_loss(model(schedule.noised(values[chosen], steps, noise), steps, said), noise)

    fit(model, loss, work=task.work / "ddpm", steps=task.steps, seed=task.seed, matrix_rate=0.02)
    return model


def settings(pictures: Pictures, task: TrainingTask) -> Settings:  # noqa: ARG001 - the call of every model here
    """What the weights need to be built again.

    Raises:
        InputError: ``reference.data``; a U-Net halves its sides.
    """
    shape = tuple(pictures.values.shape[1:])
    if (side := shape[-1]) < 8 or side & (side - 1):
        what = f"sides are a power of two from 8 on, not {side}"
        raise InputError("reference.data", what, hint="--size 16")
    return Settings(
        kind="ddpm",
        shape=shape,
        depth=pictures.depth,
        classes=pictures.classes,
        steps=_NOISE_STEPS,
        scale=SCALE if len(pictures.classes) > 1 else 0.0,
    )


class Guided(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """Both networks, as one set of weights."""

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        self.shape = shape
        self.ddpm = Denoiser(shape[0], shape[-1], classes)
        self.classifier = guidance.NoisyClassifier(shape[0], classes)


def blank(said: Settings) -> Guided:
    """Both networks before their weights."""
    return Guided(said.shape, len(said.classes))


def draw(networks: Guided, asked: SampleRequest) -> torch.Tensor:
    """(C, S, S) in [0, 1]: the class is told, and the classifier pushes if ``asked.scale`` is not 0."""
    wanted = torch.tensor([asked.label or 0])
    drawn = sample(
        networks.ddpm,
        Schedule.cosine(asked.steps),
        wanted,
        shape=networks.shape,
        seed=asked.seed,
        push=_push(networks.classifier, wanted) if asked.scale else None,
        scale=asked.scale,
    )
    return (drawn[0] + 1) / 2


def _push(classifier: guidance.NoisyClassifier, wanted: torch.Tensor) -> Push:
    return lambda x, steps: guidance.gradient(classifier, x, steps, wanted)


def make(pictures: Pictures, task: TrainingTask) -> TrainedReference:
    """Train network and classifier, sample with both, and have the pictures judged."""
    schedule, classes = Schedule.cosine(_NOISE_STEPS), len(pictures.classes)
    model, classifier = train(pictures, schedule, task), guidance.train(pictures, schedule, task)
    shape = tuple(pictures.values.shape[1:])
    figures = {}
    if classes > 1:
        judge, wanted = Judge(pictures), torch.arange(classes).repeat(_JUDGED)
        figures["share right, real held-out pictures"] = judge.real
        for told in (False, True):
            labels = wanted if told else torch.full_like(wanted, classes)
            for push in (None, _push(classifier, wanted)):
                drawn = sample(model, schedule, labels, shape=shape, seed=task.seed + 1, push=push)
                strength = SCALE if push else 0
                what = f"share right, class {'told' if told else 'not told'}, guidance {strength:g}"
                figures[what] = judge.share(drawn, wanted)
    weights = {f"ddpm.{k}": v for k, v in model.state_dict().items()}
    weights |= {f"classifier.{k}": v for k, v in classifier.state_dict().items()}
    return TrainedReference(
        title="Class-conditional DDPM on pixels with classifier guidance (Dhariwal and Nichol 2021)",
        about="100 steps of ancestral sampling. The judge is a support vector machine on pixels, trained on "
        "the same pictures, that neither network ever saw.",
        weights=weights,
        figures=figures,
    )
