"""How much of its noise the picture model hears, and how clearly it draws.

``python benchmarks/emoji_gain.py --work W``; W is the training folder, with its corpus.

Bare portraits of four professions under noise, at the times where it is decided who is drawn. What the noisy
picture lets one expect is computed exactly over the drawings; the gain is the slope of the model's prediction
on it, along the line from one group of drawings to another. 1 is right; below it a sampler ends in the
middle. How clearly something is drawn is decided later: there, the mean squared error of the velocity that is
predicted for drawings of the training set of which everything is said, in a place they were not trained in.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from _results import write

from generators.registry import load
from generators.training.emoji_data import Corpus
from generators.training.emoji_labels import Kept, Label
from generators.training.stable_targets import Encoded, Shown, encode_all

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECTS = ("farmer", "judge", "pilot", "teacher")
TIMES = (900, 850, 800, 700, 600)
LATER = (400, 300, 200, 100)
BARE = Kept(presentation=False, tone=False, style=False, ground=False)
LINES: dict[str, tuple[Callable[[Label], bool], Callable[[Label], bool]]] = {
    "man to woman": (lambda x: x.presentation == "man", lambda x: x.presentation == "woman"),
    "named to neutral": (lambda x: x.presentation != "person", lambda x: x.presentation == "person"),
    "light to dark": (lambda x: x.tone == "light", lambda x: x.tone == "dark"),
}


def line(drawings: Encoded, rows: list[int], ends: tuple[Callable[[Label], bool], ...]) -> torch.Tensor:
    """Of length 1, (C, h, w): from the mean of one group of drawings to that of the other."""
    begin, end = (
        drawings.values[:, [row for row in rows if chosen(drawings.labels[row])]].mean((0, 1))
        for chosen in ends
    )
    return (end - begin) / (end - begin).norm()


@torch.no_grad()
def pairs(pipeline: Any, drawings: Encoded, subject: str, time: int, rng: torch.Generator) -> torch.Tensor:
    """(2, n, C, h, w): what there is to expect, and what the model predicts."""
    rows = [row for row, label in enumerate(drawings.labels) if label.subject == subject]
    meant = drawings.meant(Shown(variant=0, row=rows[0], kept=BARE))
    chosen = [meant[int(i)] for i in torch.randint(len(meant), (32,), generator=rng)]
    signal = pipeline.scheduler.alphas_cumprod[time]
    clean = torch.stack([drawings.values[place] for place in chosen])
    noisy = signal.sqrt() * clean + (1 - signal).sqrt() * torch.randn(clean.shape, generator=rng)
    wanted = torch.stack([drawings.expected(one, signal, meant) for one in noisy])
    ids = pipeline.tokenizer(
        f"a portrait of a {subject}", padding="max_length", return_tensors="pt"
    ).input_ids
    context = pipeline.text_encoder(ids)[0].expand(len(noisy), -1, -1)
    velocity = pipeline.unet(noisy, torch.full((len(noisy),), time), context).sample
    return torch.stack([wanted, signal.sqrt() * noisy - (1 - signal).sqrt() * velocity])


def gain(both: torch.Tensor, along: torch.Tensor) -> float:
    """Slope of the prediction on what there is to expect."""
    wanted, predicted = (both.flatten(2) @ along.flatten()).unbind()
    wanted = wanted - wanted.mean()
    return float(wanted @ predicted / (wanted @ wanted))


@torch.no_grad()
def errors(pipeline: Any, corpus: Corpus) -> dict[str, float]:
    """By time, over 256 drawings; the same noise for every model."""
    rng = torch.Generator().manual_seed(5)
    rows = corpus.train[torch.randperm(len(corpus.train), generator=rng)[:256]].sort().values
    drawings = encode_all(pipeline.vae, corpus, rows, variants=1, seed=9)
    clean, found = drawings.values[0], {}
    said = [" ".join(drawings.caption(Shown(variant=0, row=row, kept=Kept()))) for row in range(len(rows))]
    ids = pipeline.tokenizer(said, padding="max_length", return_tensors="pt").input_ids
    context = pipeline.text_encoder(ids)[0]
    for time in LATER:
        signal, noise = pipeline.scheduler.alphas_cumprod[time], torch.randn(clean.shape, generator=rng)
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
        wanted = signal.sqrt() * noise - (1 - signal).sqrt() * clean
        predicted = pipeline.unet(noisy, torch.full((len(noisy),), time), context).sample
        found[f"time {time}"] = round(float((predicted - wanted).square().mean()), 4)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:emoji")
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    generator: Any = load(options.model, threads=1)
    corpus, rng = Corpus.load(options.work), torch.Generator().manual_seed(0)
    rows = [i for i, x in enumerate(corpus.labels) if x.subject in SUBJECTS and x.style != "noto"]
    drawings = encode_all(generator.pipeline.vae, corpus, torch.tensor(rows), variants=12, seed=99)
    results: dict[str, Any] = {}
    for time in TIMES:
        found: dict[str, list[float]] = {name: [] for name in LINES}
        for subject in SUBJECTS:
            both = pairs(generator.pipeline, drawings, subject, time, rng)
            own = [row for row, label in enumerate(drawings.labels) if label.subject == subject]
            for name, ends in LINES.items():
                found[name].append(gain(both, line(drawings, own, ends)))
        results[f"time {time}"] = {name: [round(one, 3) for one in gains] for name, gains in found.items()}
    write(
        "emoji_gain",
        model=options.model,
        weights_sha256=generator.info.weights_sha256,
        n=32,
        subjects=SUBJECTS,
        **results,
        error={"n": 256, **errors(generator.pipeline, corpus)},
    )


if __name__ == "__main__":
    main()
