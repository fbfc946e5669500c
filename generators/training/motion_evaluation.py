"""Measure moving emoji: ``python -m generators.training.motion_evaluation COMMAND --work W --out FILE …``.

references  the motion oracle on true clips, seen through the autoencoder: its confusion matrix
model       clips of a model: content recognisable (picture oracle) and movement right (motion oracle)
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators.movements import MOVEMENTS, STILL, path_of
from generators.oracle.clips import ClipJudgement, judge, shares
from generators.oracle.motion import confusion, read_motion
from generators.oracle.network import QUESTIONS, SIDE, OracleNetwork
from generators.oracle.reading_adapter import network_of
from generators.registry import load
from generators.request import GenerationRequest
from generators.training.emoji_data import Corpus, ground_colours
from generators.training.emoji_labels import Kept, caption
from generators.training.emoji_motion_data import encoded, poses, render
from provenance.codecs import resize
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generators.training.emoji_labels import Label

_FRAMES = 8
_LOG = logging.getLogger(__name__)


class NetworkReader:
    """The picture oracle's network as a reader of frames."""

    def __init__(self, network: OracleNetwork) -> None:
        self.network = network.eval()

    @classmethod
    def load(cls, path: Path) -> NetworkReader:
        """Of the exported weights."""
        return cls(network_of(path))

    def read(self, frames: Frames) -> Sequence[dict[str, str]]:
        """One answer to each question for every frame."""
        small = resize(frames, SIDE, SIDE) if (frames.width, frames.height) != (SIDE, SIDE) else frames
        pixels = torch.from_numpy(np.array(small.pixels[..., :3])).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad():
            said = self.network(pixels)
        found = {question: logits.argmax(1).tolist() for question, logits in said.items()}
        return [{q: QUESTIONS[q][found[q][i]] for q in QUESTIONS} for i in range(len(pixels))]


def true_clips(
    corpus: Corpus, autoencoder: Any, *, each: int, seed: int
) -> Iterator[tuple[Label, str, Frames]]:
    """``each`` clips of every movement, of any drawings, encoded and decoded; label, movement, frames."""
    rng = torch.Generator().manual_seed(seed)
    for movement in MOVEMENTS * each:
        index = int(torch.randint(len(corpus.labels), (1,), generator=rng))
        colours, _ = ground_colours(1, rng)
        path, backwards = ("across", False) if movement == STILL else path_of(movement)
        pose = poses(path, 1, rng, frames=_FRAMES)[0]
        if movement == STILL:
            pose = pose[_FRAMES // 2].expand(_FRAMES, -1)
        drawn = render(corpus.rgba[index], pose.flip(0) if backwards else pose, colours[0], rng)
        latents = encoded(autoencoder, drawn) / autoencoder.config.scaling_factor
        with torch.no_grad():
            seen = autoencoder.decode(latents).sample.clamp(-1, 1)
        pixels = ((seen + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        yield corpus.labels[index], movement, Frames(pixels=pixels, fps=8.0)


def on_references(corpus: Corpus, autoencoder: Any, *, each: int, seed: int) -> dict[str, Any]:
    """The motion oracle's confusion matrix, rows truth, columns reading."""
    clips = true_clips(corpus, autoencoder, each=each, seed=seed)
    table = confusion(
        (movement, read_motion(np.asarray(clip.pixels, np.uint8)).movement) for _, movement, clip in clips
    )
    return {
        "movements": list(MOVEMENTS),
        "counts": table.tolist(),
        "n": int(table.sum()),
        "right": int(np.trace(table)),
        "seed": seed,
    }


def on_model(
    generator: Any, corpus: Corpus, reader: Any, *, count: int, seed: int, frames: int = _FRAMES
) -> dict[str, Any]:
    """``count`` clips of prompts drawn from the corpus, every movement in turn."""
    rng = torch.Generator().manual_seed(seed)
    judged: list[ClipJudgement] = []
    pairs: list[tuple[str, str]] = []
    for i in range(count):
        label = corpus.labels[int(torch.randint(len(corpus.labels), (1,), generator=rng))]
        movement = MOVEMENTS[i % len(MOVEMENTS)]
        prompt = " ".join((*caption(label, Kept(ground=False)), movement))
        request = GenerationRequest(prompt=prompt, seeds=(seed + i,), num_frames=frames)
        made = next(iter(generator.generate(request)))
        judged.append(judge(made.frames, subject=label.subject, movement=movement, reader=reader))
        pairs.append((movement, judged[-1].motion.movement))
        _LOG.info("%d: %s %s → %s %s", i, label.subject, movement, judged[-1].subject, pairs[-1][1])
    counted = asdict(shares(judged))
    right = counted.pop("movements")
    table = {"movements": list(MOVEMENTS), "counts": confusion(pairs).tolist()}
    return {**counted, "movements_right": right, **table, "seed": seed}


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    parser = argparse.ArgumentParser(
        prog="python -m generators.training.motion_evaluation", description=__doc__
    )
    parser.add_argument("command", choices=("references", "model"))
    parser.add_argument("--work", type=Path, required=True, help="folder with the corpus")
    parser.add_argument(
        "--base", default="bundled:emoji", help="picture model whose autoencoder is looked through"
    )
    parser.add_argument("--model", default="bundled:video", help="reference of the model that moves")
    parser.add_argument("--oracle", type=Path, help="the picture oracle's safetensors file")
    parser.add_argument("--count", type=int, default=180, help="clips, about")
    parser.add_argument("--out", type=Path, required=True, help="JSON file of the figures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    corpus = Corpus.load(options.work)
    if options.command == "references":
        base: Any = load(options.base, threads=options.threads)
        each = max(1, options.count // len(MOVEMENTS))
        figures = on_references(corpus, base.pipeline.vae, each=each, seed=options.seed)
    else:
        reader = NetworkReader.load(options.oracle)
        model: Any = load(options.model, threads=options.threads)
        figures = on_model(model, corpus, reader, count=options.count, seed=options.seed)
        figures["weights"] = dict(model.card.weights)
    _LOG.info("%s", figures)
    options.out.write_text(json.dumps(figures) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
