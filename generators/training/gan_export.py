"""Write a trained GAN as a folder that ``dir:PATH`` takes: weights in half precision, directions, card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors.torch import save_file

from generators.directions_adapter import difference, entanglement, factorised, save_directions
from generators.finishes import newest
from generators.gan_files import KIND, WEIGHTS, examine
from generators.pinned import NOTICE

if TYPE_CHECKING:
    import torch

    from generators.directions_adapter import Entanglement, Reader
    from generators.gan_conditions import Conditions
    from generators.stylegan2_adapter import StyleGAN2

_WORDS = Path(__file__).with_name("emoji_words.json")
CARD = {
    "kind": KIND,
    "name": "mediaguard emoji GAN",
    "summary": "conditional StyleGAN2 in emoji style, 64 px enlarged to 512; one step, small vocabulary, CPU",
    "licence": "Apache-2.0",
    "data_licence": "MIT (Fluent emoji), Apache-2.0 (Noto emoji)",
    "size": 512,
    "truncation": 1.0,
}
"""What the loader needs to know beside the weights; MODEL_CARD.md is the text for people."""


CONTRASTS = {"tone-dark": ("tone", "light", "dark"), "presentation-woman": ("presentation", "man", "woman")}
"""Directions that are found as the difference between two values of an attribute."""
_FACTORS = 4


def export(model: StyleGAN2, conditions: Conditions, out: Path) -> None:
    """Write ``generator.safetensors``, ``directions.safetensors``, ``card.json`` and ``words.json``."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, out / WEIGHTS)
    (out / WEIGHTS).chmod(0o644)
    save_directions(found_directions(model, conditions), out)
    shutil.copyfile(_WORDS, out / "words.json")
    shutil.copyfile(NOTICE, out / NOTICE.name)
    digests = {file.path: file.sha256 for file in examine(out).files}
    card = {**CARD, "finish": newest(), "conditions": conditions.to_json(), "weights": digests}
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def found_directions(model: StyleGAN2, conditions: Conditions) -> dict[str, torch.Tensor]:
    """The strongest factors, and the contrasts that the model's conditions have."""
    found = factorised(model, _FACTORS, seed=0)
    known = dict(conditions.blocks)
    for name, (attribute, before, after) in CONTRASTS.items():
        if {before, after} <= set(known.get(attribute, ())):
            found[name] = difference(model, conditions, attribute, before, after, seed=0)
    return found


def tangled(model: StyleGAN2, conditions: Conditions, read: Reader) -> dict[str, Entanglement]:
    """For each direction, what a reader of pictures says it changes; for ``entanglement.json``."""
    return {
        name: entanglement(model, direction, read, conditions=conditions)
        for name, direction in found_directions(model, conditions).items()
    }
