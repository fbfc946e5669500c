"""``decide``: facts in, decision out. No clock, no disk, no randomness; the same inputs give the same bytes.

How a rule comes out:

    applies     require     the rule is
    false       –           not applicable
    true, gap   true        satisfied
    true, gap   otherwise   not satisfied → its effect: warn, review or deny

Deny wins over review, review over warn, warn over silence, across all packs. A stage for which a
pack has no rule is denied unless that pack says otherwise; so is a stage where no rule is known to
apply. Removing a fact therefore never turns a denial into permission.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from guard.policy.decision import Decision, PackRef, RuleResult, RuleStatus, Warned, seal_of
from guard.policy.expr import BUDGET, OverBudget
from guard.policy.fact import ERROR, TOKEN, Fact, Gap
from guard.policy.facts import Facts
from guard.policy.obligations import Plan, strictest
from guard.policy.pack import BASE, base_pack
from guard.policy.rule import Action, Effect, Pack, Rule, Stage
from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guard.policy.expr import Run

NO_RULE = "policy.no-rule"
SUBJECT = "decision.subject"
_ALWAYS = ("subject.content_id", "subject.sha256")
"""Facts that every decision records."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_OUTCOMES = 1024
"""Ways to come out that are kept for one program; a fixed set of packs has a handful in practice."""

_STATUSES = tuple(RuleStatus)
_PASS, _FAIL, _UNKNOWN, _ERROR, _OVER, _NOT_APPLICABLE, _NOT_IN_EFFECT = range(len(_STATUSES))
_SILENT = {_PASS, _NOT_APPLICABLE, _NOT_IN_EFFECT}


