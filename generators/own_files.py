"""What libraries load of a model is what lies in its folder and was digested, not what a file in it names.

Lists of parts, settings of adapters and some settings of configurations name other files, which diffusers and
transformers follow: to pickles, and out of the folder.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INDEX = "model_index.json"
LIST = "*.safetensors.index*.json"
"""Which tensor is in which part of the weights; with a variant's name, as fp16, before the end."""
_OTHERS = {
    "adapter_config.json": "it holds an adapter, whose settings name another model to load",
    INDEX: "a component is a pipeline of its own, whose parts are loaded unseen",
}
"""Files that no component has, and why it may not."""
_NAMING = frozenset({"transformers_weights", "fast_tokenizer_files", "configuration_files"})
"""Settings that name files to load instead of those that are there."""


def check_own(paths: list[Path]) -> None:
    """Look through the files of components; configurations among them are JSON objects of bounded depth.

    Raises:
        InputError: ``weights.elsewhere``, ``weights.foreign-code``, ``weights.missing-component``.
    """
    for path in paths:
        if path.match(LIST):
            parts_of(path)
        if path.name in _OTHERS:
            raise _elsewhere(_OTHERS[path.name], path)
        if path.suffix == ".py":
            raise InputError("weights.foreign-code", "a component holds code", where=str(path))
        if path.name.endswith("config.json"):
            for name in _names(json.loads(path.read_bytes())):
                raise _elsewhere(f"the setting {name} names files to load instead", path)


def parts_of(listing: Path) -> list[str]:
    """Files in which a list says that tensors are.

    Raises:
        InputError: ``weights.missing-component``: it is none; ``weights.elsewhere``: they are not safetensors
            beside it.
    """
    try:
        parts = sorted({str(part) for part in json.loads(listing.read_bytes())["weight_map"].values()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = "the list of its parts is damaged"
        raise InputError("weights.missing-component", what, where=str(listing)) from error
    for part in parts:
        if PurePath(part).name != part or PurePath(part).suffix != ".safetensors":
            raise _elsewhere(
                "the list of the parts of the weights names what is no safetensors here", listing
            )
    return parts


def _names(value: Any) -> Iterator[str]:
    """The settings among a configuration, at every depth, that name files."""
    if isinstance(value, dict):
        yield from sorted(_NAMING & value.keys())
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        yield from _names(one)


def _elsewhere(what: str, path: Path) -> InputError:
    return InputError("weights.elsewhere", what, where=str(path))
