"""The syntax tree of an expression: one frozen class for each form, each with the offset where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Value: TypeAlias = bool | int | float | str
Param: TypeAlias = Value | tuple[str, ...]
Relation = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A literal, a list of literals, or a parameter of the pack."""

    at: int
    value: Param


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A fact, or the variable of a quantifier."""

    at: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """``!body``."""

    at: int
    body: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """``left && right`` or ``left || right``."""

    at: int
    op: Literal["&&", "||"]
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """``left op right``."""

    at: int
    op: Relation
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """``left in right``."""

    at: int
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``has(path)`` or ``size(path)``."""

    at: int
    function: Literal["has", "size"]
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantifier:
    """``items.all(variable, body)`` or ``items.exists(variable, body)``."""

    at: int
    op: Literal["all", "exists"]
    items: Path
    variable: str
    body: Node


Node: TypeAlias = Constant | Path | Not | Logic | Compare | Member | Call | Quantifier
