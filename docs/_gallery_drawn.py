"""Samples for the gallery, drawn with seeds in order, and what is written of each sheet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from generators.request import GenerationRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from generators.interface import Generation, Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture or clip.

    Attributes:
        prompt: as asked.
        made: what the model gave.
        expected: answers of the oracle that would be right, by question.
    """

    prompt: str
    made: Generation
    expected: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def pixels(self) -> NDArray[Any]:
        """(h, w, 3) uint8 of the first frame."""
        return self.made.frames.pixels[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One sheet and its text.

    Attributes:
        name: of its file.
        title: of the section.
        text: what is seen, in Markdown.
        made: how it was made: model, digest, settings, seeds.
        command: draws one of the pictures again, at its released size.
        image: the sheet.
    """

    name: str
    title: str
    text: str
    made: str
    command: str
    image: Image.Image


def small(model: Any) -> Any:
    """A diffusion model that leaves its pictures at the size it draws them, without a second stage."""
    return replace(model, defaults=replace(model.defaults, finished_size=None))


def named(subject: str) -> str:
    """With its article."""
    return f"an {subject}" if subject[0] in "aeiou" else f"a {subject}"


def drawn(model: Generator, prompt: str, seeds: Iterable[int], **settings: Any) -> list[Sample]:
    """One sample a seed; ``settings`` are further fields of the request."""
    request = GenerationRequest(prompt=prompt, seeds=tuple(seeds), **settings)
    return [Sample(prompt=prompt, made=made) for made in model.generate(request)]


def in_order(model: Generator, asked: Iterable[tuple[str, dict[str, str]]], **settings: Any) -> list[Sample]:
    """One sample for each prompt, with seeds 1, 2, 3, … in this order; answers that would be right beside."""
    return [
        replace(one, expected=MappingProxyType(expected))
        for seed, (prompt, expected) in enumerate(asked, start=1)
        for one in drawn(model, prompt, (seed,), **settings)
    ]


def said_of(model: Generator, samples: Sequence[Sample], *, seeds: str, guidance: str = "") -> str:
    """Model, digest, size and settings, as the recipes of the samples have them."""
    recipe, frames = samples[0].made.recipe, samples[0].made.frames
    told = [
        f"`{model.info.id}`, weights `{model.info.weights_sha256[:16]}…`",
        f"{frames.width} pixels a side",
    ]
    if recipe.scheduler.name != "none":
        scale = guidance or f"{recipe.guidance_scale:g}"
        told.append(f"{recipe.scheduler.name}, {recipe.steps} steps, guidance {scale}")
    return "; ".join([*told, seeds]) + "."
