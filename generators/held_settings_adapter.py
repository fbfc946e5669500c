"""What decides what a held pipeline draws beside its tensors, as digests.

Two records for each component: ``settings/NAME``, its configuration or vocabulary, and ``layers/NAME``, the
class of each of its layers with the plain values these hold. The strength of adapters that are laid over it
lies there and nowhere else, and so do FreeU and how attention is computed. Schedulers have a record of their
own in each recipe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

from generators.recipe import WeightFile
from provenance.errors import InputError

if TYPE_CHECKING:
    from provenance.canonical import Json

_OF_PEFT = ("_active_adapter", "_disable_adapters")
"""The only inner names that are looked at: which adapters a layer adds."""
_OF_PIPELINES = ("_free_init", "_free_noise")
"""How the inner names of a pipeline begin that hold what was switched on, and none of what was drawn last."""
_ELSEWHERE = ("transformers_version", "name_or_path")
"""The recipe names versions; the path that a component was read from decides nothing."""
_OF_CALLS = ("padding", "truncation")
"""What tokenizers are set to anew in each call."""
_OF_TOKENIZERS = ("model_max_length", "padding_side", "truncation_side", "special_tokens_map")


def settings_digests(pipeline: Any) -> tuple[WeightFile, ...]:
    """The records of every component, absent ones included, and of the pipeline's own configuration.

    Raises:
        InputError: ``wrap.unsupported``.
    """
    parts = {n: p for n, p in sorted(pipeline.components.items()) if not n.endswith("scheduler")}
    own = {name: value for name, value in pipeline.config.items() if name not in pipeline.components}
    found = [_record("settings/pipeline", {**_public(own), "set": dict(_switched(pipeline))})]
    for name, part in parts.items():
        found.append(_record(f"settings/{name}", {"class": type(part).__name__, **_said_by(part)}))
        if isinstance(part, torch.nn.Module):
            found.append(_record(f"layers/{name}", dict(_layers(part))))
    return tuple(found)


def _switched(pipeline: Any) -> Iterator[tuple[str, Any]]:
    """What a pipeline holds itself, beside its parts.

    That is sizes, what its methods switch on and off, and what turns pictures into tensors and back
    (``image_processor``), which is no component.
    """
    for name, value in vars(pipeline).items():
        held = name.startswith(_OF_PIPELINES) or not name.startswith("_")
        if not held or value is None or name in pipeline.components:
            continue
        if _is_plain(value):
            yield name, value
        elif not isinstance(value, torch.nn.Module):
            yield name, _object(value)


def _object(part: Any) -> dict[str, Any]:
    """What an object that is no network says of itself: its class, configuration and plain values."""
    return {"class": type(part).__name__, "config": _said_by(part), **dict(_plain_values(part))}


def _plain_values(part: Any) -> Iterator[tuple[str, Any]]:
    """None says the same as nothing: FreeU leaves it behind when it is switched off."""
    for name, value in getattr(part, "__dict__", {}).items():
        if value is not None and _counts(name) and _is_plain(value):
            yield name, value


def _record(path: str, said: Mapping[str, Any]) -> WeightFile:
    try:
        text = json.dumps(said, sort_keys=True, default=lambda value: type(value).__name__).encode()
    except (TypeError, ValueError, RecursionError) as error:
        what = "what it is set to cannot be written down, so a change could not be told"
        raise InputError("wrap.unsupported", what, where=path) from error
    return WeightFile(path=path, size=len(text), sha256=hashlib.sha256(text).hexdigest())


def _said_by(part: Any) -> dict[str, Any]:
    """The configuration of a network or processor; the words of a tokenizer."""
    if hasattr(part, "get_vocab"):
        return {"words": _words(part), **{name: str(getattr(part, name, None)) for name in _OF_TOKENIZERS}}
    config = getattr(part, "config", part)
    told = config.to_dict() if hasattr(config, "to_dict") else config
    return _public(told) if isinstance(told, Mapping) else {}


def _words(tokenizer: Any) -> dict[str, Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return dict(tokenizer.get_vocab())
    return {name: value for name, value in json.loads(backend.to_str()).items() if name not in _OF_CALLS}


def _public(said: Mapping[Any, Any]) -> dict[str, Any]:
    """Without inner names, which say where it was read from and how it is computed."""
    return {str(name): value for name, value in said.items() if _counts(str(name))}


def _counts(name: str) -> bool:
    return name not in _ELSEWHERE and (name in _OF_PEFT or not name.startswith("_"))


def _layers(part: torch.nn.Module) -> Iterator[tuple[str, Json]]:
    """Each layer with its class, that of what computes its attention, and its plain values.

    Without inner ones: with those layers count while they run.
    """
    for name, layer in part.named_modules():
        computed = _object(vars(layer).get("processor"))
        yield name, {"class": type(layer).__name__, "processor": computed, **dict(_plain_values(layer))}


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)