def decide(
    packs: Sequence[Pack], stage: Stage | str, facts: Facts, *, now: datetime, subject: str
) -> Decision:
    """What ``packs`` and the base pack say about ``subject`` at ``stage``.

    Args:
        packs: the packs chosen; the base pack is always added and need not be named.
        stage: one of ``Stage``.
        facts: what is known; the rest counts as unknown.
        now: an aware datetime; dated rules compare its UTC day.
        subject: SHA-256 (lower-case hex) of the bytes at publish and verify; before, one token that
            names the record without revealing the prompt.

    Raises:
        ConfigurationError: ``policy.duplicate-rule``, ``policy.base-replaced``.
        ValueError: ``now`` without time zone, or a subject of another form: errors of the calling code.
    """
    stage = stage if type(stage) is Stage else Stage(stage)
    if type(facts) is not Facts or now.tzinfo is None:
        raise ValueError("decide needs Facts, and a time with a time zone")
    has_bytes = stage is Stage.PUBLISH or stage is Stage.VERIFY
    if not subject or not (_SHA256 if has_bytes else TOKEN).fullmatch(subject):
        raise ValueError(f"a subject at stage {stage} is {'a SHA-256' if has_bytes else 'one word'}")
    return _program(tuple(packs), stage).run(facts, now, subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Everything about a decision that follows from how its rules came out."""

    action: Action
    rules: tuple[RuleResult, ...]
    obligations: Plan
    warnings: tuple[Warned, ...]


class _Program:
    """Packs compiled for one stage: one pass over the facts, one over the rules, one look-up."""

    def __init__(self, packs: tuple[Pack, ...], stage: Stage, complete: tuple[Pack, ...]) -> None:
        self.stage = stage
        self.silent = [pack.defaults.get(stage, Action.DENY) for pack in complete[1:] if not pack.at(stage)]
        if not packs:
            self.silent.append(Action.DENY)
        rules = [(pack, rule) for pack in complete for rule in pack.at(stage)]
        mentioned = {name for _, rule in rules for name in rule.reads} - {SUBJECT}
        self.names = tuple(sorted(mentioned.union(_ALWAYS)))
        self.read: Callable[[Facts], tuple[Fact[Any], ...]] = operator.attrgetter(*self.names)
        slots = {SUBJECT: 1, **{name: index for index, name in enumerate(self.names, 2)}}
        self.rules = tuple(rule for _, rule in rules)
        self.compiled = tuple(_compile(rule, slots) for rule in self.rules)
        self.results = tuple(_results(pack, rule) for pack, rule in rules)
        self.packs = tuple(PackRef(name=p.name, version=p.version, digest=p.digest) for p in complete)
        self.outcomes: dict[tuple[bytes, bool], _Outcome] = {}

    def run(self, facts: Facts, now: datetime, subject: str) -> Decision:
        read = self.read(facts)
        outcome = self.outcome(*self.evaluate([BUDGET, subject, *[fact.operand for fact in read]], now))
        decision = Decision(
            action=outcome.action,
            stage=self.stage,
            subject=subject,
            now=now,
            packs=self.packs,
            rules=outcome.rules,
            obligations=outcome.obligations,
            warnings=outcome.warnings,
            fact_names=self.names,
            fact_values=read,
        )
        object.__setattr__(decision, "seal", seal_of(decision))
        return decision

    def evaluate(self, environment: list[Any], now: datetime) -> tuple[bytes, bool]:
        """How each rule came out, and whether any of them is known to apply."""
        certain = False
        codes = bytearray()
        for dated, applies, require in self.compiled:
            if dated is not None and not dated.in_effect(now.astimezone(UTC).date()):
                codes.append(_NOT_IN_EFFECT)
                continue
            environment[0] = BUDGET
            try:
                asked = True if applies is None else applies(environment)
                if asked is False:
                    codes.append(_NOT_APPLICABLE)
                    continue
                certain = certain or asked is True
                answer = require(environment)
            except OverBudget:
                answer = OverBudget
            codes.append(_PASS if answer is True else _code(answer))
        return bytes(codes), certain

    def outcome(self, codes: bytes, certain: bool) -> _Outcome:  # noqa: FBT001 - private, two callers
        found = self.outcomes.get((codes, certain))
        if found is None:
            if len(self.outcomes) >= _MAX_OUTCOMES:
                self.outcomes.clear()
            found = self.outcomes[codes, certain] = _combine(self, codes, certain=certain)
        return found


@lru_cache(maxsize=64)
def _program(packs: tuple[Pack, ...], stage: Stage) -> _Program:
    base = base_pack()
    # Naming a pack twice, or the base pack, changes nothing.
    others = tuple({pack.digest: pack for pack in packs if pack.digest != base.digest}.values())
    if any(pack.name == BASE for pack in others):
        raise ConfigurationError(
            "policy.base-replaced",
            "another pack calls itself base",
            hint="rename it; the base pack is always on",
        )
    seen: dict[str, str] = {}
    for pack in (base, *others):
        for rule in pack.rules:
            if rule.id in seen:
                where = f"{seen[rule.id]} and {rule.where}"
                raise ConfigurationError(
                    "policy.duplicate-rule", f"two rules are called {rule.id}", where=where
                )
            seen[rule.id] = rule.where
    return _Program(packs, stage, (base, *others))


def _compile(rule: Rule, slots: dict[str, int]) -> tuple[Rule | None, Run | None, Run]:
    """The rule if it has dates, its applicability if it has one, its requirement."""
    dated = rule.effective_from is not None or rule.effective_until is not None
    applies = rule.applies.compile(slots) if rule.applies else None
    return rule if dated else None, applies, rule.require.compile(slots)


def _results(pack: Pack, rule: Rule) -> tuple[RuleResult, ...]:
    """The result for each way the rule can come out, in the order of RuleStatus."""
    return tuple(
        RuleResult(
            rule=rule.id,
            pack=pack.name,
            status=status,
            effect=None if code in _SILENT else rule.on_fail,
            message="" if code in _SILENT else rule.message(),
            facts=rule.reads,
            source=rule.source.id if rule.source else None,
        )
        for code, status in enumerate(_STATUSES)
    )


def _code(answer: Any) -> int:
    if answer is OverBudget:
        return _OVER
    if answer.__class__ is Gap:
        return _ERROR if answer is ERROR else _UNKNOWN
    return _FAIL


def _combine(program: _Program, codes: bytes, *, certain: bool) -> _Outcome:
    """The lattice: the strictest effect of any rule, or of a pack that is silent at this stage."""
    results = [ways[code] for ways, code in zip(program.results, codes, strict=True)]
    if not certain or Action.DENY in program.silent:
        results.append(_no_rule(Effect.DENY, program.stage))
    elif Action.REVIEW in program.silent:
        results.append(_no_rule(Effect.REVIEW, program.stage))
    effects = {result.effect for result in results}
    action = (
        Action.DENY if Effect.DENY in effects else Action.REVIEW if Effect.REVIEW in effects else Action.ALLOW
    )
    silent = (_NOT_APPLICABLE, _NOT_IN_EFFECT)
    bound = [rule.obligations for rule, code in zip(program.rules, codes, strict=True) if code not in silent]
    warned = tuple(Warned(rule=r.rule, message=r.message) for r in results if r.effect is Effect.WARN)
    return _Outcome(action=action, rules=tuple(results), obligations=strictest(*bound), warnings=warned)


def _no_rule(effect: Effect, stage: Stage) -> RuleResult:
    message = f"no chosen pack has a rule that is known to apply at stage {stage}"
    return RuleResult(
        rule=NO_RULE, pack="", status=RuleStatus.FAIL, effect=effect, message=message, facts=(), source=None
    )
