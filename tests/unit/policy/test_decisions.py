"""Decisions: what they say, what they keep to themselves, and that only genuine ones open the door."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from guard.errors import Denied
from guard.policy.decide import decide
from guard.policy.decision import Decision, RuleStatus, authorise, is_sealed
from guard.policy.fact import MAX_LIST, Fact, known, unknown
from guard.policy.facts import Facts, Media, Prompt, Request
from guard.policy.fixtures import NOW, SUBJECT, facts_from, load_cases
from guard.policy.obligations import MarkDuty, Plan, strictest
from guard.policy.pack import find_pack, policies
from guard.policy.rule import Action, Effect, Stage
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT = find_pack("default")
COMPLETE = dict(
    next(c for c in load_cases(policies() / "tests" / "default.yaml") if c.stage == "publish").given
)
OTHER = "0a" * 32


def decided(**changes: object) -> Decision:
    facts = facts_from(COMPLETE | {name.replace("__", "."): value for name, value in changes.items()})
    return decide([DEFAULT], Stage.PUBLISH, facts, now=NOW, subject=SUBJECT)


def test_an_allow_opens_the_door_for_its_bytes_only() -> None:
    decision = decided()
    assert decision.allowed
    authorise(decision, stage=Stage.PUBLISH, subject=SUBJECT)
    for stage, subject in ((Stage.PUBLISH, OTHER), (Stage.VERIFY, SUBJECT)):
        with pytest.raises(IntegrityError) as caught:
            authorise(decision, stage=stage, subject=subject)
        assert caught.value.code == "policy.other-subject"


@pytest.mark.parametrize(
    ("changes", "action", "code"),
    [
        ({"log__recorded": False}, Action.DENY, "policy.denied"),
        ({"risk__sexual": "present"}, Action.REVIEW, "policy.review"),
    ],
)
def test_a_refusal_is_raised_with_its_reason(changes: dict[str, object], action: Action, code: str) -> None:
    decision = decided(**changes)
    assert decision.action is action
    with pytest.raises(Denied) as caught:
        authorise(decision, stage=Stage.PUBLISH, subject=SUBJECT)
    assert (caught.value.code, caught.value.exit_code) == (code, 1)
    assert caught.value.decision is decision
    assert decision.reasons[0].message in caught.value.what
    assert caught.value.hint == f"guard explain {decision.reasons[0].rule}"


DENIED = decided(log__recorded=False)
FORGERIES: dict[str, Callable[[], object]] = {
    "replaced action": lambda: replace(DENIED, action=Action.ALLOW),
    "replaced subject": lambda: replace(decided(), subject=OTHER),
    "replaced stage": lambda: replace(decided(), stage=Stage.PIXELS),
    "replaced time": lambda: replace(decided(), now=NOW + timedelta(seconds=1)),
    "other packs": lambda: replace(decided(), packs=decided().packs[:1]),
    "no warnings": lambda: replace(decided(), warnings=()),
    "no obligations": lambda: replace(
        decide([DEFAULT], Stage.PLAN, facts_from(COMPLETE), now=NOW, subject=SUBJECT), obligations=Plan()
    ),
    "fewer rules": lambda: replace(decided(), rules=()),
    "a rule made to pass": lambda: replace(
        DENIED, rules=tuple(replace(r, status=RuleStatus.PASS, effect=None) for r in DENIED.rules)
    ),
    "other facts": lambda: replace(decided(), fact_values=(known(True), *decided().fact_values[1:])),
    "other fact names": lambda: replace(decided(), fact_names=tuple(reversed(decided().fact_names))),
    "no seal": lambda: replace(decided(), seal=b""),
    "borrowed seal": lambda: replace(DENIED, seal=decided().seal),
    "borrowed seal and action": lambda: replace(DENIED, seal=decided().seal, action=Action.ALLOW),
    "a boolean": lambda: True,
    "nothing": lambda: None,
    "a look-alike": lambda: SimpleNamespace(action=Action.ALLOW, allowed=True, seal=b""),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_decisions_are_refused(forgery: str) -> None:
    made = FORGERIES[forgery]()
    assert not is_sealed(made)
    with pytest.raises(IntegrityError) as caught:
        authorise(made, stage=Stage.PUBLISH, subject=SUBJECT)  # type: ignore[arg-type]  # that is the point
    assert caught.value.code == "policy.unsealed"


def test_copies_are_genuine_in_this_process_and_nowhere_else() -> None:
    decision = decided()
    assert is_sealed(copy.deepcopy(decision))
    packed = pickle.dumps(decision)
    assert is_sealed(pickle.loads(packed))
    script = (
        "import pickle, sys; from guard.policy.decision import is_sealed;"
        "print(is_sealed(pickle.loads(sys.stdin.buffer.read())))"
    )
    out = subprocess.run([sys.executable, "-c", script], input=packed, capture_output=True, check=True)
    assert out.stdout.split() == [b"False"]


def test_json_says_everything_and_round_trips() -> None:
    decision = decided(environment__dev_identity=True)
    said = json.loads(decision.canonical())
    assert (said["action"], said["stage"], said["subject"], said["now"]) == (
        "allow", "publish", SUBJECT, "2026-11-22T00:00:00Z",
    )  # fmt: skip
    assert [pack["name"] for pack in said["packs"]] == ["base", "default"]
    assert {rule["id"]: rule["status"] for rule in said["rules"]}["default.marked"] == "pass"
    assert said["facts"]["marks.watermark.psnr"] == {"status": "ok", "value": 42.3, "producer": "fixture"}
    assert {item["rule"] for item in said["warnings"]} == {
        "base.pixels-looked-at",
        "default.development-identity",
    }
    assert "seal" not in said
    assert decision.digest == decided(environment__dev_identity=True).digest


def test_the_same_moment_in_another_zone_is_the_same_decision() -> None:
    zone = timezone(timedelta(hours=9))
    decisions = [
        decide([DEFAULT], Stage.PUBLISH, facts_from(COMPLETE), now=now, subject=SUBJECT)
        for now in (NOW, NOW.astimezone(zone))
    ]
    assert decisions[0].canonical() == decisions[1].canonical()


def test_bytes_do_not_depend_on_the_process() -> None:
    """Hash seeds and import order leave no trace."""
    script = (
        f"import sys; sys.path[:0] = {sys.path!r};"
        "from guard.policy.fixtures import load_cases; from guard.policy.pack import policies;"
        "print([case.run().digest for case in load_cases(policies() / 'tests' / 'default.yaml')[:4]])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_calling_it_wrongly_is_an_error_of_the_code() -> None:
    facts = Facts()
    with pytest.raises(ValueError, match="time zone"):
        decide([DEFAULT], "plan", facts, now=datetime(2026, 1, 1), subject="x")  # noqa: DTZ001
    for stage, subject in (
        ("publish", "x"),
        ("publish", SUBJECT.upper()),
        ("plan", ""),
        ("prompt", "a portrait"),
    ):
        with pytest.raises(ValueError, match="subject"):
            decide([DEFAULT], stage, facts, now=NOW, subject=subject)
    with pytest.raises(ValueError, match="'later' is not a valid Stage"):
        decide([DEFAULT], "later", facts, now=NOW, subject="x")
    with pytest.raises(ValueError, match="Facts"):
        decide([DEFAULT], "plan", {"log.recorded": True}, now=NOW, subject="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fact(value=None),
        lambda: Fact(value=1, status="unknown"),
        lambda: known(float("nan")),
        lambda: known(float("inf")),
        lambda: Request(command=known("generate")),
        lambda: Request(include_prompt=known(1)),
        lambda: Request(purpose=known("a portrait of a firefighter")),
        lambda: Prompt(flags=known(("a portrait of a firefighter",))),
        lambda: Prompt(flags=known(["x"])),
        lambda: Prompt(flags=known(("x",) * (MAX_LIST + 1))),
        lambda: Prompt(edits=known(True)),
        lambda: Media(width=known("512")),
        lambda: Media(width=known(1.5)),
        lambda: Media(mime=known("x" * 201)),
        lambda: Media(mime=known("x\x1b[31m")),
    ],
)
def test_facts_of_the_wrong_type_or_that_could_hold_a_prompt_cannot_be_made(
    make: Callable[[], object],
) -> None:
    with pytest.raises((TypeError, ValueError)):
        make()


def test_unknown_facts_say_why() -> None:
    fact: Fact[bool] = unknown("no inspector installed", producer="guard.inspect")
    decision = decided(log__recorded=fact)
    assert json.loads(decision.canonical())["facts"]["log.recorded"] == {
        "status": "unknown", "reason": "no inspector installed", "producer": "guard.inspect",
    }  # fmt: skip
    assert {r.rule: r.status for r in decision.rules}["base.logged"] is RuleStatus.UNKNOWN


def test_strictest_duties_win() -> None:
    one = Plan(watermark=MarkDuty.IF_CAPABLE, c2pa=True, min_side=256)
    other = Plan(watermark=MarkDuty.REQUIRED, log=True, min_side=512)
    assert strictest(one, other) == strictest(other, one) == strictest(one, other, one)
    assert strictest(one, other) == Plan(watermark=MarkDuty.REQUIRED, c2pa=True, log=True, min_side=512)
    assert strictest() == Plan()
    assert list(Effect) == ["warn", "review", "deny"]


def test_deciding_needs_nothing_heavy() -> None:
    script = (
        "import sys; import guard.policy, guard.prompt;"
        "heavy = {'yaml', 'numpy', 'torch', 'scipy', 'cv2', 'PIL', 'c2pa', 'cryptography', 'click'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert out.stdout.strip() == "[]"
