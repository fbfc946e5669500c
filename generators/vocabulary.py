"""From a user's words to the words a small model was trained on, saying what is lost on the way.

The bundled model knows people at 19 professions in two presentations and six tones, and some things, in
three styles on grounds of ten colours. Synonyms are mapped ("doctor" → "health worker"), in English and in
Chinese (names of the Unicode CLDR); everything else is dropped from the prompt and *reported*. Words for
children, ethnicity or origin are on purpose not mapped onto anything: the model cannot draw them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from generators.interface import GenerationWarning
from generators.words_adapter import HAN, split
from generators.words_file import SUBJECTS, bad_words, read_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_IS_HAN = re.compile(rf"[{HAN}]+")
_KINDS = ("subject", "presentation", "tone", "style", "ground", "movement")
_OF_PEOPLE = ("presentation", "tone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A prompt in the model's own words.

    Attributes:
        prompt: what the model gets; "" when nothing was understood.
        unknown: words it does not know, as written, in order, once each.
        warnings: in sentences.
        meaning: what was understood, by kind: subject, presentation, tone, style, ground, movement.
    """

    prompt: str
    unknown: tuple[str, ...]
    warnings: tuple[GenerationWarning, ...]
    meaning: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What phrases mean to a model.

    Attributes:
        phrases: phrase as a tuple of lower-case words → pairs of kind and value; an empty tuple is a word
            that may be left out silently.
        unmapped: phrases that are never taken apart, because a part of them would mean something else.
        things: subjects that are no people.
        moves: whether what it draws moves.
    """

    phrases: Mapping[tuple[str, ...], tuple[tuple[str, str], ...]]
    unmapped: frozenset[tuple[str, ...]]
    things: frozenset[str]
    moves: bool = False

    def map(self, prompt: str) -> Mapped:
        """In canonical form: "a portrait of a dark skin woman health worker flat style on blue"."""
        meanings: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        unknown: list[str] = []
        for written, found in self._read(_words(prompt)):
            for kind, value in found or ():
                if value not in meanings[kind]:
                    meanings[kind].append(value)
            if found is None:
                unknown.append(written)
        unknown = list(dict.fromkeys(_joined(unknown, _alike(prompt))))
        dropped = self._not_of_a_thing(meanings)
        meaning = {kind: values[0] for kind, values in meanings.items() if values}
        return Mapped(
            prompt=self._canonical(meaning),
            unknown=tuple(unknown),
            warnings=(*_warnings(meanings, unknown, dropped), *self._unmoved(meaning)),
            meaning=MappingProxyType(meaning),
        )

    def _read(self, words: list[str]) -> Iterator[tuple[str, tuple[tuple[str, str], ...] | None]]:
        """Longest known phrase first, at each place; unknown words one at a time with None."""
        folded = [_singular(word.lower().replace("’", "'").removesuffix("'s")) for word in words]
        longest = max((1, *map(len, self.phrases)))  # names of symbols alone have no words
        at = 0
        while at < len(words):
            for length in range(min(longest, len(words) - at), 0, -1):
                part = slice(at, at + length)
                found = self._lookup(words[part], folded[part])
                kept_whole = tuple(words[part]) in self.unmapped
                if found is not None or kept_whole:
                    break
            yield "".join(words[part]) if kept_whole else words[at], None if kept_whole else found
            at += length

    def _lookup(self, words: Sequence[str], folded: Sequence[str]) -> tuple[tuple[str, str], ...] | None:
        exact = tuple(part for word in words for part in word.lower().split("-"))
        plain = tuple(part for word in folded for part in word.split("-"))
        found = self.phrases.get(exact)
        return self.phrases.get(plain) if found is None else found

    def _not_of_a_thing(self, meanings: dict[str, list[str]]) -> list[str]:
        """Takes out what only people have, where the subject is a thing; returns it."""
        if not meanings["subject"] or meanings["subject"][0] not in self.things:
            return []
        dropped = [value for kind in _OF_PEOPLE for value in meanings[kind]]
        for kind in _OF_PEOPLE:
            meanings[kind] = []
        return dropped

    def _unmoved(self, meaning: Mapping[str, str]) -> tuple[GenerationWarning, ...]:
        if not self.moves or "movement" in meaning:
            return ()
        what = "the prompt says no movement; so one is drawn at random"
        return (GenerationWarning(code="prompt.no-movement", message=what),)

    def _canonical(self, meaning: dict[str, str]) -> str:
        if not meaning:
            return ""
        words = ["a picture of a" if meaning.get("subject") in self.things else "a portrait of a"]
        if tone := meaning.get("tone"):
            words.append("yellow" if tone == "yellow" else f"{tone} skin")
        words += [meaning[kind] for kind in ("presentation", "subject") if kind in meaning]
        if style := meaning.get("style"):
            words.append(f"{style} style")
        if ground := meaning.get("ground"):
            words.append(f"on {ground}")
        if movement := meaning.get("movement"):
            words.append(movement)
        return " ".join(words)


def load(path: Path) -> Vocabulary:
    """Read a ``words.json``: synonyms by meaning, gendered words, words without meaning.

    Raises:
        InputError: ``model.words``.
    """
    words = read_words(path)
    phrases: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {_parts(name): () for name in words.silent}
    kinds = {**dict.fromkeys(SUBJECTS, "subject"), **{f"{kind}s": kind for kind in _KINDS[1:]}}
    for section, kind in kinds.items():
        for value, names in words.meanings.get(section, {}).items():
            phrases |= {_parts(name): ((kind, value),) for name in names}
    for name, value in words.extra_professions.items():
        phrases[_parts(name)] = (("subject", value),)
    for name, presentation in words.gendered.items():
        if _parts(name) not in phrases:
            raise bad_words(path, f"{name[:100]} is gendered, and nothing says what it means")
        phrases[_parts(name)] += (("presentation", presentation),)
    return Vocabulary(
        phrases=MappingProxyType(phrases),
        unmapped=frozenset(map(_parts, words.unmapped)),
        things=frozenset(words.meanings.get("things", ())),
    )


def taught_movements(own: Vocabulary, path: Path) -> Vocabulary:
    """``own`` and the words for movements of a ``words.json``; what either knows keeps its meaning.

    Raises:
        InputError: ``model.words``.
    """
    words = read_words(path, needed=("movements",))
    added: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {_parts(name): () for name in words.silent}
    for movement, names in words.meanings["movements"].items():
        added |= {_parts(name): (("movement", movement),) for name in names}
    return replace(own, phrases=MappingProxyType({**added, **own.phrases}), moves=True)


def _alike(text: str) -> str:
    """With one form for characters that Unicode holds for the same."""
    return unicodedata.normalize("NFKC", text)


def _words(text: str) -> list[str]:
    return split(_alike(text))


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for word in _words(name) for part in word.split("-"))


def _singular(word: str) -> str:
    """Singular of the plurals that matter here; other words come back unharmed enough to be looked up."""
    for ending, instead, shortest in _PLURALS:
        if word.endswith(ending) and len(word) > shortest:
            return word.removesuffix(ending) + instead
    return word


_PLURALS = (
    ("men", "man", 0),
    ("ies", "y", 4),
    ("ves", "f", 4),
    ("ches", "ch", 5),
    ("xes", "x", 4),
    ("toes", "to", 4),
    ("ss", "ss", 0),
    ("s", "", 3),
)
"""Ending, its singular, and the length a word has to exceed; the first that fits counts."""


def _joined(words: Sequence[str], prompt: str) -> Iterator[str]:
    """Unknown characters that stand side by side in ``prompt`` as one word: one warning, not one for each."""
    run = ""
    for word in words:
        if _IS_HAN.fullmatch(word) and (not run or run + word in prompt):
            run += word
            continue
        if run:
            yield run
        run = word if _IS_HAN.fullmatch(word) else ""
        if not run:
            yield word
    if run:
        yield run


def _warnings(
    meanings: dict[str, list[str]], unknown: list[str], dropped: list[str]
) -> Iterator[GenerationWarning]:
    if unknown:
        listed = ", ".join(unknown)
        yield GenerationWarning(
            code="prompt.unknown-words", message=f"words this model does not know: {listed}"
        )
    if not meanings["subject"]:
        yield GenerationWarning(
            code="prompt.no-subject",
            message="the prompt names nothing this model can draw; so something is drawn at random",
        )
    if dropped:
        listed = ", ".join(dropped)
        yield GenerationWarning(
            code="prompt.people-only", message=f"a thing cannot be this: left out {listed}"
        )
    for kind, values in meanings.items():
        if len(values) > 1:
            rest = ", ".join(values[1:])
            message = f"this model draws one {kind} at a time: took {values[0]}, left out {rest}"
            yield GenerationWarning(code="prompt.one-at-a-time", message=message)
