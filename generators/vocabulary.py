"""From a user's words to the words a small model was trained on, saying what is lost on the way.

The bundled model knows 19 professions, two presentations, six tones and three styles. Synonyms are
mapped ("doctor" → "health worker"); everything else is dropped from the prompt and *reported*. Words for
children, ethnicity or origin are on purpose not mapped onto anything: the model cannot draw them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from generators.interface import GenerationWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_KINDS = ("profession", "presentation", "tone", "style")
_LONGEST = 4
"""Words in the longest phrase of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A prompt in the model's own words.

    Attributes:
        prompt: what the model gets; "" when nothing was understood.
        unknown: words it does not know, as written, in order, once each.
        warnings: in sentences.
    """

    prompt: str
    unknown: tuple[str, ...]
    warnings: tuple[GenerationWarning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Phrases (as tuples of words) and what they mean, and words that may be left out silently."""

    phrases: Mapping[tuple[str, ...], tuple[tuple[str, str], ...]]
    silent: frozenset[str]

    def map(self, prompt: str) -> Mapped:
        """The prompt in canonical form: "a portrait of a dark skin woman health worker flat style"."""
        meanings: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        unknown: list[str] = []
        for word, found in self._read(_WORD.findall(prompt)):
            for kind, value in found:
                if value not in meanings[kind]:
                    meanings[kind].append(value)
            if not found and word.lower() not in self.silent and word not in unknown:
                unknown.append(word)
        return Mapped(
            prompt=_canonical({kind: values[0] for kind, values in meanings.items() if values}),
            unknown=tuple(unknown),
            warnings=tuple(_warnings(meanings, unknown)),
        )

    def _read(self, words: list[str]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        """Longest known phrase first, at each place; unknown words one at a time with no meaning."""
        folded = [_singular(word.lower().replace("’", "'").removesuffix("'s")) for word in words]
        at = 0
        while at < len(words):
            for length in range(min(_LONGEST, len(words) - at), 0, -1):
                found = self._lookup(words[at : at + length], folded[at : at + length])
                if found:
                    break
            yield words[at], found
            at += max(1, length) if found else 1

    def _lookup(self, words: list[str], folded: list[str]) -> tuple[tuple[str, str], ...]:
        exact = tuple(part for word in words for part in word.lower().split("-"))
        plain = tuple(part for word in folded for part in word.split("-"))
        return self.phrases.get(exact) or self.phrases.get(plain) or ()


def load(path: Path) -> Vocabulary:
    """Read a ``words.json``: synonyms by meaning, gendered words, words without meaning."""
    data = json.loads(path.read_text(encoding="utf-8"))
    phrases: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
    for kind in _KINDS:
        for value, names in data[f"{kind}s"].items():
            for name in names:
                phrases[_parts(name)] = ((kind, value),)
    for name, value in data["extra_professions"].items():
        phrases[_parts(name)] = (("profession", value),)
    for name, presentation in data["gendered"].items():
        phrases[_parts(name)] += (("presentation", presentation),)
    return Vocabulary(phrases=MappingProxyType(phrases), silent=frozenset(data["silent"]))


def _parts(name: str) -> tuple[str, ...]:
    return tuple(re.split(r"[\s-]+", name))


def _singular(word: str) -> str:
    """Singular of the plurals that matter here; other words come back unharmed enough to be looked up."""
    if word.endswith("men"):
        return word.removesuffix("men") + "man"
    if word.endswith("ies") and len(word) > 4:
        return word.removesuffix("ies") + "y"
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word.removesuffix("s")
    return word


def _canonical(meaning: dict[str, str]) -> str:
    if not meaning:
        return ""
    words = ["a portrait of a"]
    if tone := meaning.get("tone"):
        words.append("yellow" if tone == "yellow" else f"{tone} skin")
    words += [meaning[kind] for kind in ("presentation", "profession") if kind in meaning]
    if style := meaning.get("style"):
        words.append(f"{style} style")
    return " ".join(words)


def _warnings(meanings: dict[str, list[str]], unknown: list[str]) -> Iterator[GenerationWarning]:
    if unknown:
        listed = ", ".join(unknown)
        yield GenerationWarning(
            code="prompt.unknown-words", message=f"words this model does not know: {listed}"
        )
    if not meanings["profession"]:
        yield GenerationWarning(
            code="prompt.no-subject",
            message="the prompt names no profession this model can draw; so one is drawn at random",
        )
    for kind, values in meanings.items():
        if len(values) > 1:
            rest = ", ".join(values[1:])
            message = f"this model draws one {kind} at a time: took {values[0]}, left out {rest}"
            yield GenerationWarning(code="prompt.one-at-a-time", message=message)
