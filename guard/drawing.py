"""How a picture was drawn, as its private record keeps it beside the recipe.

A recipe may be committed to in public, so it holds no words and no path; what a repetition needs besides
stands here and leaves with the record when that is erased.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.energy import Energy
from generators.interface import GenerationWarning
from generators.recipe_limits import strength
from generators.request import AdapterRef, GenerationRequest
from generators.starting_points import pixels_digest
from guard.serialise import to_json
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generators.interface import Generation
    from generators.recipe import Recipe

_ASKED = (
    "width",
    "height",
    "num_frames",
    "fps",
    "num_inference_steps",
    "guidance_scale",
    "scheduler",
    "fast",
)
"""Fields of a request that are kept as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One picture, as it came out of its model.

    Attributes:
        model: reference as asked for, a folder with its path.
        asked: further fields of the request, None where it said nothing.
        adapters: of the request.
        options: of the request.
        inputs: pixel digests of the pictures it started from: init, mask.
        prompt: the words as reviewed.
        negative_prompt: the words as reviewed.
        prompt_used: what of them reached the model.
        seeds: of all pictures of its batch, its own among them.
        pixels_sha256: of its pixels before a mark (``generators.starting_points.pixels_digest``).
        warnings: what went differently from what was asked.
        energy: its share of what its batch took.
        encoding: how a clip was made a file: container, codec, encoder and its settings; None for pictures.
    """

    model: str
    asked: Mapping[str, Any]
    adapters: tuple[AdapterRef, ...]
    options: Mapping[str, Any]
    inputs: Mapping[str, str]
    prompt: str
    negative_prompt: str
    prompt_used: str
    seeds: tuple[int, ...]
    pixels_sha256: str
    warnings: tuple[GenerationWarning, ...] = field(default=())
    energy: Energy | None = None
    encoding: Mapping[str, str] | None = None

    def text(self) -> str:
        """As it stands in a record."""
        return json.dumps(to_json(self), ensure_ascii=True, sort_keys=True)

    @classmethod
    def read(cls, text: str) -> Drawing:
        """What ``text`` wrote.

        Raises:
            IntegrityError: ``record.damaged``.
        """
        try:
            return _read(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise damaged() from error


def damaged() -> IntegrityError:
    """``record.damaged``, of the parts of a record that a replay reads."""
    return IntegrityError(
        "record.damaged",
        "what a private record says of how its picture was drawn cannot be read",
        hint="restore the records folder from a backup",
    )


def drawings(
    made: Iterable[Generation], request: GenerationRequest, encoding: Mapping[str, str] | None = None
) -> Iterator[tuple[Generation, Drawing]]:
    """Each picture or clip with what a record keeps of it; ``encoding`` is how clips become files."""
    for place, generation in enumerate(made):
        drawing = _drawing(generation, request, _batch(request.seeds, place, generation.recipe))
        yield generation, replace(drawing, encoding=encoding)


def _drawing(generation: Generation, request: GenerationRequest, seeds: tuple[int, ...]) -> Drawing:
    kind, _, name = request.model.partition(":")
    started = {"init": request.init, "mask": request.mask}
    return Drawing(
        model=f"dir:{_lasting(name)}" if kind == "dir" else request.model,
        asked={name: getattr(request, name) for name in _ASKED},
        adapters=tuple(replace(one, ref=_lasting(one.ref)) for one in request.adapters),
        options=request.options,
        inputs={name: pixels_digest(given) for name, given in started.items() if given is not None},
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        prompt_used=generation.prompt_used,
        seeds=seeds,
        pixels_sha256=pixels_digest(generation.frames),
        warnings=generation.warnings,
        energy=generation.energy,
    )


def _lasting(path: str) -> str:
    """A path that leads there from any folder."""
    return str(Path(os.path.expanduser(path)).resolve())  # noqa: PTH111 - Path raises where there is no such user


def _batch(seeds: tuple[int, ...], place: int, recipe: Recipe) -> tuple[int, ...]:
    """Seeds of the batch that a picture belongs to, from its place in the request."""
    first = place - recipe.batch_index
    batch = seeds[max(first, 0) : first + recipe.batch_size]
    fits = len(batch) == recipe.batch_size and batch[recipe.batch_index] == recipe.seed
    return batch if fits else (recipe.seed,) * recipe.batch_size


def _read(body: dict[str, Any]) -> Drawing:
    energy = body.pop("energy")
    texts = ("model", "prompt", "negative_prompt", "prompt_used", "pixels_sha256")
    if not set(body["asked"]) <= set(_ASKED) or any(type(seed) is not int for seed in body["seeds"]):
        raise ValueError
    if not isinstance(body["options"], dict) or not isinstance(body.get("encoding"), dict | None):
        raise TypeError
    if not isinstance(body["inputs"], dict) or not isinstance(body["asked"].get("scheduler"), str | None):
        raise TypeError
    if not all(isinstance(body[name], str) for name in texts):
        raise ValueError
    fast = body["asked"].get("fast") or ()
    if not all(isinstance(name, str) for name in fast):
        raise ValueError
    body["asked"] = {**body["asked"], "fast": tuple(fast)}
    if not all(isinstance(one["ref"], str) and strength(one["scale"]) for one in body["adapters"]):
        raise TypeError
    return Drawing(
        adapters=tuple(AdapterRef(**one) for one in body.pop("adapters")),
        seeds=tuple(body.pop("seeds")),
        warnings=tuple(GenerationWarning(**one) for one in body.pop("warnings")),
        energy=None if energy is None else Energy(**{**energy, "assumptions": tuple(energy["assumptions"])}),
        **body,
    )
