"""What a reference model leaves: weights, samples as numbers, a small preview, and a card that says how good.

The preview is at most 128 pixels a side: a look for whoever trained it. Pictures for others go through
``guard release``, which marks and signs them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save_file

from provenance.codecs import encode
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.reference.data import Picture, Pictures

PREVIEW = 128
"""Longest side of the preview, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What is asked of a model: steps over all sessions, the seed of everything, how many samples."""

    work: Path
    steps: int
    seed: int = 0
    samples: int = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A trained model and what it drew.

    Attributes:
        title: model and paper, one line.
        about: sentences for the card: what was built, what it cannot do.
        weights: by name; empty for a method without training.
        samples: (N, H, W, C) uint8.
        figures: what was measured, by a sentence that says how.
        config: what the weights need to be built again.
    """

    title: str
    about: str
    weights: Mapping[str, torch.Tensor] = field(default_factory=dict)
    samples: NDArray[np.uint8]
    figures: Mapping[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)


def write(made: Made, data: Picture | Pictures, task: Task, out: Path) -> None:
    """Weights, ``samples.safetensors``, ``preview.png``, ``config.json`` and ``MODEL_CARD.md`` in ``out``."""
    if made.weights:
        tensors = {name: value.detach().contiguous() for name, value in made.weights.items()}
        save_file(tensors, out / "model.safetensors")
    save_file({"pixels": torch.from_numpy(made.samples)}, out / "samples.safetensors")
    frames = Frames(pixels=preview(made.samples)[None])
    (out / "preview.png").write_bytes(encode(frames, "image/png").data)
    (out / "config.json").write_text(json.dumps(dict(made.config)) + "\n", encoding="utf-8")
    (out / "MODEL_CARD.md").write_text(card(made, data, task), encoding="utf-8")


def card(made: Made, data: Picture | Pictures, task: Task) -> str:
    """The model card, as Markdown."""
    count = sum(value.numel() for value in made.weights.values())
    lines = [
        f"# {made.title}",
        "",
        made.about,
        "",
        f"- data: {data.name} (sha256 `{data.sha256}`)",
        f"- licence of the data: {data.licence}",
        f"- weights: {count} numbers in `model.safetensors`"
        if count
        else "- weights: none, nothing is trained",
        f"- steps: {task.steps}; seed: {task.seed}; torch {torch.__version__}",
        "- the preview is neither marked nor signed; `guard release` does both",
        "",
        "| measured | value |",
        "|---|---|",
        *(f"| {what} | {value} |" for what, value in made.figures.items()),
        "",
    ]
    return "\n".join(lines)


def preview(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As many samples as fit side by side into ``PREVIEW`` pixels, enlarged or thinned by whole factors."""
    n, height, width, _ = samples.shape
    side = max(height, width)
    thin = -(-side // PREVIEW)
    grow = max(1, PREVIEW // (side * min(4, max(1, round(n**0.5))))) if thin == 1 else 1
    tiles = _rgb(samples)[:, ::thin, ::thin].repeat(grow, axis=1).repeat(grow, axis=2)
    high, wide = tiles.shape[1:3]
    columns, rows = min(n, PREVIEW // wide), PREVIEW // high
    rows = min(rows, -(-n // columns))
    sheet = np.full((rows * high, columns * wide, 3), 255, np.uint8)
    for i, tile in enumerate(tiles[: rows * columns]):
        y, x = divmod(i, columns)
        sheet[y * high : (y + 1) * high, x * wide : (x + 1) * wide] = tile
    return sheet


def _rgb(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey and RGBA (on white) to RGB."""
    channels = samples.shape[-1]
    if channels == 4:
        alpha = samples[..., 3:].astype(np.float32) / 255
        return (samples[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    return samples if channels == 3 else samples.repeat(3, axis=-1)
