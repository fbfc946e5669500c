"""Fixtures: given facts → expected decision, written as data beside the packs (``policies/tests``).

    apiVersion: guard.policytest/v1
    kind: PolicyTest
    packs: [default]
    common: {request.command: release}          # facts of every case
    cases:
      - name: too small
        stage: publish
        given: {media.width: 64, risk.minor: {unknown: no inspector}}
        expect: {action: deny, rules: {default.large-enough: fail}, warnings: [base.pixels-looked-at]}

``rules`` and ``warnings`` are optional; a list of warnings is complete, rules are those of interest.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from guard.policy.decide import decide
from guard.policy.fact import Fact, failed, known, unknown
from guard.policy.facts import Facts, schema
from guard.policy.pack import find_pack
from guard.policy.rule import Stage
from guard.policy.source import Source
from guard.policy.yaml12 import Item, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from guard.policy.decision import Decision
    from guard.policy.rule import Pack

SUBJECT = "5d" * 32
"""The subject of every case; ``subject.sha256`` names it unless a case gives another."""
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a fixture file.

    Attributes:
        given: dotted name of a fact → value, or a mapping with ``unknown`` or ``error`` and a reason.
        action, rules, warnings: what is expected; None: not looked at.
        where: file, line and column.
    """

    name: str
    packs: tuple[str, ...]
    stage: Stage
    now: datetime
    given: Mapping[str, Any]
    action: str
    rules: Mapping[str, str]
    warnings: tuple[str, ...] | None
    where: str

    def run(self, packs: Sequence[Pack] | None = None) -> Decision:
        """The decision for this case; ``packs`` in place of those that the file names."""
        chosen = packs if packs is not None else [find_pack(name) for name in self.packs]
        return decide(chosen, self.stage, facts_from(self.given), now=self.now, subject=SUBJECT)

    def mismatches(self, decision: Decision) -> list[str]:
        """What differs from the expectation, a line each."""
        found = {result.rule: result.status.value for result in decision.rules}
        lines = (
            [] if decision.action == self.action else [f"action {decision.action}, expected {self.action}"]
        )
        for rule, status in self.rules.items():
            if found.get(rule) != status:
                lines.append(f"{rule} {found.get(rule, 'not asked')}, expected {status}")
        warned = tuple(sorted(item.rule for item in decision.warnings))
        if self.warnings is not None and warned != tuple(sorted(self.warnings)):
            lines.append(f"warnings {warned}, expected {self.warnings}")
        return lines


def load_cases(path: Path) -> tuple[Case, ...]:
    """The cases of a fixture file.

    Raises:
        PackError: the file is not a fixture file; says where.
    """
    document = load(Source(name=path.name, text=path.read_text(encoding="utf-8")))
    top = document.table("apiVersion", "kind", "packs", "common", "cases")
    if "kind" not in top or top["kind"].value != "PolicyTest" or "cases" not in top:
        raise document.error("expected a PolicyTest with cases")
    packs = tuple(item.text() for item in top["packs"].items()) if "packs" in top else ()
    common = top["common"].table() if "common" in top else {}
    return tuple(_case(item, packs, common) for item in top["cases"].items())


def facts_from(given: Mapping[str, Any]) -> Facts:
    """Facts of a flat mapping: dotted name → value, ``Fact``, or ``{unknown: …}`` / ``{error: …}``.

    Raises:
        KeyError: no fact has that name.
        TypeError, ValueError: the value does not fit it.
    """
    types = schema()
    tree: dict[str, Any] = {}
    for name, value in given.items():
        *groups, last = name.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        node[last] = value if isinstance(value, Fact) else _fact(types[name].parse, value)
    return _group(Facts, tree)  # type: ignore[no-any-return]  # the top group


def _fact(parse: Any, value: Any) -> Fact[Any]:
    if isinstance(value, dict):
        ((status, reason),) = value.items()
        return failed(str(reason)) if status == "error" else unknown(str(reason))
    return known(parse(value), producer="fixture")


def _group(make: Any, tree: Mapping[str, Any]) -> Any:
    inner = {entry.name: entry.default_factory for entry in fields(make)}
    return make(**{n: _group(inner[n], item) if isinstance(item, dict) else item for n, item in tree.items()})


def _case(item: Item, packs: tuple[str, ...], common: Mapping[str, Item]) -> Case:
    entries = item.table("name", "stage", "now", "given", "expect")
    expected = entries["expect"].table("action", "rules", "warnings")
    given = {**common, **(entries["given"].table() if "given" in entries else {})}
    facts = {"subject.sha256": SUBJECT} | {name: entry.plain() for name, entry in given.items()}
    return Case(
        name=entries["name"].text(),
        packs=packs,
        stage=entries["stage"].one_of(Stage, tuple(Stage)),
        now=datetime.fromisoformat(entries["now"].text()) if "now" in entries else NOW,
        given=facts,
        action=expected["action"].text(),
        rules={name: entry.text() for name, entry in expected["rules"].table().items()}
        if "rules" in expected
        else {},
        warnings=tuple(entry.text() for entry in expected["warnings"].items())
        if "warnings" in expected
        else None,
        where=item.source.label(item.at),
    )
