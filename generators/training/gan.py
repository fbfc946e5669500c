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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch.nn import functional

from generators.directions_adapter import oracle_reader
from generators.stylegan2_adapter import Architecture, StyleGAN2
from generators.training.emoji_data import Corpus
from generators.training.gan_discriminator import Discriminator
from generators.training.gan_drawings import drawings
from generators.training.gan_export import export, tangled
from generators.training.gan_losses import LOSSES, gradient_penalty, r1_penalty
from generators.training.gan_state import RATE, Contest
from generators.training.gan_teaching import Meant, drawn, teach
from generators.training.loop import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from generators.gan_conditions import Conditions
    from generators.training.effort import Effort

CHANNELS = (128, 128, 64, 48, 24)
"""Feature maps at 4, 8, 16, 32 and 64 pixels."""
_Z, _W, _MAPPING = 64, 128, 4
_LAZY = 16
_GRADIENT_PENALTY = 10.0
_LOG = logging.getLogger(__name__)


class Data(Protocol):
    """Pictures and what is said of them, of one size."""

    @property
    def conditions(self) -> Conditions:
        """What the numbers mean."""
        ...

    def batch(self, count: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, 3, side, side) in [-1, 1] and (count, …) conditions."""
        ...

    def halved(self) -> Data:
        """The same at half the size."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of one run; a checkpoint is continued with the same.

    Attributes:
        loss: one of ``LOSSES``.
        batch: pictures a round.
        r1: weight γ of the R1 penalty; not used by ``wgan-gp``, which has its own.
        channels: feature maps at 4, 8, … pixels, of both players.
        reconstruction: weight λ of the mean distance between a made picture and the one its z stands for,
            which the generator minimises beside the game (Isola et al. 2017); for data that is ``Meant``.
        taught: share of the budget in which, first of all, the generator minimises that distance alone.
        halved: share of the budget that is played at half the size first, where a round costs two thirds.
        rate: of both players' Adam.
        save_every: seconds between checkpoints.
        save_rounds: rounds between checkpoints, instead.
    """

    loss: str = "non-saturating"
    batch: int = 16
    r1: float = 0.3
    channels: tuple[int, ...] = CHANNELS
    reconstruction: float = 0.0
    taught: float = 0.0
    halved: float = 0.0
    rate: float = RATE
    save_every: float = 180.0
    save_rounds: int | None = None


def players(settings: Settings, condition: int) -> tuple[StyleGAN2, Discriminator]:
    """Both networks, untrained."""
    shape = Architecture(
        z=_Z,
        condition=condition,
        embedded=_Z if condition else 0,
        mapping=(_W,) * _MAPPING,
        channels=settings.channels,
    )
    # The processor's convolutions are faster with the channels innermost.
    generator = StyleGAN2(shape).to(memory_format=torch.channels_last)
    critic = Discriminator(settings.channels, condition).to(memory_format=torch.channels_last)
    return generator, critic


def train(
    data: Data,
    folder: Path,
    budget: Budget,
    *,
    seed: int,
    settings: Settings = Settings(),
    identity: str = "",
    heard: Callable[[int, float], None] = lambda _step, _loss: None,
    effort: Effort | None = None,
) -> StyleGAN2:
    """Train (or continue) with checkpoints in ``folder``; returns the averaged generator.

    Args:
        identity: of the run; a checkpoint of another is refused.
        heard: called with the round and the generator's loss after every round.
        effort: counts time and energy, over all sessions.

    Raises:
        InputError: ``train.other-run``.
        IntegrityError: ``train.checkpoint-damaged``, ``train.not-finite``.
    """
    smaller = folder / "halved"
    if settings.halved:
        share, half = budget.part(settings.halved), _half(settings)
        train(data.halved(), smaller, share, seed=seed, settings=half, identity=identity)
    torch.manual_seed(seed)
    pair = players(settings, data.conditions.length)
    if settings.taught and isinstance(data, Meant):
        share = budget.part(settings.taught)
        teach(pair[0], data, folder / "taught", share, seed=seed, batch=settings.batch)
    budget = budget.part(1 - settings.halved - settings.taught)
    contest = Contest(*pair, seed=seed, rate=settings.rate, identity=identity, effort=effort)
    if not contest.resume(folder) and settings.halved:
        contest.grow(smaller)
    while budget.spent(contest.step, contest.seconds) < 1:
        _until_saved(contest, data, settings, budget, heard)
        contest.save(folder)
    averaged: StyleGAN2 = contest.average
    return averaged


def _half(settings: Settings) -> Settings:
    """The same at half the size."""
    return replace(settings, channels=settings.channels[:-1], halved=0.0)


def _until_saved(
    contest: Contest, data: Data, settings: Settings, budget: Budget, heard: Callable[[int, float], None]
) -> None:
    """Rounds, until a checkpoint is due or the budget is spent."""
    saved, due = contest.seconds, False
    while not due and budget.spent(contest.step, contest.seconds) < 1:
        health = play(contest, data, settings)
        heard(contest.step, health["g"])
        if contest.step % 25 == 0:
            _tell(contest, {**health, "spread": spread(contest, data)})
        due = _due(contest, settings, saved)


def _tell(contest: Contest, health: dict[str, float]) -> None:
    shown = "  ".join(f"{name} {value:.3f}" for name, value in health.items())
    _LOG.info("round %d  %.0f s  %s", contest.step, contest.seconds, shown)


def _due(contest: Contest, settings: Settings, saved: float) -> bool:
    """Whether a checkpoint is; ``saved``: the seconds of the one before."""
    if settings.save_rounds is not None:
        return contest.step % settings.save_rounds == 0
    return contest.seconds - saved > settings.save_every


def play(contest: Contest, data: Data, settings: Settings) -> dict[str, float]:
    """One round: the discriminator's step, then the generator's; what both lost, and who is ahead."""
    health = _judged(contest, data, settings)
    lost, told = _drawn(contest, data, settings)
    contest.descend(0, lost)
    contest.finish_round(settings.batch)
    return {**health, **told, "g": lost.item()}


def _judged(contest: Contest, data: Data, settings: Settings) -> dict[str, float]:
    """The discriminator's step."""
    loss, rng, n = LOSSES[settings.loss], contest.rng, settings.batch
    contest.turn(1)
    real, condition = data.batch(n, rng)
    with torch.no_grad():
        z = torch.randn(n, contest.generator.shape.z, generator=rng)
        fake = _made(contest, z, condition)
    judge = contest.discriminator
    for_real, for_fake = judge(real, condition), judge(fake, condition)
    lost = loss.discriminator(for_real, for_fake)
    health = {"d": lost.item(), "ahead": (for_real > for_fake).float().mean().item()}
    contest.descend(1, lost + _penalty(contest, settings, real, fake, condition))
    return health


