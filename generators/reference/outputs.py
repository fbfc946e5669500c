"""What a reference model leaves: numbers, what they need to be drawn from again, and a card. No pictures.

Pictures are drawn from the folder by ``guard generate``, which reviews, marks, signs and logs them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file

from generators.reference.data import UNSAID, Pictures
from generators.reference_files import CONFIG, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from generators.reference.data import Picture
    from generators.reference_files import Settings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingTask:
    """What is asked of a model: steps over all sessions, and the seed of everything."""

    work: Path
    steps: int
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """One picture that is asked of a finished model.

    Attributes:
        seed: of its own random stream.
        steps: of denoising or growth.
        label: number of the class; None where there are none.
        scale: of the classifier's gradient.
        temperature: factor on the deviation of a flow's base distribution.
    """

    seed: int
    steps: int = 1
    label: int | None = None
    scale: float = 0.0
    temperature: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedReference:
    """A finished model.

    Attributes:
        title: model and paper, one line.
        about: sentences for the card: what was built, what it cannot do.
        weights: by name; of a method without training, what it draws from.
        figures: what was measured, by a sentence that says how.
    """

    title: str
    about: str
    weights: Mapping[str, torch.Tensor]
    figures: Mapping[str, str]


def write(
    made: TrainedReference, settings: Settings, data: Picture | Pictures, task: TrainingTask, out: Path
) -> None:
    """``model.safetensors``, ``config.json`` and ``MODEL_CARD.md`` in ``out``."""
    tensors = {name: value.detach().contiguous() for name, value in made.weights.items()}
    save_file(tensors, out / WEIGHTS)
    (out / CONFIG).write_text(json.dumps(settings.to_json(), indent=1) + "\n", encoding="utf-8")
    (out / "MODEL_CARD.md").write_text(card(made, settings, data, task), encoding="utf-8")


def card(made: TrainedReference, settings: Settings, data: Picture | Pictures, task: TrainingTask) -> str:
    """The model card, as Markdown."""
    count = sum(value.numel() for value in made.weights.values())
    trained = f"{count} numbers in `{WEIGHTS}`"
    untrained = f"none, nothing is trained; `{WEIGHTS}` holds the picture as numbers"
    unsaid = "not stated by whoever trained it"
    source = data.licence_source if isinstance(data, Pictures) else ""
    data_licence = unsaid if data.licence == UNSAID else data.licence
    lines = [
        f"# {made.title}",
        "",
        made.about,
        "",
        f"- data: {data.name} (sha256 `{data.sha256}`)",
        f"- licence of the data: {', '.join(filter(None, (data_licence, source)))}",
        f"- licence of the weights: {unsaid if settings.licence == UNSAID else settings.licence}",
        f"- weights: {untrained if settings.kind == 'gpnn' else trained}",
        f"- steps: {task.steps}; seed: {task.seed}; torch {torch.__version__}",
        "- pictures: `guard generate … --model dir:FOLDER`, which marks and signs them",
        "",
        "| measured | value |",
        "|---|---|",
        *(f"| {what} | {value} |" for what, value in made.figures.items()),
        "",
    ]
    return "\n".join(lines)
