"""Promise 6, as far as the policy goes: hard rules hold in every mode, undated, without waiver.

No test here holds an explicit prompt: risks are given as facts, and words come from an invented list.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from guard.policy.decide import decide
from guard.policy.facts import Command, Facts, Request, known
from guard.policy.fixtures import NOW, SUBJECT, facts_from, load_cases
from guard.policy.pack import HARD_RULES, base_pack, find_pack, load_pack, pack_names, policies
from guard.policy.rule import Action, Effect, Stage
from guard.policy.source import PackError
from guard.prompt.review import review
from guard.prompt.safety import prompt_facts, risk_facts

if TYPE_CHECKING:
    from pathlib import Path

MAKING = (Stage.PROMPT, Stage.PLAN, Stage.PIXELS, Stage.PUBLISH)
COMPLETE = dict(
    next(c for c in load_cases(policies() / "tests" / "default.yaml") if c.stage == "publish").given
)
LEVELS = ("absent", "possible", "present")

PERMISSIVE = """
apiVersion: guard.policy/v1
kind: PolicyPack
metadata: {name: permissive, version: 1}
spec:
  default: {prompt: allow, plan: allow, pixels: allow, publish: allow, verify: allow}
  rules:
    - id: permissive.all
      stage: [prompt, plan, pixels, publish]
      require: "true"
      on_fail: warn
      message: {en: fine}