def _drawn(contest: Contest, data: Data, settings: Settings) -> tuple[torch.Tensor, dict[str, float]]:
    """What the generator loses, and its distance from what it was meant to draw, if that counts."""
    contest.turn(0)
    n, game = settings.batch, LOSSES[settings.loss]
    z = torch.randn(n, contest.generator.shape.z, generator=contest.rng)
    if not (settings.reconstruction and isinstance(data, Meant)):
        _, condition = data.batch(n, contest.rng)
        made = _made(contest, z, condition)
        return game.generator(contest.discriminator(made, condition)), {}
    meant, condition = data.meant(z, contest.rng)
    made = _made(contest, z, condition)
    distance = functional.l1_loss(made, meant)
    lost = game.generator(contest.discriminator(made, condition)) + settings.reconstruction * distance
    return lost, {"distance": distance.item()}


def _made(contest: Contest, z: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
    pictures: torch.Tensor = drawn(contest.generator, z, condition, contest.rng)
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


def spread(contest: Contest, data: Data, *, count: int = 8) -> float:
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
    parser.add_argument("--halved", type=float, default=0.0, help="share of the time at half the size")
    parser.add_argument("--rate", type=float, default=1e-3, help="of both players' Adam")
    parser.add_argument("--reconstruction", type=float, default=40.0, help="weight of what a z stands for")
    parser.add_argument("--taught", type=float, default=0.75, help="share of the time with that alone, first")
    parser.add_argument("--oracle", type=Path, help="oracle.safetensors: also write entanglement.json")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    if not 0 <= options.halved + options.taught < 1:
        parser.error("--halved and --taught together leave no time for the game")
    names = ("loss", "batch", "r1", "rate", "halved", "reconstruction", "taught")
    settings = Settings(**{name: getattr(options, name) for name in names})
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
