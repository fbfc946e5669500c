"""A model's configuration and the files of its tokenizers, bounded before any library builds of them.

A configuration is a few hundred bytes and may ask for 10⁹ layers, which are built before a weight is read.
The limits are several times what any published model has.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("config.json", "scheduler_config.json", "preprocessor_config.json")
_READ = re.compile(r".*config\.json|(tokenizer|vocab|added_tokens|special_tokens_map)\.json")
"""Files that libraries take to be JSON objects; those of ``NAMES`` say what is built."""
_MOST_JSON, _MOST_WORDS = 8 * 2**20, 128 * 2**20
"""Bytes, of ``NAMES`` and of the others: the largest published tokenizers have a quarter of it."""
_MOST_DEPTH, _MOST_NESTED = 16, 64
"""Of objects in ``NAMES``, and of lists and objects in all: the readers of tokenizers stop at twice that."""
_LAYERS = re.compile(r"layers?($|_per)|blocks?($|_repeat)|^depths?$|num_res|repeat")
_BLOCKS = re.compile(r"block_types?$|block_out_channels$")
_WIDTHS = re.compile(r"channels|(^|_)dims?$|hidden_size|intermediate_size|heads|^d_[a-z]+$")
_SIDES = re.compile(r"(sample|image|crop)_(size|height|width)$|^pos_embed_max_size$")
_MOST_LAYERS, _MOST_BLOCKS, _MOST_TOGETHER = 512, 64, 100_000
"""Of one number, of one list, and of the layers of every block multiplied."""
_LIMITS = ((_LAYERS, _MOST_LAYERS), (_WIDTHS, 2**17), (_SIDES, 2**14))
_MOST = 2**24
"""Of any other integer: positions of the longest language models are two thirds of it."""
_MOST_ITEMS = 2**16
_FREE = re.compile(r"theta|seed|token")
"""Integers that nothing is built of."""


def check_configs(paths: list[Path]) -> None:
    """Look through the configurations among ``paths``.

    Raises:
        InputError: ``weights.config``.
    """
    for path in paths:
        if _READ.fullmatch(path.name):
            built = path.name in NAMES
            config = _object(path, most=_MOST_JSON if built else _MOST_WORDS)
            for name, value, most in _too_large(config, 0) if built else ():
                raise _refused(path, f"{name[:64]} is {value}, and {most:,} is the limit")


def _object(path: Path, *, most: int) -> Any:
    nested = f"it is nested more than {_MOST_NESTED} deep"
    try:
        found = json.loads(read_bounded(path, most=most))
    except RecursionError as error:
        raise _refused(path, nested) from error
    except ValueError as error:
        raise _refused(path, "it is not JSON") from error
    if not isinstance(found, dict):
        raise _refused(path, "it is not a JSON object")
    level: list[Any] = [found]
    for _ in range(_MOST_NESTED):
        items = (item for one in level for item in (one.values() if isinstance(one, dict) else one))
        level = [item for item in items if isinstance(item, dict | list)]
    if level:
        raise _refused(path, nested)
    return found


def _too_large(config: Any, depth: int) -> Iterator[tuple[str, str, int]]:
    """Names, what they are, and what the limit is."""
    if not isinstance(config, dict):
        return
    if depth > _MOST_DEPTH:
        yield "its depth", f"more than {_MOST_DEPTH}", _MOST_DEPTH
        return
    layers = 1
    for name, value in config.items():
        yield from _of_one(name, value)
        if _BLOCKS.search(name) and isinstance(value, list):
            yield from _above(name, len(value), _MOST_BLOCKS, " items long")
        layers *= _layers(name, value)
        yield from _too_large(value, depth + 1)
    blocks = config.get("block_out_channels")
    together = layers * (len(blocks) if isinstance(blocks, list) else 1)
    yield from _above("the number of its layers", together, _MOST_TOGETHER, " altogether")


def _of_one(name: str, value: Any) -> Iterator[tuple[str, str, int]]:
    most = next((most for form, most in _LIMITS if form.search(name)), _MOST)
    if isinstance(value, list):
        yield from _above(name, len(value), _MOST_ITEMS, " items long")
        for one in value[:_MOST_ITEMS]:
            yield from _above(name, _integer(one), most)
        return
    yield from () if _FREE.search(name) else _above(name, _integer(value), most)


def _layers(name: str, value: Any) -> int:
    """How many times more there are for this number."""
    return max(1, _integer(value)) if _LAYERS.search(name) else 1


def _integer(value: Any) -> int:
    """An integer, the largest of a list of them, 0 of anything else."""
    if isinstance(value, list):
        return max(map(_integer, value), default=0)
    return 0 if isinstance(value, bool) or not isinstance(value, int) else value


def _above(name: str, value: int, most: int, unit: str = "") -> Iterator[tuple[str, str, int]]:
    if value > most:
        shown = f"{value:,}" if value < 10**15 else f"about 10^{int(math.log10(value))}"
        yield name, shown + unit, most


def _refused(path: Path, what: str) -> InputError:
    return InputError(
        "weights.config",
        f"the configuration of a component cannot be used: {what}",
        where=str(path),
        hint="copy or download the whole model again",
    )