"""


@pytest.fixture(scope="module")
def permissive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packs") / "permissive.yaml"
    path.write_text(PERMISSIVE, encoding="utf-8")
    return path


def action(packs: list[str], stage: Stage, now: datetime = NOW, **facts: object) -> Action:
    given = COMPLETE | {name.replace("__", "."): value for name, value in facts.items()}
    chosen = [find_pack(pack) for pack in packs]
    return decide(chosen, stage, facts_from(given), now=now, subject=SUBJECT).action


@pytest.mark.parametrize("stage", MAKING)
@pytest.mark.parametrize(("sexual", "minor"), list(itertools.product(LEVELS, LEVELS)))
def test_sexual_content_with_minors(permissive: Path, stage: Stage, sexual: str, minor: str) -> None:
    """Denied under every pack and none, at every stage, at either level; and only then."""
    banned = sexual != "absent" and minor != "absent"
    for packs in ([str(permissive)], ["base"], ["default"], ["default", str(permissive)]):
        said = action(packs, stage, risk__sexual=sexual, risk__minor=minor)
        assert (said is Action.DENY) is banned, packs


@pytest.mark.parametrize("stage", MAKING)
@pytest.mark.parametrize(("sexual", "person"), list(itertools.product(LEVELS, LEVELS)))
def test_intimate_imagery_of_real_people(permissive: Path, stage: Stage, sexual: str, person: str) -> None:
    """Denied when one side is certain and the other indicated; a person looks when both are only possible."""
    said = action([str(permissive)], stage, risk__sexual=sexual, risk__identifiable_person=person)
    if "absent" in (sexual, person):
        assert said is Action.ALLOW
    else:
        assert said is (Action.REVIEW if (sexual, person) == ("possible", "possible") else Action.DENY)


@pytest.mark.parametrize("stage", MAKING)
def test_hard_rules_have_no_date(permissive: Path, stage: Stage) -> None:
    for year in (1970, 2000, 2026, 2100, 9999):
        now = datetime(year, 1, 1, tzinfo=UTC)
        assert (
            action([str(permissive)], stage, now, risk__sexual="possible", risk__minor="possible")
            is Action.DENY
        )


def test_every_hard_rule_is_denying_undated_and_where_it_must_be() -> None:
    for rule_id, stages in HARD_RULES.items():
        rule = base_pack().rule(rule_id)
        assert rule is not None
        assert (rule.hard, rule.on_fail) == (True, Effect.DENY)
        assert (rule.effective_from, rule.effective_until) == (None, None)
        assert {*stages} <= {*rule.stages}


@pytest.mark.parametrize(
    "way_out",
    [
        "effective: {from: 2027-01-01}",
        "effective: {until: 2026-01-01}",
        "waivable: {max_days: 30}",
        "mode: audit",
    ],
)
def test_a_pack_cannot_even_write_a_way_out(tmp_path: Path, way_out: str) -> None:
    path = tmp_path / "mine.yaml"
    rule = 'id: mine.x, stage: prompt, hard: true, require: "true", on_fail: deny, message: {en: x}'
    head = PERMISSIVE.split("  rules:")[0] + "  rules:\n"
    path.write_text(f"{head}    - {{{rule}}}\n", encoding="utf-8")
    assert load_pack(path).rules[0].hard
    path.write_text(f"{head}    - {{{rule}, {way_out}}}\n", encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_pack(path)
    assert caught.value.code == "policy.schema"


def test_all_shipped_packs_stand_under_the_base_pack() -> None:
    for name in pack_names():
        decision = decide([find_pack(name)], Stage.PROMPT, facts_from(COMPLETE), now=NOW, subject=SUBJECT)
        assert decision.packs[0].name == "base"
        assert {"base.no-sexualised-minors", "base.no-intimate-imagery"} <= {r.rule for r in decision.rules}


def test_words_that_nobody_reviewed_make_nothing(permissive: Path) -> None:
    for stage, reviewed in itertools.product(MAKING, (False, {"unknown": "x"}, {"error": "x"})):
        assert action([str(permissive)], stage, prompt__reviewed=reviewed) is Action.DENY
        assert action([str(permissive)], stage, risk__prompt_checked=reviewed) is Action.DENY


def test_unchecked_pixels_are_recorded_and_never_count_as_passed(permissive: Path) -> None:
    """Media made elsewhere, nobody looked: not applicable and a warning, in every mode, and not "pass"."""
    gap = {"unknown": "neither words nor pixels were looked at"}
    given = COMPLETE | {
        "request.command": "release", "risk.prompt_checked": False, "risk.sexual": gap, "risk.minor": gap,
        "risk.identifiable_person": gap,
    }  # fmt: skip
    for stage in (Stage.PIXELS, Stage.PUBLISH):
        decision = decide([load_pack(permissive)], stage, facts_from(given), now=NOW, subject=SUBJECT)
        statuses = {result.rule: result.status.value for result in decision.rules}
        assert statuses["base.no-sexualised-minors"] == "not_applicable"
        assert "base.pixels-looked-at" in {item.rule for item in decision.warnings}
        assert decision.action is Action.ALLOW


@pytest.mark.parametrize(
    "prompt", ["a portrait of a firefighter", "two children playing in a park", "裸眼3D 屏幕"]
)
def test_ordinary_prompts_pass_the_gate(prompt: str) -> None:
    risk = risk_facts(review(prompt))
    given = COMPLETE | {
        f"risk.{name}": getattr(risk, name) for name in ("sexual", "minor", "identifiable_person")
    }
    decision = decide([find_pack("default")], Stage.PROMPT, facts_from(given), now=NOW, subject=SUBJECT)
    assert decision.action is Action.ALLOW


def test_decisions_about_words_hold_none_of_them() -> None:
    """Promise 2 at the gate: the decision's JSON is the same whichever words of a class were used."""
    seen = set()
    for words in ("a portrait of a child", "a portrait of a toddler", "a portrait of a t o d d l e r"):
        done = review(words)
        facts = Facts(
            request=Request(command=known(Command.GENERATE)), prompt=prompt_facts(done), risk=risk_facts(done)
        )
        said = decide([find_pack("default")], Stage.PROMPT, facts, now=NOW, subject="record-1").canonical()
        assert b"portrait" not in said
        assert b"toddler" not in said
        seen.add(said)
    assert len(seen) == 1
