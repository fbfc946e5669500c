"""Lexicon: reviewed lists of terms, each in a class that names a risk and its level.

Words are looked up in hash tables, as single words and as phrases of up to ``MAX_WORDS``; a regular
expression over all terms costs forty times as much. Han text has no word boundaries, so there every
part of a run is looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from guard.policy.fact import Level
from guard.prompt.normalise import HAN, normalise
from provenance.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from guard.policy.yaml12 import Item
    from guard.prompt.normalise import Normalised

MAX_WORDS = 4
"""Longest phrase in words."""
MIN_INSIDE = 4
"""Letters a term needs to be looked for inside a word that was written with gaps. A shorter one has to be
the whole word, or to stand next to one that was found."""
_SHORTEST = 3

WORD = re.compile(r"[a-z]+|[0-9]+")
_HAN = re.compile(f"[{HAN}]")

RISKS = ("sexual", "minor", "identifiable_person")


@dataclass(frozen=True, slots=True, kw_only=True)
class TermClass:
    """What a term stands for.

    Attributes:
        id: dotted name; the only thing about a match that leaves this package.
        risk: one of ``RISKS``.
        level: POSSIBLE or PRESENT.
        negative: it counts in the negative prompt; otherwise in the prompt.
    """

    id: str
    risk: str
    level: Level
    negative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lexicon:
    """Terms of one or more lists, ready for look-up.

    Attributes:
        phrases: words of a term → its classes.
        starts: first word → most words of any term or allowed phrase that begins with it.
        han: Han term → its classes.
        longest: characters of the longest Han term.
        longest_word: letters of the longest term that is one word.
        allowed: phrases (words) and Han terms that are passed over.
        attached: words taken off a compound to find a term in it.
        digest: SHA-256 over the lists, for records.
    """

    phrases: Mapping[tuple[str, ...], tuple[TermClass, ...]]
    starts: Mapping[str, int]
    han: Mapping[str, tuple[TermClass, ...]]
    longest: int
    longest_word: int
    allowed: frozenset[tuple[str, ...]]
    allowed_han: tuple[str, ...]
    attached: frozenset[str]
    digest: str

    def classes(self, text: Normalised) -> frozenset[TermClass]:
        """Classes of all terms in any view of ``text``."""
        found: set[TermClass] = set()
        found.update(self._in_words(WORD.findall(text.folded)))
        for variant in text.variants:
            found.update(self._in_words(WORD.findall(variant)))
        for joined in text.joined:
            found.update(self._inside(joined))
        for run in text.han:
            found.update(self._in_han(run))
        return frozenset(found)

    def _in_words(self, words: list[str]) -> Iterator[TermClass]:
        starts, phrases = self.starts, self.phrases
        skip_to = 0
        for index, word in enumerate(words):
            if index < skip_to:
                continue
            longest = starts.get(word)
            if longest is None:
                if len(word) >= 2 * MIN_INSIDE - 1:
                    yield from self._compound(word)
                continue
            for count in range(min(longest, len(words) - index), 0, -1):
                phrase = tuple(words[index : index + count])
                if phrase in self.allowed:
                    skip_to = index + count
                    break
                yield from phrases.get(phrase, ())

    def _compound(self, word: str) -> Iterator[TermClass]:
        """Two words written as one, of which one is a term and the other a term or an attached word."""
        for cut in range(3, len(word) - 2):
            left, right = word[:cut], word[cut:]
            first, second = self.phrases.get((left,)), self.phrases.get((right,))
            if first and (second or right in self.attached):
                yield from first
            if second and (first or left in self.attached):
                yield from second

    def _inside(self, letters: str) -> Iterator[TermClass]:
        """Terms in a word that was written with gaps: "nude" and then "kid" in "nudekid"."""
        places = [
            (start, end)
            for start in range(len(letters))
            for end in range(start + _SHORTEST, min(start + self.longest_word, len(letters)) + 1)
            if (letters[start:end],) in self.phrases
        ]
        sure = [(start, end) for start, end in places if end - start >= MIN_INSIDE]
        begins, ends = {start for start, _ in sure}, {end for _, end in sure}
        for start, end in places:
            whole = end - start == len(letters)
            if whole or end - start >= MIN_INSIDE or start in ends or end in begins:
                yield from self.phrases[(letters[start:end],)]

    def _in_han(self, run: str) -> Iterator[TermClass]:
        for phrase in self.allowed_han:
            run = run.replace(phrase, " ")
        for start in range(len(run)):
            for end in range(start + 1, min(start + self.longest, len(run)) + 1):
                yield from self.han.get(run[start:end], ())


def build(lists: Iterable[Item]) -> Lexicon:
    """A lexicon of parsed term lists.

    Raises:
        PackError: ``policy.schema``, with the position of what does not fit.
    """
    documents = tuple(lists)
    terms: list[tuple[str, TermClass]] = []
    allow: list[str] = []
    attached: set[str] = set()
    for document in documents:
        spec = _spec(document)
        for item in spec["classes"].items():
            terms += _class_terms(item)
        allow += [normalise(item.text()).folded for item in spec["allow"].items()] if "allow" in spec else []
        attached |= {item.text() for item in spec["attached"].items()} if "attached" in spec else set()
    return _index(terms, allow, attached, digest([document.plain() for document in documents]))


def _index(
    terms: list[tuple[str, TermClass]], allow: list[str], attached: set[str], checksum: str
) -> Lexicon:
    phrases: dict[tuple[str, ...], tuple[TermClass, ...]] = {}
    han: dict[str, tuple[TermClass, ...]] = {}
    for term, kind in terms:
        if _HAN.search(term):
            han[term] = (*han.get(term, ()), kind)
        else:
            words = tuple(WORD.findall(term))
            phrases[words] = (*phrases.get(words, ()), kind)
    allowed = frozenset(tuple(WORD.findall(phrase)) for phrase in allow if not _HAN.search(phrase))
    starts: dict[str, int] = {}
    for words in (*phrases, *allowed):
        starts[words[0]] = max(len(words), starts.get(words[0], 0))
    return Lexicon(
        phrases=phrases,
        starts=starts,
        han=han,
        longest=max(map(len, han), default=0),
        longest_word=max((len(words[0]) for words in phrases if len(words) == 1), default=0),
        allowed=allowed,
        # The longest first: a short allowed term must not cut a longer one in two.
        allowed_han=tuple(sorted((phrase for phrase in allow if _HAN.search(phrase)), key=len, reverse=True)),
        attached=frozenset(attached),
        digest=checksum,
    )


def _spec(document: Item) -> dict[str, Item]:
    top = document.table("apiVersion", "kind", "metadata", "spec")
    if top.keys() != {"apiVersion", "kind", "metadata", "spec"} or top["kind"].value != "TermList":
        raise document.error("expected a TermList with apiVersion, kind, metadata and spec")
    spec = top["spec"].table("classes", "allow", "attached")
    if "classes" not in spec:
        raise top["spec"].error("missing key 'classes'")
    return spec


def _class_terms(item: Item) -> list[tuple[str, TermClass]]:
    entries = item.table("id", "risk", "level", "where", "terms")
    for key in ("id", "risk", "level", "terms"):
        if key not in entries:
            raise item.error(f"missing key {key!r}")
    where = entries["where"].one_of(str, ("prompt", "negative")) if "where" in entries else "prompt"
    kind = TermClass(
        id=entries["id"].text(),
        risk=entries["risk"].one_of(str, RISKS),
        level=entries["level"].one_of(Level, (Level.POSSIBLE.value, Level.PRESENT.value)),
        negative=where == "negative",
    )
    return [(_term(term), kind) for term in entries["terms"].items()]


def _term(item: Item) -> str:
    folded = normalise(item.text()).folded
    if not _HAN.search(folded) and not 1 <= len(WORD.findall(folded)) <= MAX_WORDS:
        raise item.error(f"a term has one to {MAX_WORDS} words")
    return folded


def load_lexicon(paths: Iterable[Path]) -> Lexicon:
    """The lexicon of the term lists in ``paths``.

    Raises:
        PackError: a list is not valid; says where.
    """
    from guard.policy.source import Source  # noqa: PLC0415 - with PyYAML, only where lists are read
    from guard.policy.yaml12 import load  # noqa: PLC0415

    return build(load(Source(name=path.name, text=path.read_text(encoding="utf-8"))) for path in paths)


@cache
def shipped_lexicon() -> Lexicon:
    """The lists that come with mediaguard: English and Chinese."""
    from guard.policy.pack import policies  # noqa: PLC0415 - finds the folder

    return load_lexicon(sorted((policies() / "terms").glob("*.yaml")))
