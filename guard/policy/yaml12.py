"""YAML as reviewed data wants it: 1.2 scalars, no aliases, no tags, no duplicate keys, positions kept.

YAML 1.1 reads ``no`` as false, ``2026-08-02`` as a date and ``1e-6`` as a text; a policy in which a
threshold silently became a text is worse than one that does not load. Only ``true``/``false``,
``null``, integers and floats of the YAML 1.2 core schema are not texts here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from guard.policy.source import PackError, Source, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 200_000
"""Characters of a policy or term file; ours have a tenth of it."""
MAX_DEPTH = 12
"""Deepest nesting; ours need six."""

MAX_NUMBER = 32
"""Longest number; longer ones stay texts, which every number field refuses."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}

Plain: TypeAlias = "bool | int | float | str | list[Any] | dict[str, Any] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A value and where it stands.

    Attributes:
        at, end: character offsets in the source.
        value: a scalar, a tuple of Items, or a dict of key to Item.
        style: None for a plain scalar, else ``'``, ``"``, ``|`` or ``>``.
    """

    source: Source
    at: int
    end: int
    value: Any
    style: str | None = None

    def error(self, what: str, *, hint: str | None = None, code: str = "policy.schema") -> PackError:
        """The error to raise about this value."""
        return PackError(code, what, self.source, self.at, hint=hint)

    def plain(self) -> Plain:
        """The value without positions."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        scalar: Plain = self.value
        return scalar

    def table(self, *allowed: str) -> dict[str, Item]:
        """The entries of a mapping whose keys are all among ``allowed`` (any, if none is given)."""
        if not isinstance(self.value, dict):
            raise self.error("expected a mapping")
        for key, item in self.value.items():
            if allowed and key not in allowed:
                raise item.error(f"unknown key {key!r}", hint=did_you_mean(key, allowed))
        return self.value

    def items(self) -> tuple[Item, ...]:
        """The items of a sequence; a single value counts as a sequence of one."""
        return self.value if isinstance(self.value, tuple) else (self,)

    def text(self) -> str:
        """A non-empty text."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.error("expected a text")
        return self.value

    def flag(self) -> bool:
        """The two words true and false."""
        if not isinstance(self.value, bool):
            raise self.error("expected true or false")
        return self.value

    def one_of(self, make: Callable[[str], Any], words: tuple[str, ...]) -> Any:
        """One of a few words, as whatever ``make`` makes of it."""
        if self.value not in words:
            hint = did_you_mean(str(self.value), words) or f"one of {', '.join(words)}"
            raise self.error(f"unknown word {self.value!r}", hint=hint)
        return make(self.value)

    def inside(self) -> tuple[int, int]:
        """Offsets of the characters that make up a scalar, without quotes or block header."""
        if self.style in ("|", ">"):
            return self.source.text.index("\n", self.at) + 1, self.end
        quoted = self.style is not None
        start, end = self.at + quoted, self.end - quoted
        text = self.source.text[start:end]
        if (self.style == '"' and "\\" in text) or (self.style == "'" and "''" in text):
            raise self.error(
                "write an expression without YAML escapes", hint="start it with '>' on the line before"
            )
        return start, end


def load(source: Source) -> Item:
    """The one document of ``source``.

    Raises:
        PackError: ``policy.yaml`` with the position of what cannot be read.
    """
    if len(source.text) > MAX_LENGTH:
        raise PackError("policy.yaml", f"longer than {MAX_LENGTH} characters", source, 0)
    try:
        # Not CSafeLoader, which is three times faster: it overflows the C stack on deeply nested input.
        node = yaml.compose(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark.index if error.problem_mark else 0
        raise PackError("policy.yaml", f"not YAML: {error.problem}", source, at) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PackError("policy.yaml", "not YAML: unreadable characters or nesting", source, 0) from error
    if node is None:
        raise PackError("policy.yaml", "the file is empty", source, 0)
    return _item(node, source, set(), 0)


def _item(node: yaml.Node, source: Source, seen: set[int], depth: int) -> Item:
    at, end = node.start_mark.index, node.end_mark.index
    if depth > MAX_DEPTH:
        raise PackError("policy.yaml", "nested too deeply", source, at)
    if id(node) in seen:
        raise PackError("policy.yaml", "aliases are not accepted; write it out", source, at)
    seen.add(id(node))
    if source.text[at : at + 1] in ("!", "&"):
        raise PackError(
            "policy.yaml", "tags and anchors are not accepted", source, at, hint="quote a leading '!'"
        )
    if isinstance(node, yaml.ScalarNode):
        value = _scalar(node.value) if node.style is None else node.value
        return Item(source=source, at=at, end=end, value=value, style=node.style)
    if isinstance(node, yaml.SequenceNode):
        members = tuple(_item(child, source, seen, depth + 1) for child in node.value)
        return Item(source=source, at=at, end=end, value=members)
    return Item(source=source, at=at, end=end, value=_entries(node, source, seen, depth))


def _entries(node: yaml.Node, source: Source, seen: set[int], depth: int) -> dict[str, Item]:
    entries: dict[str, Item] = {}
    for key, child in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or name == "<<":
            raise PackError("policy.yaml", "keys are plain words", source, key.start_mark.index)
        if name in entries:
            raise PackError("policy.yaml", f"duplicate key {name!r}", source, key.start_mark.index)
        entries[name] = _item(child, source, seen, depth + 1)
    return entries


def _scalar(text: str) -> bool | int | float | str | None:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
