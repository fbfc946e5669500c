"""The five types of the policy language: bool, num, str, enum and list of str.

There is deliberately no "any": what the checker cannot type, a pack cannot say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from guard.policy.fact import MAX_LIST, TOKEN

if TYPE_CHECKING:
    import re

Name = Literal["bool", "num", "str", "enum", "list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """Type of an expression or a fact.

    Attributes:
        kind: which of the five.
        path: dotted name in messages, for a fact.
        values, words: the words of an enum, and its class.
        whole: a num that is an integer.
        optional: ``has(…)`` may ask whether it is known.
        text: pattern that a str, or each item of a list, matches in full.
        note: what the fact means, for the reference page.
    """

    kind: Name
    path: str = ""
    values: tuple[str, ...] = ()
    words: type[StrEnum] | None = None
    whole: bool = False
    optional: bool = False
    text: re.Pattern[str] = TOKEN
    note: str = ""

    @property
    def item(self) -> Type:
        """Type of the items of a list."""
        return replace(self, kind="str")

    def __str__(self) -> str:
        return {"enum": f"one of {', '.join(self.values)}", "list": "list of str"}.get(self.kind, self.kind)

    def require(self, value: object) -> None:
        """Refuse a value of another type.

        Raises:
            TypeError: the value's class does not fit.
            ValueError: a text is not a token, or a list is too long.
        """
        if not self._admits(value):
            raise TypeError(f"{self.path} is {self}, not {type(value).__name__}")
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not self.text.fullmatch(text):
                raise ValueError(f"{self.path} takes one short word, not a text")

    def parse(self, value: object) -> Any:
        """A value as data files write it, as a fact holds it: words become enums, lists tuples.

        Raises:
            TypeError, ValueError: it does not fit.
        """
        parsed: Any = tuple(value) if isinstance(value, list) else value
        if self.words is not None:
            if value not in self.values:
                raise ValueError(f"{self.path} is {self}, not {value!r}")
            parsed = self.words(value)
        self.require(parsed)
        return parsed

    def _admits(self, value: object) -> bool:
        match self.kind:
            case "bool":
                return isinstance(value, bool)
            case "num":
                numeric = isinstance(value, int if self.whole else int | float)
                return numeric and not isinstance(value, bool)
            case "enum":
                return isinstance(value, StrEnum) and value.value in self.values
            case "str":
                return isinstance(value, str)
            case "list":
                fits = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
                return fits and len(value) <= MAX_LIST  # type: ignore[arg-type]  # narrowed by ``fits``


BOOL = Type(kind="bool")
NUM = Type(kind="num")
STR = Type(kind="str")
LIST = Type(kind="list")


def type_of(answer: Any, *, path: str, optional: bool, text: re.Pattern[str], note: str) -> Type:
    """The type of a fact annotated ``Fact[answer]``."""
    base = {bool: BOOL, int: replace(NUM, whole=True), float: NUM, str: STR}.get(answer)
    if base is None:
        is_enum = isinstance(answer, type) and issubclass(answer, StrEnum)
        base = (
            Type(kind="enum", values=tuple(word.value for word in answer), words=answer) if is_enum else LIST
        )
    return replace(base, path=path, optional=optional, text=text, note=note)
