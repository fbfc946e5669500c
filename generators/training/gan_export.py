"""Write a trained GAN as a folder that ``dir:PATH`` takes: weights in half precision, card, words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors.torch import save_file

from generators.gan_files import KIND, WEIGHTS, examine

if TYPE_CHECKING:
    import torch

    from generators.gan_conditions import Conditions

_WORDS = Path(__file__).with_name("emoji_words.json")
CARD = {
    "kind": KIND,
    "name": "mediaguard emoji GAN",
    "summary": "conditional StyleGAN2 in emoji style, 64 px enlarged to 512; one step, small vocabulary, CPU",
    "licence": "Apache-2.0",
    "data_licence": "MIT (Fluent emoji), Apache-2.0 (Noto emoji)",
    "size": 512,
    "truncation": 0.8,
}
"""What the loader needs to know beside the weights; MODEL_CARD.md is the text for people."""


def export(model: torch.nn.Module, conditions: Conditions, out: Path) -> None:
    """Write ``generator.safetensors``, ``card.json`` and ``words.json`` into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, out / WEIGHTS)
    (out / WEIGHTS).chmod(0o644)
    shutil.copyfile(_WORDS, out / "words.json")
    digests = {file.path: file.sha256 for file in examine(out).files}
    card = {**CARD, "conditions": conditions.to_json(), "weights": digests}
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
