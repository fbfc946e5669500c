"""The packs decide what their fixtures say, and each of their rules is seen to pass and to fail."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from guard.policy.fixtures import Case, facts_from, load_cases
from guard.policy.pack import find_pack, policies
from guard.policy.rule import Stage

FILES = sorted((policies() / "tests").glob("*.yaml"))
CASES = [case for path in FILES for case in load_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.packs[0]}-{case.name}".replace(" ", "_"))
def test_decides_as_written(case: Case) -> None:
    decision = case.run()
    assert case.mismatches(decision) == [], f"{case.where}: {[(r.rule, r.status) for r in decision.reasons]}"


def test_every_rule_is_seen_satisfied_and_not() -> None:
    """A rule that no fixture can make fail may as well not be there."""
    seen: dict[str, set[str]] = defaultdict(set)
    for case in CASES:
        for result in case.run().rules:
            seen[result.rule].add(result.status.value)
    always = {"base.plan-manifest", "default.plan-mark", "default.plan-only-mark", "default.plan-statement"}
    for name in ("base", "default"):
        for rule in find_pack(name).rules:
            if rule.id in always:  # they only carry obligations
                continue
            assert "pass" in seen[rule.id], rule.id
            assert seen[rule.id] & {"fail", "unknown", "error"}, rule.id


@pytest.mark.parametrize(
    ("command", "owed"),
    [
        ("generate", ("if_capable", True, True, True, 256)),
        ("release", ("if_capable", True, True, True, 256)),
        ("sign", ("off", True, True, True, 0)),
        ("watermark", ("required", False, False, True, 256)),
    ],
)
def test_plan_owes_what_the_flow_is_for(command: str, owed: tuple[object, ...]) -> None:
    case = next(case for case in CASES if case.packs == ("default",) and case.stage is Stage.PLAN)
    given = dict(case.given) | {"request.command": command}
    plan = replace(case, given=given).run().obligations
    assert (plan.watermark, plan.c2pa, plan.xmp, plan.log, plan.min_side) == owed


def test_unknown_names_and_wrong_values_are_refused() -> None:
    with pytest.raises(KeyError):
        facts_from({"risk.sexuel": "absent"})
    with pytest.raises(ValueError, match="one of absent, possible, present"):
        facts_from({"risk.sexual": "none"})
    with pytest.raises(TypeError, match=r"log\.recorded is bool, not str"):
        facts_from({"log.recorded": "true"})
