"""Where a thing stands in a policy text, and the error that points at it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text with a name: a pack's file, or one expression."""

    name: str
    text: str

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character offset."""
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - (self.text.rfind("\n", 0, offset) + 1) + 1

    def label(self, offset: int) -> str:
        """``name:line:column``, as compilers write it."""
        line, column = self.position(offset)
        return f"{self.name}:{line}:{column}"

    def excerpt(self, offset: int) -> str:
        """The line concerned, and a caret under the column."""
        line, column = self.position(offset)
        lines = self.text.split("\n")
        return f"  | {lines[line - 1]}\n  | {' ' * (column - 1)}^"


class PackError(InputError):
    """A pack or expression that cannot be used.

    Attributes:
        line, column: position from 1.
        excerpt: the line and a caret, for the terminal (escape it: the file may be hostile).
    """

    def __init__(self, code: str, what: str, source: Source, at: int, *, hint: str | None = None) -> None:
        super().__init__(code, what, where=source.label(at), hint=hint)
        self.line, self.column = source.position(at)
        self.excerpt = source.excerpt(at)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest known word, or None."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean {close[0]!r}?" if close else None
