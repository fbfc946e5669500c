"""Train the oracle: ``python -m generators.training.oracle --work W --out generators/oracle`` (resumes).

Every drawing of the corpus is a reference, also those that the generator never saw: the oracle has to know
what a right picture of them would look like. Half of each batch passes through the autoencoder first, so
that the softness of generated pictures is nothing new to it.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch.nn import functional

from generators.oracle.network import OracleNetwork
from generators.oracle.questions import QUESTIONS, truth
from generators.oracle.reading import CONFUSION, WEIGHTS
from generators.pinned import listed
from generators.training.emoji_autoencoder import draw
from generators.training.emoji_data import Corpus, compose, ground_colours
from generators.training.loop import Budget, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

_BATCH = 32
_NOTO, _THINGS = 0.2, 0.5
_ROUNDS = 4
_SMOOTHING = 0.05
"""Label smoothing (Szegedy et al. 2016): the oracle should not be surer than its references are clear."""
_LOG = logging.getLogger(__name__)


def train(corpus: Corpus, work: Path, budget: Budget, *, seed: int) -> OracleNetwork:
    """Train (or continue) with checkpoints in ``work/oracle``; returns the averaged network."""
    torch.manual_seed(seed)
    run = Run(model := OracleNetwork(), matrix_rate=0.02, rate=1e-3, average=0.995, seed=seed)
    run.resume(work / "oracle")
    soft = passed(corpus, load_autoencoder(work), torch.Generator().manual_seed(seed + 1), rounds=_ROUNDS)
    everything = torch.arange(len(corpus.labels))
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        chosen = draw(corpus, everything, _BATCH, _NOTO, run.rng, things=_THINGS)
        pictures, answers = batch(corpus, chosen, soft, run.rng)
        said = model(pictures)
        losses = [
            functional.cross_entropy(said[question], answers[question], label_smoothing=_SMOOTHING)
            for question in QUESTIONS
        ]
        run.advance(torch.stack(losses).sum(), spent)
        if run.step % 100 == 0:
            right = {q: round(float((said[q].argmax(1) == answers[q]).float().mean()), 2) for q in QUESTIONS}
            _LOG.info("step %d  %.0f s  %s", run.step, run.seconds, right)
        if run.step % 500 == 0:
            run.save(work / "oracle")
    run.save(work / "oracle")
    run.use_average()
    model.eval()
    return model


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passed:
    """Drawings on grounds, after the autoencoder: what a generator can make of them at best.

    Attributes:
        pixels: (rounds, N, 3, S, S) uint8; in each round every drawing stands on another ground.
        grounds: their names, by round and drawing.
    """

    pixels: torch.Tensor
    grounds: tuple[tuple[str, ...], ...]


def passed(corpus: Corpus, autoencoder: Any, rng: torch.Generator, *, rounds: int = 1) -> Passed:
    """Every drawing ``rounds`` times, made beforehand: it costs three times as much as a step's learning."""
    pixels, grounds = [], []
    with torch.no_grad():
        for _ in range(rounds):
            colours, names = ground_colours(len(corpus.labels), rng)
            for rgba, base in zip(corpus.rgba.split(_BATCH), colours.split(_BATCH), strict=True):
                latents = autoencoder.encode(compose(rgba, rng, base=base)).latent_dist.mean
                noisy = latents + 0.15 * torch.randn(latents.shape, generator=rng)
                made = autoencoder.decode(noisy).sample.clamp(-1, 1)
                pixels.append(((made + 1) * 127.5).round().to(torch.uint8))
            grounds.append(names)
    return Passed(
        pixels=torch.cat(pixels).view(rounds, len(corpus.labels), *pixels[0].shape[1:]),
        grounds=tuple(grounds),
    )


def batch(
    corpus: Corpus, chosen: torch.Tensor, soft: Passed, rng: torch.Generator
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Pictures of ``chosen`` as a generator might draw them, and the right answers; half of them new."""
    half = len(chosen) // 2
    again = torch.randint(len(soft.pixels), (half,), generator=rng)
    colours, names = ground_colours(len(chosen) - half, rng)
    new = compose(corpus.rgba[chosen[half:]], rng, base=colours)
    pictures = torch.cat([soft.pixels[again, chosen[:half]].float() / 127.5 - 1, new])
    stood = [soft.grounds[i][j] for i, j in zip(again.tolist(), chosen[:half].tolist(), strict=True)]
    rows = [truth(corpus.labels[i], name) for i, name in zip(chosen.tolist(), (*stood, *names), strict=True)]
    answers = {question: torch.tensor([row[question] for row in rows]) for question in QUESTIONS}
    return _disturbed(pictures, rng), answers


def _disturbed(pictures: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """A little brighter or darker, blurred, grainy; half of each as often as not."""
    n = len(pictures)
    gain = 1 + 0.16 * (torch.rand(n, 1, 1, 1, generator=rng) - 0.5)
    shift = 0.1 * (torch.rand(n, 1, 1, 1, generator=rng) - 0.5)
    soft = functional.avg_pool2d(functional.pad(pictures, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    share = torch.rand(n, 1, 1, 1, generator=rng)
    grain = 0.04 * torch.rand(n, 1, 1, 1, generator=rng) * torch.randn(pictures.shape, generator=rng)
    return ((pictures.lerp(soft, share)) * gain + shift + grain).clamp(-1, 1)


def confusion(
    model: OracleNetwork, corpus: Corpus, autoencoder: Any, *, seed: int
) -> dict[str, list[list[int]]]:
    """Answers against truth on one new composition of every drawing, rows truth, columns answers."""
    rng = torch.Generator().manual_seed(seed)
    soft = passed(corpus, autoencoder, rng)
    counts = {q: torch.zeros(len(a), len(a), dtype=torch.long) for q, a in QUESTIONS.items()}
    with torch.no_grad():
        for part in torch.randperm(len(corpus.labels), generator=rng).split(_BATCH):
            pictures, answers = batch(corpus, part, soft, rng)
            for question, logits in model(pictures).items():
                where = answers[question], logits.argmax(1)
                counts[question].index_put_(where, torch.ones(len(part), dtype=torch.long), accumulate=True)
    return {question: table.tolist() for question, table in counts.items()}


def load_autoencoder(work: Path) -> Any:
    """The trained autoencoder of ``work``, for looking through it."""
    return AutoencoderKL.from_pretrained(work / "autoencoder" / "vae", use_safetensors=True).eval()


def export(model: OracleNetwork, tables: Mapping[str, list[list[int]]], out: Path) -> None:
    """Write the network in half precision, its digest and ``confusion.json``."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, out / WEIGHTS)
    (out / WEIGHTS).chmod(0o644)
    listed(out, licence="Apache-2.0", data_licence="MIT (Fluent emoji), Apache-2.0 (Noto emoji)")
    answers = {question: list(names) for question, names in QUESTIONS.items()}
    (out / CONFUSION).write_text(json.dumps({"answers": answers, "counts": tables}) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    parser = argparse.ArgumentParser(prog="python -m generators.training.oracle", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with the corpus and the autoencoder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    corpus = Corpus.load(options.work)
    model = train(corpus, options.work, Budget(steps=options.steps), seed=options.seed)
    tables = confusion(model, corpus, load_autoencoder(options.work), seed=options.seed + 1)
    export(model, tables, options.out)
    for question, rows in tables.items():
        right = sum(row[i] for i, row in enumerate(rows))
        logging.info("%s: %d of %d", question, right, sum(map(sum, rows)))


if __name__ == "__main__":
    main()
