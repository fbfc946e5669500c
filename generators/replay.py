"""Comparing a picture that was drawn again with the first one. Values in, a value out.

``exact``: pixel for pixel. ``perceptual``: not, but nobody sees it. ``differs``: everything else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generators.recipe import Recipe
    from provenance.canonical import Json
    from provenance.media import Frames

PERCEPTUAL_DB = 36.0
"""PSNR in dB from which a difference counts as invisible: twice the amplitude of a mark at its usual 42 dB,
so that a picture whose mark alone sets it apart is on this side at the marks' floor of 40 dB, too."""


class Likeness(StrEnum):
    """How much two drawings of one recipe are alike."""

    EXACT = "exact"
    PERCEPTUAL = "perceptual"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of a recipe that is not as it was.

    Attributes:
        what: dotted path in the recipe, as ``environment.threads``.
        before: as recorded, None where it was absent.
        now: as it is, None where it is absent.
    """

    what: str
    before: Json
    now: Json

    def __str__(self) -> str:
        return f"{self.what}: {_short(self.before)} then, {_short(self.now)} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far two pictures of one size are apart.

    Attributes:
        largest: greatest difference of a sample, in 255ths of the range.
        psnr: in dB over all samples; None where they are equal.
    """

    largest: float
    psnr: float | None

    @property
    def invisible(self) -> bool:
        """See ``PERCEPTUAL_DB``."""
        return self.psnr is None or self.psnr >= PERCEPTUAL_DB


def distance(one: Frames, other: Frames) -> Distance | None:
    """Between two pictures or clips; None where sizes or lengths differ. Transparency is left aside."""
    if one.pixels.shape != other.pixels.shape:
        return None
    largest, squares = 0.0, 0.0
    for first, second in zip(one.pixels, other.pixels, strict=True):  # a frame at a time: clips are long
        apart = np.abs(first * (255.0 / _top(one)) - second * (255.0 / _top(other)))
        largest, squares = max(largest, float(apart.max())), squares + float((apart**2).sum())
    mean = squares / one.pixels.size
    return Distance(largest=largest, psnr=10 * math.log10(255.0**2 / mean) if mean else None)


def changes(before: Recipe, now: Recipe) -> tuple[Change, ...]:
    """What a recipe says differently from an earlier one, in the order of its fields."""
    known = bool(before.model.settings)  # recipes of before have none, and so nothing to compare
    return tuple(_changes("", _by_path(before, settings=known), _by_path(now, settings=known)))


def _by_path(recipe: Recipe, *, settings: bool) -> dict[str, Json]:
    """The recipe with a digest for each path of a model's file, so that changes name the file."""
    model: dict[str, Json] = {
        "ref": recipe.model.ref,
        "revision": recipe.model.revision,
        "pipeline": recipe.model.pipeline,
        "weights": {file.path: file.sha256 for file in recipe.model.weights},
    }
    if settings:
        model["settings"] = {file.path: file.sha256 for file in recipe.model.settings}
    return {**recipe.to_json(), "model": model}


def _changes(path: str, before: Json, now: Json) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys((*before, *now)):
            inside = f"{path}.{name}" if path else name
            yield from _changes(inside, before.get(name), now.get(name))
    elif json.dumps(before, sort_keys=True) != json.dumps(now, sort_keys=True):
        yield Change(what=path, before=before, now=now)


def _short(value: Json) -> str:
    if isinstance(value, list | tuple):
        return f"{len(value)} entries"
    return "nothing" if value is None else str(value)


def _top(frames: Frames) -> int:
    return int(np.iinfo(frames.pixels.dtype).max)
