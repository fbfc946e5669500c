"""Train the bundled clips: ``python -m generators.training.emoji_motion COMMAND --work FOLDER …``.

prepare  draw and encode clips of moving emoji (goes on where it stopped)
train    motion modules and words of movement on the frozen picture model (resumes by itself)
export   write the motion modules in half precision
"""

from __future__ import annotations

import argparse
import logging
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from generators.movements import MOVEMENTS
from generators.registry import load
from generators.training.emoji_data import Corpus
from generators.training.emoji_labels import caption, draw_kept
from generators.training.emoji_motion_data import (
    FRAMES,
    Bank,
    drawn_movements,
    fill_bank,
    load_bank,
    rows_for,
    take,
)
from generators.training.loop import Budget, Run
from generators.training.motion_export import export
from generators.training.motion_model import RANK, MotionDenoiser, drawn_conditions, loss

if TYPE_CHECKING:
    from collections.abc import Sequence

BANK, CHECKPOINT = "clips", "motion"
"""Folders in the work folder."""
_CLIPS = 2400
_BATCH = 4
_LONG = 0.2
"""Share of the steps with clips of 16 frames, of which half as many fit; the others have 8 to 12."""
_DROP, _EMPTY, _UNSAID = 0.3, 0.05, 0.05
"""Shares of captions: attributes left out, nothing said at all, no word of movement."""
_QUICKER = {"lora_": 5.0, "offsets.": 20.0, "drifts.": 20.0}
"""Low-rank changes and words of movement begin at next to nothing."""
_LOG = logging.getLogger(__name__)


def read_base(reference: str) -> Any:
    """The picture model, ready to be trained on."""
    base: Any = load(reference)
    for part in (base.pipeline.unet, base.pipeline.vae, base.pipeline.text_encoder):
        part.eval().requires_grad_(requires_grad=False)
    return base


def prepare(corpus: Corpus, base: Any, work: Path, *, clips: int, seed: int) -> Bank:
    """Encode the clips, of drawings that the picture model was trained on and whose words it knows."""
    known = base.tokenizer.get_vocab()
    rows = [i for i in corpus.train.tolist() if set(caption(corpus.labels[i])) <= set(known)]
    return fill_bank(corpus, base.vae, work / BANK, clips, seed=seed, among=torch.tensor(rows))


def train(
    corpus: Corpus,
    base: Any,
    bank: Bank,
    work: Path,
    budget: Budget,
    *,
    seed: int,
    batch: int = _BATCH,
    rank: int = RANK,
) -> MotionDenoiser:
    """Train (or continue) with checkpoints in ``work/motion``; returns the averaged model."""
    torch.manual_seed(seed)
    model = MotionDenoiser(base, MOVEMENTS, rank=rank)
    run = Run(model, matrix_rate=0.01, rate=1e-3, average=0.995, seed=seed, quicker=_QUICKER)
    if run.resume(work / CHECKPOINT):
        _LOG.info("resumed at step %d", run.step)
    words, total = random.Random(seed + run.step), 0.0  # noqa: S311 simulation, not secrets
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        value = _step_loss(model, base, corpus, bank, run=run, words=words, batch=batch)
        run.advance(value, spent)
        total += value.item()
        if run.step % 100 == 0:
            _LOG.info("step %d  %.0f s  loss %.4f", run.step, run.seconds, total / 100)
            total = 0.0
        if run.step % 250 == 0:
            run.save(work / CHECKPOINT)
    run.save(work / CHECKPOINT)
    run.use_average()
    model.eval()
    return model


