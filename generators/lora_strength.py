"""The strength that a LoRA was trained with, where only the header of its file says it.

diffusers writes PEFT's configuration there (``save_lora_weights``) and reads it only of files that it opens
itself. What it says of strength is multiplied into the tensors here, so that they are what was trained:
``alpha / r`` times B A (Hu et al. 2021, 4.1), or ``alpha / sqrt(r)`` (Kalajdzievski 2023, rsLoRA).
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

SAID = "lora_adapter_metadata"
"""The name of it in the header."""
_FACTOR = re.compile(r"(?P<layer>.+)\.lora_B\.(weight|bias)")
_PART = re.compile(r"(unet|transformer(_2)?|text_encoder(_[23])?|prior)\.")
_PLAIN = re.compile(r"[\w.^]{1,300}")
"""Names of layers; of patterns that are more than a name nobody can say beforehand how long they take."""


def as_trained(tensors: Mapping[str, torch.Tensor], said: object) -> dict[str, torch.Tensor]:
    """The tensors at the strength that ``said`` (JSON, or None where a header has none) gives each layer.

    Raises:
        ValueError, TypeError: it cannot be read, or says what is not known here.
    """
    if said is None:
        return dict(tensors)
    told = json.loads(str(said))
    if not isinstance(told, dict):
        raise TypeError("what its header says of its strength is no table")
    found = dict(tensors)
    for name in tensors:
        factor = _FACTOR.fullmatch(name)
        if factor and f"{factor['layer']}.lora_A.weight" in tensors:
            rank = tensors[f"{factor['layer']}.lora_A.weight"].shape[0]
            found[name] = tensors[name] * _strength(told, factor["layer"], rank)
    return found


def _strength(told: dict[str, Any], layer: str, rank: int) -> float:
    part = _PART.match(layer)
    prefix, inner = (part[0], layer[part.end() :]) if part else ("", layer)
    alpha = told.get(f"{prefix}lora_alpha")
    for pattern, own in dict(told.get(f"{prefix}alpha_pattern") or {}).items():
        if not _PLAIN.fullmatch(pattern):
            raise ValueError("its header gives strengths to patterns of layers, not to layers")
        if f".{inner}".endswith(f".{pattern.removeprefix('^')}"):
            alpha = own
    if alpha is None:
        return 1.0
    try:
        strength = float(alpha) / (math.sqrt(rank) if told.get(f"{prefix}use_rslora") else rank)
    except ArithmeticError:
        strength = math.nan
    if not math.isfinite(strength):
        raise ValueError("the strength in its header is no number")
    return strength
