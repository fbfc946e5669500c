"""Named sets of prompts for the emoji models, each with what a right picture shows.

held-out   every profession × presentation × tone that no picture of the training set had
trained    as many combinations that it had, for comparison
captions   every attribute said: profession, presentation, tone, style and ground
things     every thing, by its name
skew       every profession and nothing else: what a model fills in of its own
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from generators.training.emoji_labels import (
    GROUNDS,
    OBJECTS,
    PRESENTATIONS,
    PROFESSIONS,
    STYLES,
    TONES,
    Kept,
    Label,
    caption,
)
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRIPLE = ("subject", "presentation", "tone")
_CAPTIONS = 60
"""Prompts of ``captions``: each style twenty times and each ground six times."""
_BARE = Kept(presentation=False, tone=False, style=False, ground=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPrompt:
    """One prompt.

    Attributes:
        name: for reports; of the user's own prompts a number, never their words.
        prompt: to draw; stays out of reports.
        expected: question → the answer that a right picture gets; empty where nothing is known.
    """

    name: str
    prompt: str
    expected: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSet:
    """Prompts that are measured together.

    Attributes:
        name: as on the command line.
        asked: the prompts.
        pictures: of each prompt, where nobody says otherwise.
        guidance: scales to draw at; None is the model's own.
        joint: questions that have to be right all at once, or none.
        bare: the prompts leave attributes open, whose shares are measured.
    """

    name: str
    asked: tuple[AskedPrompt, ...]
    pictures: int
    guidance: tuple[float | None, ...] = (None,)
    joint: tuple[str, ...] = ()
    bare: bool = False


def named(name: str) -> PromptSet:
    """The set of this name.

    Raises:
        InputError: ``bench.set``.
    """
    make = _SETS.get(name)
    if make is None:
        hint = f"choose from {', '.join(_SETS)}, several with commas between them"
        raise InputError("bench.set", "there is no set of prompts of this name", where=name, hint=hint)
    return make()


def own(prompts: list[str]) -> PromptSet:
    """A set of the user's own prompts; at least one."""
    asked = tuple(
        AskedPrompt(name=f"prompt {number}", prompt=prompt, expected=MappingProxyType({}))
        for number, prompt in enumerate(prompts, 1)
    )
    return PromptSet(name="own", asked=asked, pictures=4)


def _held_out() -> PromptSet:
    asked = tuple(_triple(label) for label in _people() if label.held_out)
    return PromptSet(name="held-out", asked=asked, pictures=4, joint=TRIPLE)


def _trained() -> PromptSet:
    seen = [label for label in _people() if not label.held_out]
    count = len(_held_out().asked)
    asked = tuple(_triple(seen[len(seen) * index // count]) for index in range(count))
    return PromptSet(name="trained", asked=asked, pictures=4, joint=TRIPLE)


def _captions() -> PromptSet:
    rng = random.Random(0)  # noqa: S311 - a fixed choice of prompts, not a secret
    people, grounds = list(_people()), list(GROUNDS)
    rng.shuffle(people)
    asked = []
    for index in range(_CAPTIONS):
        style, ground = STYLES[index % len(STYLES)], grounds[index // len(STYLES) % len(grounds)]
        label = people[index]
        styled = Label(subject=label.subject, style=style, presentation=label.presentation, tone=label.tone)
        expected = {**_of_person(styled), "style": style, "ground": ground}
        asked.append(_asked(caption(styled, ground=ground), expected))
    return PromptSet(name="captions", asked=tuple(asked), pictures=2, joint=TRIPLE)


def _things() -> PromptSet:
    labels = [Label(subject=thing, style=STYLES[0]) for thing in OBJECTS]
    asked = tuple(_asked(caption(label, _BARE), {"subject": label.subject}) for label in labels)
    return PromptSet(name="things", asked=asked, pictures=2)


def _skew() -> PromptSet:
    labels = [
        Label(subject=work, style=STYLES[0], presentation=PRESENTATIONS[0], tone=TONES[0])
        for work in PROFESSIONS
    ]
    asked = tuple(_asked(caption(label, _BARE), {"subject": label.subject}) for label in labels)
    return PromptSet(name="skew", asked=asked, pictures=48, guidance=(1.0, 3.0), bare=True)


_SETS = {"held-out": _held_out, "trained": _trained, "captions": _captions, "things": _things, "skew": _skew}
NAMES = tuple(_SETS)


def _people() -> Iterator[Label]:
    """Every combination whose words say all of it: "person" is said by no word."""
    for work in PROFESSIONS:
        for presentation in PRESENTATIONS[1:]:
            for tone in TONES:
                yield Label(subject=work, style=STYLES[0], presentation=presentation, tone=tone)


def _triple(label: Label) -> AskedPrompt:
    return _asked(caption(label, Kept(style=False, ground=False)), _of_person(label))


def _of_person(label: Label) -> dict[str, str]:
    said = {"subject": label.subject, "presentation": label.presentation, "tone": label.tone}
    return {question: answer for question, answer in said.items() if answer is not None}


def _asked(words: tuple[str, ...], expected: Mapping[str, str]) -> AskedPrompt:
    """Named by its words but for the lead, which every prompt of a set shares."""
    return AskedPrompt(
        name=" ".join(words[4:]), prompt=" ".join(words), expected=MappingProxyType(dict(expected))
    )
