"""Expressions of the policy language: parse → check → evaluate.

Three-valued: a fact without a value absorbs, as errors do in CEL, except where the other side of
``&&`` or ``||`` already decides. A rule reads the result in one way only: exactly ``true``, or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guard.policy.check import Scope, check
from guard.policy.compiled import BUDGET, OverBudget, Run, compile_tree
from guard.policy.fact import ERROR, UNKNOWN, Gap
from guard.policy.source import PackError, Source
from guard.policy.syntax import parse
from guard.policy.tree import Call, Compare, Constant, Logic, Member, Node, Not, Param, Path, Quantifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guard.policy.types import Type

__all__ = [
    "BUDGET", "ERROR", "UNKNOWN", "Expression", "Gap", "OverBudget", "PackError", "Run", "Source", "evaluate",
    "expression",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expression:
    """A checked expression.

    Attributes:
        text: as written, for people.
        tree: its syntax tree, parameters filled in.
        reads: dotted names of the facts it mentions, sorted.
    """

    text: str
    tree: Node
    reads: tuple[str, ...]

    def compile(self, slots: Mapping[str, int]) -> Run:
        """A function of an ``Environment``; ``slots`` says where each fact of ``reads`` lies in it."""
        return compile_tree(self.tree, dict(slots))


def expression(
    source: Source,
    names: Mapping[str, Type],
    *,
    params: Mapping[str, Param] | None = None,
    has_allowed: bool = True,
    span: tuple[int, int] | None = None,
) -> Expression:
    """Parse and check ``source.text`` (or the part of it that ``span`` gives).

    Raises:
        PackError: ``policy.syntax``, ``policy.unknown-name`` or ``policy.type``, with its position.
    """
    start, end = span or (0, len(source.text))
    tree = parse(source, params or {}, start, end)
    check(tree, Scope(source=source, names=names, has_allowed=has_allowed))
    text = " ".join(source.text[start:end].split())
    return Expression(text=text, tree=tree, reads=tuple(sorted(_reads(tree) & names.keys())))


def evaluate(wanted: Expression, values: Mapping[str, Any], *, budget: int = BUDGET) -> Any:
    """True, False or a Gap, for the values of the facts that ``wanted.reads`` names.

    A name that ``values`` lacks is UNKNOWN. Decisions compile once instead; this is for tools and tests.

    Raises:
        OverBudget: a quantifier took more than ``budget`` steps.
    """
    slots = {name: index for index, name in enumerate(wanted.reads, 1)}
    environment = [budget, *(values.get(name, UNKNOWN) for name in wanted.reads)]
    return wanted.compile(slots)(environment)


def _reads(node: Node) -> set[str]:
    match node:
        case Constant():
            return set()
        case Path():
            return {node.name}
        case Not():
            return _reads(node.body)
        case Call():
            return {node.path.name}
        case Quantifier():
            return {node.items.name} | _reads(node.body)
        case Logic() | Compare() | Member():
            return _reads(node.left) | _reads(node.right)