def _step_loss(
    model: MotionDenoiser,
    base: Any,
    corpus: Corpus,
    bank: Bank,
    *,
    run: Run,
    words: random.Random,
    batch: int,
) -> torch.Tensor:
    long = words.random() < _LONG
    count, frames = (max(1, batch // 2), FRAMES) if long else (batch, words.choice((8, 8, 8, 10, 12)))
    movements = drawn_movements(count, run.rng)
    rows = rows_for(bank, movements, run.rng)
    clips = [take(bank, row, said, frames, run.rng) for row, said in zip(rows, movements, strict=True)]
    clean = torch.stack(clips).transpose(1, 2)
    tokens = tokens_of(base.tokenizer, model.first, captions(corpus, bank, rows, movements, words))
    times = base.scheduler.config.num_train_timesteps
    conditions = drawn_conditions(count, frames, times, run.rng)
    return loss(model, base.scheduler, clean, tokens, conditions=conditions, rng=run.rng)


def captions(
    corpus: Corpus, bank: Bank, rows: Sequence[int], movements: Sequence[str], rng: random.Random
) -> list[tuple[str, ...]]:
    """What is said of each clip: the picture's caption as the picture model knows it, and the movement."""
    said = []
    for row, movement in zip(rows, movements, strict=True):
        words = caption(corpus.labels[bank.drawings[row]], draw_kept(rng, _DROP), ground=bank.grounds[row])
        moving = () if rng.random() < _UNSAID else (movement,)
        said.append(() if rng.random() < _EMPTY else (*words, *moving))
    return said


def tokens_of(tokenizer: Any, first: int, said: Sequence[tuple[str, ...]]) -> torch.Tensor:
    """(N, length) ids: the tokenizer's own for its words, ``first`` + n for the n-th of ``MOVEMENTS``."""
    table = {**{word: first + i for i, word in enumerate(MOVEMENTS)}, **tokenizer.get_vocab()}
    begin, end, length = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.model_max_length
    rows = []
    for words in said:
        ids = [begin, *(table.get(word, tokenizer.unk_token_id) for word in words)][: length - 1]
        rows.append([*ids, end, *[tokenizer.pad_token_id] * (length - 1 - len(ids))])
    return torch.tensor(rows)


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--work", type=Path, required=True, help="folder with the corpus; clips, checkpoints")
    common.add_argument("--base", default="bundled:emoji", help="reference of the picture model")
    common.add_argument("--threads", type=int, default=1)
    common.add_argument("--seed", type=int, default=0)
    common.add_argument("--rank", type=int, default=RANK, help="of the spatial changes; 0: none")
    parser = argparse.ArgumentParser(prog="python -m generators.training.emoji_motion", description=__doc__)
    commands = parser.add_subparsers(required=True)
    clips = commands.add_parser("prepare", parents=[common])
    clips.add_argument("--clips", type=int, default=_CLIPS)
    clips.set_defaults(run=_prepare)
    training = commands.add_parser("train", parents=[common])
    training.add_argument("--minutes", type=float, help="wall clock, over all sessions")
    training.add_argument("--steps", type=int, help="optimiser steps, over all sessions (repeatable)")
    training.add_argument("--batch", type=int, default=_BATCH)
    training.set_defaults(run=_train)
    writing = commands.add_parser("export", parents=[common])
    writing.add_argument("--out", type=Path, required=True, help="folder of the motion model")
    writing.set_defaults(run=_export)
    return parser


def _prepare(options: argparse.Namespace) -> None:
    corpus, base = Corpus.load(options.work), read_base(options.base).pipeline
    prepare(corpus, base, options.work, clips=options.clips, seed=options.seed)


def _train(options: argparse.Namespace) -> None:
    corpus, base = Corpus.load(options.work), read_base(options.base).pipeline
    bank = load_bank(options.work / BANK)
    budget = Budget(steps=options.steps, minutes=options.minutes)
    train(corpus, base, bank, options.work, budget, seed=options.seed, batch=options.batch, rank=options.rank)


def _export(options: argparse.Namespace) -> None:
    base = read_base(options.base)
    model = MotionDenoiser(base.pipeline, MOVEMENTS, rank=options.rank)
    run = Run(model, matrix_rate=0.0, rate=0.0, average=0.0, seed=0)
    if not run.resume(options.work / CHECKPOINT):
        raise FileNotFoundError(options.work / CHECKPOINT / "state.safetensors")
    run.use_average()
    base_sha256, reached = base.info.weights_sha256, run.progress()
    export(model, options.out, base=options.base, base_sha256=base_sha256, reached=reached)


if __name__ == "__main__":
    main()
