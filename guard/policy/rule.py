"""``Rule`` and ``Pack``: a reviewed requirement, and a reviewed set of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from guard.policy.expr import Expression
    from guard.policy.obligations import Plan
    from guard.policy.tree import Param


class Stage(StrEnum):
    """When a decision is asked for."""

    PROMPT = "prompt"
    """The words, before a model is loaded."""
    PLAN = "plan"
    """What is to be made or released, and with what; yields the obligations."""
    PIXELS = "pixels"
    """The pixels, before they are marked."""
    PUBLISH = "publish"
    """The final bytes, read back."""
    VERIFY = "verify"
    """Media that came from elsewhere."""


class Action(StrEnum):
    """What a decision says, in rising strictness."""

    ALLOW = "allow"
    REVIEW = "review"
    DENY = "deny"


class Effect(StrEnum):
    """What follows when a rule is not satisfied, in rising strictness."""

    WARN = "warn"
    REVIEW = "review"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A law, standard or house document that rules come from.

    Attributes:
        id: short name that rules refer to.
        title: what it is called.
        confidence: how sure the reading is: high, medium or low.
        via: where it was read, if not in the original.
    """

    id: str
    title: str
    confidence: str
    via: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """A positive requirement: satisfied when ``require`` is exactly true, and by nothing else.

    Attributes:
        id: dotted name, unique over all packs used together.
        pack: name of the pack that holds it.
        stages: where it is asked.
        require: the requirement.
        applies: when it is asked at all; None: always. An applicability that cannot be evaluated applies.
        on_fail: what follows when it is not satisfied.
        hard: cannot be dated, waived or overridden.
        obligations: what it adds to the plan wherever it applies.
        effective_from, effective_until: first and last day (UTC) it counts; None: no bound.
        source: the document it comes from.
        messages: (language, sentence) for people; English first.
        where: file, line and column.
    """

    id: str
    pack: str
    stages: tuple[Stage, ...]
    require: Expression
    applies: Expression | None
    on_fail: Effect
    hard: bool
    obligations: Plan
    effective_from: date | None
    effective_until: date | None
    source: Origin | None
    messages: tuple[tuple[str, str], ...]
    where: str

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the facts it mentions, sorted."""
        more = self.applies.reads if self.applies else ()
        return tuple(sorted({*self.require.reads, *more}))

    def message(self, language: str = "en") -> str:
        """The sentence in ``language``, else in English."""
        return dict(self.messages).get(language, self.messages[0][1])

    def explanation(self, language: str = "en") -> str:
        """The rule for people, in paragraphs: sentence, wording, where it comes from."""
        nature = "a hard rule" if self.hard else "a rule"
        stages = ", ".join(self.stages)
        wording = [f"It requires: {self.require.text}"]
        if self.applies:
            wording.insert(0, f"It applies when: {self.applies.text}")
        parts = [
            f"{self.message(language)}.",
            f"This is {nature} of the pack {self.pack!r}, asked at: {stages}."
            + (" It cannot be dated, waived or overridden." if self.hard else ""),
            f"If it is not satisfied, and a missing fact does not satisfy it, it leads to: {self.on_fail}.",
            *wording,
        ]
        if self.source:
            parts.append(
                f"Source: {self.source.title} (confidence of the reading: {self.source.confidence})."
            )
        return "\n\n".join([*parts, f"Written at {self.where}."])

    def in_effect(self, day: date) -> bool:
        """Whether it counts on ``day`` (UTC)."""
        started = self.effective_from is None or self.effective_from <= day
        return started and (self.effective_until is None or day <= self.effective_until)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pack:
    """A named, versioned set of rules.

    Attributes:
        digest: SHA-256 over the canonical JSON of the document; comments do not count.
        sources: what its rules rest on.
        defaults: action at stages for which it has no rule; a stage that is not named is denied.
        params: named constants of its expressions.
        where: the file it was read from.
    """

    name: str
    version: str
    digest: str
    where: str
    rules: tuple[Rule, ...]
    sources: tuple[Origin, ...] = ()
    defaults: Mapping[Stage, Action] = field(default_factory=dict)
    params: Mapping[str, Param] = field(default_factory=dict)

    def at(self, stage: Stage) -> tuple[Rule, ...]:
        """The rules asked at ``stage``, in the order of the file."""
        return tuple(rule for rule in self.rules if stage in rule.stages)

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, if the pack has it."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)
