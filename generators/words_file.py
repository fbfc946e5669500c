"""What a ``words.json`` may say: which words of a user mean what, beside any model of few words.

professions, things, presentations, tones, styles, grounds, movements    what is meant, and how people call it
extra_professions    a further name, and the profession it means
gendered             one of these names, and the presentation that it says besides
silent, unmapped     words that are left out without a word, and those that are never taken apart
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUBJECTS = ("professions", "things")
MEANINGS = (*SUBJECTS, "presentations", "tones", "styles", "grounds", "movements")
_PAIRS, _LISTS = ("extra_professions", "gendered"), ("silent", "unmapped")
_MOST = 2 * 2**20
"""Bytes of a file; that of the bundled models has some 20,000."""
_MOST_NAMES, _LONGEST = 20_000, 4000
"""Names altogether, and characters of one: no prompt is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A ``words.json`` that was looked through.

    Attributes:
        meanings: section of ``MEANINGS`` → what is meant → its names.
        extra_professions: name → profession.
        gendered: name → presentation.
        silent: left out without a word.
        unmapped: never taken apart.
    """

    meanings: Mapping[str, Mapping[str, tuple[str, ...]]]
    extra_professions: Mapping[str, str] = field(default_factory=dict)
    gendered: Mapping[str, str] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()


def read_words(path: Path, *, needed: tuple[str, ...] = ()) -> Words:
    """Read a ``words.json``.

    Args:
        path: of the file.
        needed: sections that have to be there.

    Raises:
        InputError: ``model.words``: no JSON, of other fields, or longer than any list of words.
    """
    try:
        said: Any = json.loads(read_bounded(path, most=_MOST))
    except (InputError, ValueError, RecursionError) as error:
        raise bad_words(path, "it cannot be read as JSON") from error
    if not isinstance(said, dict):
        raise bad_words(path, "it is not an object of sections")
    for name in (*needed, *said):
        if name not in said or name not in (*MEANINGS, *_PAIRS, *_LISTS):
            what = "is missing" if name not in said else "is no section of it"
            raise bad_words(path, f"{name[:100]} {what}")
    for name, section in said.items():
        if not _fits(name, section):
            raise bad_words(path, f"{name} is of another form")
    if sum(_count(section) for section in said.values()) > _MOST_NAMES:
        raise bad_words(path, f"it has more than {_MOST_NAMES:,} names")
    return Words(
        meanings={name: _named(said[name]) for name in MEANINGS if name in said},
        extra_professions=said.get("extra_professions", {}),
        gendered=said.get("gendered", {}),
        silent=tuple(said.get("silent", ())),
        unmapped=tuple(said.get("unmapped", ())),
    )


def _fits(name: str, section: Any) -> bool:
    if name in _LISTS:
        return _texts(section)
    if not isinstance(section, dict) or not all(map(_text, section)):
        return False
    return all((_text if name in _PAIRS else _texts)(value) for value in section.values())


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= len(value) <= _LONGEST


def _count(section: Any) -> int:
    several = section.values() if isinstance(section, dict) else ()
    return len(section) + sum(len(names) for names in several if isinstance(names, list))


def _named(section: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {meant: tuple(names) for meant, names in section.items()}


def bad_words(path: Path, what: str) -> InputError:
    """The error for a list of words that cannot be used."""
    return InputError(
        "model.words",
        f"the words that this model understands cannot be read: {what}",
        where=str(path),
        hint="copy or download the whole model again",
    )
