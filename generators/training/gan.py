"""Train the bundled GAN: ``python -m generators.training.gan --work FOLDER --out FOLDER …`` (resumes).

A conditional StyleGAN2 generator against a residual discriminator, on the drawings of the emoji corpus at
64 pixels. R1 is computed on every sixteenth round only, and weighted accordingly (Karras et al. 2020). Path
length regularisation is left out: it costs a third of the time and serves smoothness, not quality.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from generators.directions_adapter import oracle_reader
from generators.gan_conditions import OF_PEOPLE, SUBJECT, Conditions
from generators.stylegan2_adapter import Architecture, StyleGAN2
from generators.training.emoji_data import Corpus, compose, ground_colours
from generators.training.emoji_labels import GROUNDS
from generators.training.gan_discriminator import Discriminator
from generators.training.gan_export import export, tangled
from generators.training.gan_losses import LOSSES, gradient_penalty, r1_penalty
from generators.training.gan_state import Contest
from generators.training.loop import Budget

if TYPE_CHECKING:
    from generators.training.emoji_labels import Label

CHANNELS = (128, 128, 96, 48, 24)
"""Feature maps at 4, 8, 16, 32 and 64 pixels."""
_Z, _W, _MAPPING = 64, 128, 4
_LAZY = 16
_GRADIENT_PENALTY = 10.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of one run; a checkpoint is continued with the same.

    Attributes:
        loss: one of ``LOSSES``.
        batch: pictures a round.
        r1: weight γ of the R1 penalty; not used by ``wgan-gp``, which has its own.
        channels: feature maps at 4, 8, … pixels, of both players.
        save_every: seconds between checkpoints.
    """

    loss: str = "non-saturating"
    batch: int = 16
    r1: float = 0.3
    channels: tuple[int, ...] = CHANNELS
    save_every: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawings:
    """Training drawings at the size of the GAN.

    Attributes:
        rgba: (N, 4, side, side) uint8.
        labels: one per drawing.
        conditions: how labels become numbers.
    """

    rgba: torch.Tensor
    labels: tuple[Label, ...]
    conditions: Conditions

    def batch(self, count: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, 3, side, side) pictures on named grounds, in [-1, 1], and (count, …) conditions."""
        chosen = torch.randint(len(self.labels), (count,), generator=rng)
        colours, names = ground_colours(count, rng)
        pictures = compose(self.rgba[chosen], rng, base=colours)
        rows = [_said(self.labels[i], ground) for i, ground in zip(chosen.tolist(), names, strict=True)]
        return pictures, torch.tensor([self.conditions.vector(row) for row in rows])


def drawings(corpus: Corpus, side: int, *, things: bool) -> Drawings:
    """The drawings that are not held out, reduced to ``side`` pixels."""
    kept = [i for i in corpus.train.tolist() if things or corpus.labels[i].is_person]
    labels = tuple(corpus.labels[i] for i in kept)
    return Drawings(rgba=_reduced(corpus.rgba[kept], side), labels=labels, conditions=_conditions(labels))


def _reduced(rgba: torch.Tensor, side: int) -> torch.Tensor:
    """Averaged with premultiplied alpha, so that no transparent black enters the edges."""
    pixels = rgba.float()
    alpha = pixels[:, 3:] / 255
    mean = functional.adaptive_avg_pool2d(torch.cat([pixels[:, :3] * alpha, alpha], dim=1), side)
    colours = mean[:, :3] / mean[:, 3:].clamp(min=1e-3)
    return torch.cat([colours, mean[:, 3:] * 255], dim=1).round().clamp(0, 255).to(torch.uint8)


def _conditions(labels: tuple[Label, ...]) -> Conditions:
    """Every value that occurs, in the order of the first."""
    fields = (SUBJECT, *OF_PEOPLE, "style")
    values = {field: dict.fromkeys(getattr(label, field) for label in labels) for field in fields}
    blocks = [(field, tuple(v for v in values[field] if v is not None)) for field in fields]
    things = frozenset(label.subject for label in labels if not label.is_person)
    return Conditions(blocks=tuple(b for b in (*blocks, ("ground", tuple(GROUNDS))) if b[1]), things=things)


def _said(label: Label, ground: str) -> dict[str, str]:
    said = {field: getattr(label, field) for field in (SUBJECT, *OF_PEOPLE, "style")}
    return {**{field: value for field, value in said.items() if value is not None}, "ground": ground}


def players(settings: Settings, condition: int) -> tuple[StyleGAN2, Discriminator]:
    """Both networks, untrained."""
    shape = Architecture(
        z=_Z, condition=condition, embedded=_Z, mapping=(_W,) * _MAPPING, channels=settings.channels
    )
    # The processor's convolutions are faster with the channels innermost.
    generator = StyleGAN2(shape).to(memory_format=torch.channels_last)
    critic = Discriminator(settings.channels, condition).to(memory_format=torch.channels_last)
    return generator, critic


def train(
    data: Drawings, folder: Path, budget: Budget, *, seed: int, settings: Settings = Settings()
) -> StyleGAN2:
    """Train (or continue) with checkpoints in ``folder``; returns the averaged generator."""
    torch.manual_seed(seed)
    contest = Contest(*players(settings, data.conditions.length), seed=seed)
    contest.resume(folder)
    saved = contest.seconds
    while budget.spent(contest.step, contest.seconds) < 1:
        health = play(contest, data, settings)
        if contest.step % 25 == 0:
            health["spread"] = spread(contest, data)
            shown = "  ".join(f"{name} {value:.3f}" for name, value in health.items())
            _LOG.info("round %d  %.0f s  %s", contest.step, contest.seconds, shown)
        if contest.seconds - saved > settings.save_every:
            contest.save(folder)
            saved = contest.seconds
    contest.save(folder)
    averaged: StyleGAN2 = contest.average
    return averaged


def play(contest: Contest, data: Drawings, settings: Settings) -> dict[str, float]:
    """One round: the discriminator's step, then the generator's; what both lost, and who is ahead."""
    loss, rng, n = LOSSES[settings.loss], contest.rng, settings.batch
    contest.turn(1)
    real, condition = data.batch(n, rng)
    with torch.no_grad():
        fake = _made(contest, condition)
    judge = contest.discriminator
    for_real, for_fake = judge(real, condition), judge(fake, condition)
    lost = loss.discriminator(for_real, for_fake)
    health = {"d": lost.item(), "ahead": (for_real > for_fake).float().mean().item()}
    lost = lost + _penalty(contest, settings, real, fake, condition)
    contest.descend(1, lost)
    contest.turn(0)
    _, condition = data.batch(n, rng)
    lost = loss.generator(judge(_made(contest, condition), condition))
    contest.descend(0, lost)
    contest.finish_round(n)
    return {**health, "g": lost.item()}


def _made(contest: Contest, condition: torch.Tensor) -> torch.Tensor:
    generator, rng, n = contest.generator, contest.rng, len(condition)
    noise = [torch.randn(n, 1, side, side, generator=rng) for side in generator.synthesis.layer_sides]
    z = torch.randn(n, generator.shape.z, generator=rng)
    pictures: torch.Tensor = generator(z, condition, noise=noise)
    return pictures


def _penalty(
    contest: Contest, settings: Settings, real: torch.Tensor, fake: torch.Tensor, condition: torch.Tensor
) -> torch.Tensor:
    def judge(pictures: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = contest.discriminator(pictures, condition)
        return scores

    if settings.loss == "wgan-gp":
        return _GRADIENT_PENALTY * gradient_penalty(judge, real, fake, contest.rng)
    if contest.step % _LAZY:
        return torch.zeros(())
    return r1_penalty(judge, real) * (settings.r1 / 2 * _LAZY)


def spread(contest: Contest, data: Drawings, *, count: int = 8) -> float:
    """How much pictures of one condition differ by z alone, as a deviation in [0, 2]; 0 is collapse.

    Draws from a stream of its own: looking changes nothing.
    """
    rng = torch.Generator().manual_seed(contest.step)
    _, condition = data.batch(1, rng)
    with torch.no_grad():
        z = torch.randn(count, contest.average.shape.z, generator=rng)
        pictures = contest.average(z, condition.expand(count, -1))
    return float(pictures.clamp(-1, 1).std(dim=0).mean())


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    parser = argparse.ArgumentParser(prog="python -m generators.training.gan", description=__doc__)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder with the corpus; checkpoints go here"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--corpus", type=Path, help="folder with the corpus, if another")
    parser.add_argument("--loss", choices=sorted(LOSSES), default="non-saturating")
    parser.add_argument("--subjects", choices=("people", "all"), default="people")
    parser.add_argument("--minutes", type=float, help="wall clock, over all sessions")
    parser.add_argument("--steps", type=int, help="rounds, over all sessions (repeatable)")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--r1", type=float, default=0.3, help="weight of the R1 penalty")
    parser.add_argument("--oracle", type=Path, help="oracle.safetensors: also write entanglement.json")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    settings = Settings(loss=options.loss, batch=options.batch, r1=options.r1)
    corpus = Corpus.load(options.corpus or options.work)
    data = drawings(corpus, 2 << len(settings.channels), things=options.subjects == "all")
    budget = Budget(steps=options.steps, minutes=options.minutes)
    model = train(data, options.work / f"gan-{options.loss}", budget, seed=options.seed, settings=settings)
    export(model, data.conditions, options.out)
    if options.oracle:
        report = tangled(model, data.conditions, oracle_reader(options.oracle))
        rows = {name: dataclasses.asdict(found) for name, found in report.items()}
        (options.out / "entanglement.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
