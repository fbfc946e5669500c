"""A checked tree as nested closures: the part of the language that runs in every decision.

Closures rather than generated code, so that nothing a pack says can become Python.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from guard.policy.fact import ERROR, UNKNOWN, Gap
from guard.policy.tree import Call, Compare, Constant, Logic, Member, Node, Not, Param, Path, Quantifier

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET: Final = 10_000
"""Quantifier steps one rule may take; everything else is bounded by the length of its text."""

Environment: TypeAlias = list[Any]
"""Slot 0: steps left. Then one slot a name: a value or a Gap."""
Run: TypeAlias = "Callable[[Environment], Any]"


class OverBudget(Exception):  # noqa: N818 - a signal inside this package, not an error of anybody's
    """The rule took more than BUDGET steps; it is then not satisfied."""


def compile_tree(node: Node, slots: dict[str, int]) -> Run:
    """The function for ``node``; ``slots`` says where in the environment each name lies."""
    match node:
        case Constant():
            return _constant(node.value)
        case Path():
            return operator.itemgetter(slots[node.name])
        case Not():
            return _negation(compile_tree(node.body, slots))
        case Logic():
            make = _conjunction if node.op == "&&" else _disjunction
            return make(compile_tree(node.left, slots), compile_tree(node.right, slots))
        case Compare():
            return _relation(_RELATIONS[node.op], node.left, node.right, slots)
        case Member():
            return _relation(_is_in, node.left, node.right, slots)
        case Call():
            slot = slots[node.path.name]
            return _known(slot) if node.function == "has" else _size(slot)
        case Quantifier():
            return _quantifier(node, slots)


def _constant(value: Param) -> Run:
    return lambda _: value


def _known(slot: int) -> Run:
    return lambda env: env[slot].__class__ is not Gap


def _size(slot: int) -> Run:
    def run(env: Environment) -> Any:
        value = env[slot]
        return value if value.__class__ is Gap else len(value)

    return run


def _negation(body: Run) -> Run:
    def run(env: Environment) -> Any:
        value = body(env)
        return value if value.__class__ is Gap else not value

    return run


def _conjunction(left: Run, right: Run) -> Run:
    def run(env: Environment) -> Any:
        a = left(env)
        if a is False:
            return False
        b = right(env)
        return b if a is True or b is False else _graver(a, b)

    return run


def _disjunction(left: Run, right: Run) -> Run:
    def run(env: Environment) -> Any:
        a = left(env)
        if a is True:
            return True
        b = right(env)
        return b if a is False or b is True else _graver(a, b)

    return run


def _graver(a: Any, b: Any) -> Any:
    """``a`` is a Gap; ``b`` a Gap or the value that does not decide."""
    return ERROR if a is ERROR or b is ERROR else UNKNOWN


def _is_in(value: Any, items: Any) -> bool:
    return value in items


_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _relation(holds: Callable[[Any, Any], Any], left: Node, right: Node, slots: dict[str, int]) -> Run:
    if isinstance(left, Path) and isinstance(right, Constant):
        return _fact_to_constant(holds, slots[left.name], right.value)
    first, second = compile_tree(left, slots), compile_tree(right, slots)

    def run(env: Environment) -> Any:
        a, b = first(env), second(env)
        if a.__class__ is Gap or b.__class__ is Gap:
            return _graver(a, b)
        return holds(a, b)

    return run


def _fact_to_constant(holds: Callable[[Any, Any], Any], slot: int, constant: Param) -> Run:
    """The shape of nearly every comparison; half the calls of the general one."""

    def run(env: Environment) -> Any:
        value = env[slot]
        return value if value.__class__ is Gap else holds(value, constant)

    return run


def _quantifier(node: Quantifier, slots: dict[str, int]) -> Run:
    # A variable lives in a slot of its own, after the facts and after any outer variable.
    variable = max(slots.values(), default=0) + 1
    items = slots[node.items.name]
    body = compile_tree(node.body, {**slots, node.variable: variable})
    decides = node.op == "exists"

    def run(env: Environment) -> Any:
        values = env[items]
        if values.__class__ is Gap:
            return values
        result: Any = not decides
        env[variable:] = [None]
        for value in values:
            env[0] -= 1
            if env[0] < 0:
                raise OverBudget
            env[variable] = value
            answer = body(env)
            if answer is decides:
                return decides
            if answer.__class__ is Gap:
                result = _graver(answer, result)
        return result

    return run
