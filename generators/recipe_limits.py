"""What a recipe that was read back has to be, before any of it reaches a library.

A recipe is a file, and files are edited: its parts are held to kinds and ranges that every run stays within.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from generators.request import MAX_PICTURES, MAX_SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generators.recipe import Recipe

MOST_THREADS = 4096
"""More than one machine has processors; torch, told of a billion, would try to start them."""
_MOST = 2**24
"""Of anything else that is counted: a side in pixels, frames, steps."""
_MOST_STRENGTH = 1e6
"""Of what is measured: guidance, the strength of an adapter, frames per second. NaN is no more within."""


def plausible(recipe: Recipe) -> bool:
    """Whether a run can have written it: numbers are numbers and in range, mappings are mappings."""
    counted = all(whole(value, least, most) for value, least, most in _counts(recipe))
    rates = () if recipe.fps is None else (recipe.fps,)
    scales = (adapter.scale for adapter in recipe.adapters)
    measured = all(map(strength, (recipe.guidance_scale, *rates, *scales)))
    return (
        counted and measured and all(isinstance(one, Mapping) for one in _mappings(recipe)) and _named(recipe)
    )


def whole(value: object, least: int, most: int) -> bool:
    """Whether it is an integer of this range; true and false are none."""
    return type(value) is int and least <= value <= most


def strength(value: object) -> bool:
    """Whether it is a number that a model can be given, whole or not."""
    return type(value) in (int, float) and -_MOST_STRENGTH <= value <= _MOST_STRENGTH  # type: ignore[operator]


def _counts(recipe: Recipe) -> Iterator[tuple[object, int, int]]:
    yield recipe.seed, 0, MAX_SEED
    yield recipe.batch_size, 1, MAX_PICTURES
    yield recipe.batch_index, 0, recipe.batch_size - 1
    yield recipe.environment.threads, 1, MOST_THREADS
    yield recipe.steps, 0, _MOST  # 0 where nobody asked for any
    for side in (recipe.width, recipe.height, recipe.frames):
        yield side, 1, _MOST


def _mappings(recipe: Recipe) -> Iterator[object]:
    yield from (recipe.options, recipe.scheduler.config, recipe.environment.libraries)
    yield from (stage.parameters for stage in (*recipe.hooks, *recipe.finish, *recipe.fast))


def _named(recipe: Recipe) -> bool:
    return all(isinstance(stage.name, str) for stage in (*recipe.hooks, *recipe.finish, *recipe.fast))
