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
_FACTOR = re.compile(
    r"(?P<part>(unet|transformer(_2)?|text_encoder(_[23])?|prior)\.)?(?P<layer>.+)"
    r"\.(?P<up>lora_B|lora\.up|lora_linear_layer\.up)\.(weight|bias)"
)
"""Of the second factor, as PEFT names it and as diffusers' scripts of training do."""
_DOWN = {"lora_B": "lora_A", "lora.up": "lora.down", "lora_linear_layer.up": "lora_linear_layer.down"}
_TWINS = (
    ("lora_A", "lora_B"),
    ("lora.down", "lora.up"),
    ("lora_down", "lora_up"),
    ("lora_linear_layer.down", "lora_linear_layer.up"),
)
_UP = re.compile(r"lora_B|[._]up\.")
_MOST = 1e300
_PLAIN = re.compile(r"\^?[\w.]{1,300}")
"""Names of layers; of patterns that are more than a name nobody can say beforehand how long they take."""


def as_trained(tensors: Mapping[str, torch.Tensor], said: object) -> dict[str, torch.Tensor]:
    """The tensors at the strength that ``said`` (JSON, or None where a header has none) gives each layer.

    Raises:
        ValueError: it cannot be read, contradicts the tensors, or says what is not known here.
    """
    if said is None:
        return dict(tensors)
    try:
        told = json.loads(str(said))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ValueError("what its header says of its strength is no table")  # noqa: TRY004 - of a file
    layers = {match[0]: match for name in tensors if (match := _paired(name, tensors))}
    found = dict(tensors)
    for name, layer in layers.items():
        rank = tensors[_down(layer)].shape[0]
        said_of_part = _of_part(told, layer["part"] or "")
        found[name] = tensors[name] * _strength(said_of_part, layer["layer"], rank)
    parts = {layer["part"] or "" for layer in layers.values()}
    said_of = {key.removesuffix("lora_alpha") for key in told if key.endswith("lora_alpha")}
    if said_of and (not said_of <= parts or any(_UP.search(name) and name not in layers for name in tensors)):
        raise ValueError("its header gives a strength to layers that it has not, or names in another way")
    return found


def half_layer(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """A tensor of two factors whose other one is missing, in any of the layouts; None where there is none."""
    for name in tensors:
        for down, up in _TWINS:
            here, other = (down, up) if down in name else (up, down)
            if here in name and name.replace(here, other) not in tensors:
                return name
    return None


def _paired(name: str, tensors: Mapping[str, torch.Tensor]) -> re.Match[str] | None:
    match = _FACTOR.fullmatch(name)
    return match if match and _down(match) in tensors else None


def _down(match: re.Match[str]) -> str:
    return f"{match['part'] or ''}{match['layer']}.{_DOWN[match['up']]}.weight"


def _of_part(told: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in told.items() if key.startswith(prefix)}


def _strength(told: dict[str, Any], layer: str, rank: int) -> float:
    alpha = _own(told.get("alpha_pattern"), layer, told.get("lora_alpha"))
    if alpha is None:
        return 1.0
    if _own(told.get("rank_pattern"), layer, told.get("r", rank)) != rank:
        raise ValueError("the rank in its header is not that of its tensors")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not abs(alpha) <= _MOST or not rank:
        raise ValueError("the strength in its header is no number")
    return alpha / (math.sqrt(rank) if told.get("use_rslora") else rank)


def _own(patterns: object, layer: str, otherwise: object) -> Any:
    """What the first pattern that means ``layer`` gives it: its whole name behind ``^``, or the end of it."""
    if not isinstance(patterns, dict | None):
        raise ValueError("what its header says of single layers is no table")  # noqa: TRY004 - of a file
    for pattern in patterns or {}:
        if not _PLAIN.fullmatch(pattern):
            raise ValueError("its header tells of patterns of layers, not of layers")
    for pattern, own in (patterns or {}).items():
        name = pattern.removeprefix("^")
        if layer == name or (name == pattern and layer.endswith(f".{name}")):
            return own
    return otherwise
