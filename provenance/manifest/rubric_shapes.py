"""Shapes that rules of the asset rubrics have in common: a sentence, and what each of a kind has to keep.

The sentence is a template; a file's own words are put into it once and never read as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from provenance.manifest.rubric_view import RubricView

MOST = 128
"""Characters of a file's own words in a finding."""

Look = Callable[[RubricView], Iterator[str]]
"""Yields what breaks a rule, and nothing where it holds."""


def name_of(action: Mapping[str, Any]) -> str:
    """The action's name, cut: it may come from a hostile file."""
    name = action.get("action")
    return name[:MOST] if isinstance(name, str) else ""


def each_action(what: str, breaks: Callable[[str, Mapping[str, Any]], bool]) -> Look:
    """No action ``breaks`` it, by its name and fields; ``what`` may quote ``{name}``."""

    def look(view: RubricView) -> Iterator[str]:
        for action in view.actions():
            if breaks(name := name_of(action), action):
                yield what.format(name=name)

    return look


def each_label(what: str, breaks: Callable[[str], bool]) -> Look:
    """No assertion ``breaks`` it by its label; ``what`` may quote ``{label}``."""

    def look(view: RubricView) -> Iterator[str]:
        yield from (what.format(label=label[:MOST]) for label in view.assertions if breaks(label))

    return look


def each_ingredient(what: str, breaks: Callable[[Mapping[str, Any]], bool]) -> Look:
    """No ingredient ``breaks`` it."""

    def look(view: RubricView) -> Iterator[str]:
        yield from (what for item in view.ingredients() if breaks(item))

    return look
