"""Lint: what loads and type-checks, and still cannot be what was meant.

Loading already refuses unknown names, wrong types and malformed rules. These findings need a look at
the whole pack: rules that can never matter, or never be satisfied, and things nobody uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.policy.expr import evaluate
from guard.policy.facts import schema
from guard.policy.obligations import Plan
from guard.policy.rule import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from guard.policy.rule import Pack, Rule

_BEFORE_MEDIA = frozenset({"request", "prompt", "model", "risk"})
KNOWN_AT = {
    Stage.PROMPT: _BEFORE_MEDIA | {"training"},
    Stage.PLAN: _BEFORE_MEDIA | {"media"},
    Stage.PIXELS: _BEFORE_MEDIA | {"media", "environment"},
    Stage.PUBLISH: (frozenset(name.split(".")[0] for name in schema()) - {"training"}) | {"decision"},
    Stage.VERIFY: frozenset(
        {"media", "risk", "marks", "subject", "log", "environment", "request", "decision"}
    ),
}
"""Groups of facts that the flows can know at a stage; others are unknown there, whatever happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to look at.

    Attributes:
        rule: id of the rule, or empty for the pack as a whole.
        what: one sentence.
        where: file, line and column.
    """

    rule: str
    what: str
    where: str


def lint(pack: Pack, *, today: date) -> tuple[Finding, ...]:
    """Findings in ``pack``, in the order of the file; ``today`` tells expired rules."""
    found = [
        Finding(rule=rule.id, what=what, where=rule.where)
        for rule in pack.rules
        for what in _rule(rule, today)
    ]
    cited = {rule.source.id for rule in pack.rules if rule.source}
    unused = [origin.id for origin in pack.sources if origin.id not in cited]
    found += [
        Finding(rule="", what=f"no rule rests on the source {name!r}", where=pack.where) for name in unused
    ]
    return tuple(found)


def _rule(rule: Rule, today: date) -> Iterator[str]:
    if rule.applies and not rule.applies.reads and evaluate(rule.applies, {}) is False:
        yield "it never applies"
    if not rule.require.reads:
        always = evaluate(rule.require, {}) is True
        if always and rule.obligations == Plan():
            yield "it is always satisfied and obliges to nothing"
        if not always:
            yield "it can never be satisfied"
    for stage in rule.stages:
        if rule.applies and _unknown_at(stage, rule.applies.reads) == rule.applies.reads != ():
            yield f"at stage {stage} nothing that decides whether it applies is known yet"
        if missing := _unknown_at(stage, rule.require.reads):
            yield f"at stage {stage} these facts are not known yet: {', '.join(missing)}"
    if rule.effective_until and rule.effective_until < today:
        yield f"it has not been in effect since {rule.effective_until.isoformat()}"
    if rule.effective_from and rule.effective_until and rule.effective_until < rule.effective_from:
        yield "it ends before it begins"
    if len(set(rule.stages)) < len(rule.stages):
        yield "it names a stage twice"


def _unknown_at(stage: Stage, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name.split(".")[0] not in KNOWN_AT[stage])
