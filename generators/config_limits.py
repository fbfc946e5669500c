"""Numbers of a model's configuration, bounded before any library builds layers of them.

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
_MOST_JSON = 8 * 2**20
_MOST_DEPTH = 16
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
        if path.name in NAMES:
            _check(path)


def _check(path: Path) -> None:
    try:
        config = json.loads(read_bounded(path, most=_MOST_JSON))
    except (ValueError, RecursionError) as error:
        raise _refused(path, "it is not JSON") from error
    for name, value, most in _too_large(config, 0):
        raise _refused(path, f"{name[:64]} is {value}, and {most:,} is the limit")


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
