"""Train the bundled emoji model: ``python -m generators.training.emoji COMMAND --work FOLDER …``.

prepare      draw the corpus from the two unpacked npm packages
autoencoder  train the autoencoder                (resumes by itself)
diffusion    train text encoder and U-Net         (resumes by itself)
export       write the diffusers folder in half precision
ensemble     weigh the weights of two such folders, of which one went on from the other
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from generators.training import emoji_autoencoder, emoji_data
from generators.training.loop import Budget


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--work", type=Path, required=True, help="folder for corpus and checkpoints")
    common.add_argument("--threads", type=int, default=1)
    timed = argparse.ArgumentParser(add_help=False)
    timed.add_argument("--minutes", type=float, help="wall clock, over all sessions")
    timed.add_argument("--steps", type=int, help="optimiser steps, over all sessions (repeatable)")
    timed.add_argument("--seed", type=int, default=0)
    timed.add_argument("--start", type=Path, help="a finished model's folder to go on from")
    parser = argparse.ArgumentParser(prog="python -m generators.training.emoji", description=__doc__)
    commands = parser.add_subparsers(required=True)
    prepare = commands.add_parser("prepare", parents=[common])
    prepare.add_argument("--fluent", type=Path, required=True, help="unpacked fluentui-emoji 1.3.0")
    prepare.add_argument("--noto", type=Path, required=True, help="unpacked emoji-datasource-google 16.0.0")
    prepare.set_defaults(run=_prepare)
    commands.add_parser("autoencoder", parents=[common, timed]).set_defaults(run=_autoencoder)
    commands.add_parser("diffusion", parents=[common, timed]).set_defaults(run=_diffusion)
    export = commands.add_parser("export", parents=[common])
    export.add_argument("--out", type=Path, required=True, help="folder of the diffusers pipeline")
    export.set_defaults(run=_export)
    ensemble = commands.add_parser("ensemble")
    ensemble.add_argument("--start", type=Path, required=True, help="the finished model of before")
    ensemble.add_argument("--later", type=Path, required=True, help="a finished model that went on from it")
    ensemble.add_argument("--share", type=float, required=True, help="of the later one's weights, 0 to 1")
    ensemble.add_argument("--out", type=Path, required=True, help="folder of the diffusers pipeline")
    ensemble.set_defaults(run=_ensemble, threads=1)
    return parser


def _prepare(options: argparse.Namespace) -> None:
    corpus = emoji_data.prepare(options.fluent, options.noto)
    corpus.save(options.work)
    logging.info("%d pictures, %d of them held out", len(corpus.labels), len(corpus.held_out))


def _autoencoder(options: argparse.Namespace) -> None:
    corpus = emoji_data.Corpus.load(options.work)
    budget = Budget(steps=options.steps, minutes=options.minutes)
    report = emoji_autoencoder.train(
        corpus, options.work / "autoencoder", budget, seed=options.seed, start=options.start
    )
    logging.info("autoencoder: %s", report)


def _diffusion(options: argparse.Namespace) -> None:
    from generators.training import emoji_diffusion  # noqa: PLC0415  # seconds to import, not needed before

    corpus = emoji_data.Corpus.load(options.work)
    budget = Budget(steps=options.steps, minutes=options.minutes)
    emoji_diffusion.train(corpus, options.work, budget, seed=options.seed, start=options.start)


def _ensemble(options: argparse.Namespace) -> None:
    from generators.training import weight_ensemble  # noqa: PLC0415  # seconds to import, not needed before

    weight_ensemble.ensemble(options.later, options.start, options.share, options.out)


def _export(options: argparse.Namespace) -> None:
    from generators.training import emoji_export  # noqa: PLC0415  # seconds to import, not needed before

    emoji_export.export(options.work, options.out)


if __name__ == "__main__":
    main()
