"""Names and types of an expression, found before any decision is made.

One rule here is about safety rather than sense: ``has(x)`` turns a missing fact into a plain
``false``. Under a negation that would make missing evidence count *for* a release, so ``has`` is
accepted only where turning it from true to false can never satisfy anything. With it every
expression is monotone: removing a fact never turns "not true" into "true".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.policy.source import PackError, Source, did_you_mean
from guard.policy.tree import Call, Compare, Constant, Logic, Member, Node, Not, Path, Quantifier
from guard.policy.types import BOOL, LIST, NUM, STR, Type

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression may name, and where it stands.

    Attributes:
        source: for positions.
        names: facts and quantifier variables.
        has_allowed: False in ``applies``, under ``!`` and inside comparisons.
    """

    source: Source
    names: Mapping[str, Type]
    has_allowed: bool

    def error(self, what: str, at: int, hint: str | None = None, code: str = "policy.type") -> PackError:
        """The error to raise at ``at``."""
        return PackError(code, what, self.source, at, hint=hint)

    def without_has(self) -> Scope:
        """The same names where ``has`` is not accepted."""
        return Scope(source=self.source, names=self.names, has_allowed=False)


def check(node: Node, scope: Scope) -> None:
    """Refuse an expression that is not a bool over known names.

    Raises:
        PackError: ``policy.unknown-name`` or ``policy.type``, at the character concerned.
    """
    _boolean(node, scope, "a rule")


def _boolean(node: Node, scope: Scope, what: str) -> Type:
    found = _type(node, scope)
    if found.kind != "bool":
        raise scope.error(f"{what} needs bool, not {found.kind}", node.at)
    return found


def _type(node: Node, scope: Scope) -> Type:
    match node:
        case Constant():
            return _constant(node)
        case Path():
            return _path(node, scope)
        case Not():
            return _boolean(node.body, scope.without_has(), "'!'")
        case Logic():
            _boolean(node.left, scope, f"'{node.op}'")
            return _boolean(node.right, scope, f"'{node.op}'")
        case Compare():
            return _compare(node, scope.without_has())
        case Member():
            return _member(node, scope.without_has())
        case Call():
            return _call(node, scope)
        case Quantifier():
            return _quantifier(node, scope)


def _constant(node: Constant) -> Type:
    if isinstance(node.value, bool):
        return BOOL
    if isinstance(node.value, str):
        return STR
    return LIST if isinstance(node.value, tuple) else NUM


def _path(node: Path, scope: Scope) -> Type:
    found = scope.names.get(node.name)
    if found is None:
        hint = did_you_mean(node.name, scope.names)
        raise scope.error(f"unknown fact {node.name!r}", node.at, hint, "policy.unknown-name")
    return found


def _compare(node: Compare, scope: Scope) -> Type:
    left, right = _type(node.left, scope), _type(node.right, scope)
    if node.op not in ("==", "!="):
        if (left.kind, right.kind) != ("num", "num"):
            raise scope.error(f"cannot order {left.kind} {node.op} {right.kind}", node.at)
        return BOOL
    if left.kind == "enum" or right.kind == "enum":
        _same_words(node.left, left, node.right, right, scope)
    elif left.kind != right.kind or left.kind == "list":
        raise scope.error(f"cannot compare {left.kind} {node.op} {right.kind}", node.at)
    return BOOL


def _same_words(a: Node, left: Type, b: Node, right: Type, scope: Scope) -> None:
    """One side is an enum: the other is one of its words, written out, or the same enum."""
    if left.kind != "enum":
        a, left, b, right = b, right, a, left
    if right.kind == "enum" and right.values == left.values:
        return
    if not isinstance(b, Constant) or not isinstance(b.value, str):
        raise scope.error(f"cannot compare enum with {right.kind}", b.at)
    _word(b.value, left, b.at, scope)


def _word(word: str, wanted: Type, at: int, scope: Scope) -> None:
    if word not in wanted.values:
        hint = did_you_mean(word, wanted.values) or f"{wanted.path} is {wanted}"
        raise scope.error(f"{wanted.path} is never {word!r}", at, hint)


def _member(node: Member, scope: Scope) -> Type:
    left, right = _type(node.left, scope), _type(node.right, scope)
    if right.kind != "list":
        raise scope.error(f"'in' needs a list on the right, not {right.kind}", node.right.at)
    if left.kind == "enum" and isinstance(node.right, Constant) and isinstance(node.right.value, tuple):
        for word in node.right.value:
            _word(word, left, node.right.at, scope)
    elif left.kind != "str":
        raise scope.error(f"{left.kind} is never in a list of str", node.left.at)
    return BOOL


def _call(node: Call, scope: Scope) -> Type:
    found = _path(node.path, scope)
    if node.function == "size":
        if found.kind not in ("list", "str"):
            raise scope.error(f"size() needs a list or str, not {found.kind}", node.path.at)
        return NUM
    if not found.optional:
        hint = f"use {node.path.name} directly: a missing fact already fails the rule"
        raise scope.error(f"has() is for optional facts; {node.path.name} is not", node.at, hint)
    if not scope.has_allowed:
        hint = "state the requirement positively: has(x) && …"
        raise scope.error("has() is not allowed in 'applies', under '!' or in a comparison", node.at, hint)
    return BOOL


def _quantifier(node: Quantifier, scope: Scope) -> Type:
    items = _path(node.items, scope)
    if items.kind != "list":
        raise scope.error(f"{node.op}() needs a list, not {items.kind}", node.items.at)
    if any(name.split(".")[0] == node.variable for name in scope.names):
        raise scope.error(f"the variable {node.variable!r} hides a fact of that name", node.at)
    inner = Scope(
        source=scope.source, names={**scope.names, node.variable: items.item}, has_allowed=scope.has_allowed
    )
    return _boolean(node.body, inner, f"{node.op}()")
