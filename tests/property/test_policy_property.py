"""What holds for every set of facts: less evidence never helps, order and repetition do not matter."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard.policy.decide import decide
from guard.policy.fact import ERROR, UNKNOWN, Fact, failed, unknown
from guard.policy.facts import Facts, schema
from guard.policy.fixtures import NOW, SUBJECT, facts_from, load_cases
from guard.policy.pack import find_pack, policies
from guard.policy.reading import read_pack
from guard.policy.rule import Action, Pack, Stage
from guard.policy.source import Source
from guard.policy.yaml12 import load

if TYPE_CHECKING:
    from guard.policy.types import Type

DEFAULT, BASE = find_pack("default"), find_pack("base")
CASES = [case for path in sorted((policies() / "tests").glob("*.yaml")) for case in load_cases(path)]
PACKS = {case.packs: tuple(find_pack(name) for name in case.packs) for case in CASES}
STRICTNESS = {Action.ALLOW: 0, Action.REVIEW: 1, Action.DENY: 2}
LATER = [Stage.PROMPT, Stage.PLAN, Stage.PIXELS, Stage.PUBLISH]


def values_of(wanted: Type) -> st.SearchStrategy[Any]:
    match wanted.kind:
        case "bool":
            return st.booleans()
        case "enum":
            return st.sampled_from(wanted.values)
        case "num":
            return st.integers(0, 600) if wanted.whole else st.floats(-20, 60, allow_nan=False)
        case "list":
            return st.lists(st.sampled_from(["text:bidi", "prompt:person.likeness", "x"]), max_size=3)
        case "str":
            return st.sampled_from([SUBJECT, "trainedAlgorithmicMedia", "digitalCapture", "x"])


def near_a_case() -> st.SearchStrategy[dict[str, Any]]:
    """A fixture's facts with some of them changed: pure chance would nearly always be denied anyway."""
    changes = st.fixed_dictionaries(
        {}, optional={name: values_of(wanted) for name, wanted in schema().items()}
    )
    start = st.sampled_from([dict(case.given) for case in CASES])
    few = st.lists(st.sampled_from(sorted(schema())), max_size=4)
    return st.builds(lambda a, b, c: a | {name: b[name] for name in c if name in b}, start, changes, few)


def action(facts: dict[str, Any], stage: Stage, packs: tuple[Pack, ...] = (DEFAULT,)) -> Action:
    return decide(packs, stage, facts_from(facts), now=NOW, subject=SUBJECT).action


def without(facts: dict[str, Any], names: list[str], how: str) -> dict[str, Any]:
    if how == "gone":
        return {name: value for name, value in facts.items() if name not in names}
    gap: Fact[Any] = failed("broke") if how == "error" else unknown("not looked")
    return {name: gap if name in names else value for name, value in facts.items()}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(near_a_case(), st.data(), st.sampled_from(LATER), st.sampled_from(["gone", "unknown", "error"]))
def test_removing_evidence_never_helps(
    facts: dict[str, Any], data: st.DataObject, stage: Stage, how: str
) -> None:
    """Deleting, nulling or failing any facts never makes an action milder."""
    names = data.draw(st.lists(st.sampled_from(sorted(facts)), min_size=1, max_size=4, unique=True))
    assert STRICTNESS[action(without(facts, names, how), stage)] >= STRICTNESS[action(facts, stage)]


def test_removing_any_single_fact_of_any_fixture_never_helps() -> None:
    """The same without chance: every fact of every case, in all three ways."""
    for case, how in itertools.product(CASES, ("gone", "unknown", "error")):
        before = STRICTNESS[case.run(PACKS[case.packs]).action]
        for name in case.given:
            facts = facts_from(without(dict(case.given), [name], how))
            after = decide(PACKS[case.packs], case.stage, facts, now=case.now, subject=SUBJECT).action
            assert STRICTNESS[after] >= before, (case.name, name, how)


@settings(max_examples=60, deadline=None)
@given(near_a_case(), st.sampled_from(LATER))
def test_order_and_repetition_of_packs_do_not_matter(facts: dict[str, Any], stage: Stage) -> None:
    """The base pack stands first wherever it is named, and naming a pack twice changes nothing."""
    once = decide((DEFAULT,), stage, facts_from(facts), now=NOW, subject=SUBJECT)
    for packs in ((DEFAULT, BASE), (BASE, DEFAULT), (DEFAULT, DEFAULT)):
        again = decide(packs, stage, facts_from(facts), now=NOW, subject=SUBJECT)
        assert again.canonical() == once.canonical()


def shuffled(order: list[int]) -> Pack:
    text = (policies() / "packs" / "default.yaml").read_text(encoding="utf-8")
    head, *rules = text.split("    - id: ")
    document = head + "".join("    - id: " + rules[index] for index in order)
    return read_pack(load(Source(name="shuffled", text=document)), where="shuffled")


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(len(DEFAULT.rules))))
def test_order_of_rules_does_not_matter(order: list[int]) -> None:
    pack = shuffled(order)
    for case in CASES[::5]:
        one, other = case.run([DEFAULT]), case.run([pack])
        assert (one.action, one.obligations) == (other.action, other.obligations)
        assert {(r.rule, r.status) for r in one.rules} == {(r.rule, r.status) for r in other.rules}


@settings(max_examples=60, deadline=None)
@given(near_a_case(), st.sampled_from(LATER), st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001
def test_same_inputs_same_bytes(facts: dict[str, Any], stage: Stage, when: datetime) -> None:
    now = when.replace(tzinfo=UTC)
    first, second = (
        decide((DEFAULT,), stage, facts_from(facts), now=now, subject=SUBJECT).canonical() for _ in range(2)
    )
    assert first == second


ATOMS = [
    "risk.sexual == 'absent'",
    "log.recorded",
    "marks.watermark.psnr > 3",
    "media.width != 5",
    "has(request.purpose)",
    "request.purpose == 'news'",
    "prompt.flags.all(f, f != 'x')",
    "prompt.flags.exists(f, f == 'x')",
]
EXPRESSIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner.filter(lambda text: "has(" not in text)),
    ),
    max_leaves=8,
)
ATOM_FACTS = [
    "risk.sexual",
    "log.recorded",
    "marks.watermark.psnr",
    "media.width",
    "request.purpose",
    "prompt.flags",
]


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, st.data())
def test_every_expression_is_monotone(text: str, data: st.DataObject) -> None:
    """Not only our packs: in any pack that can be written, taking evidence away never satisfies a rule."""
    from guard.policy.expr import evaluate, expression

    wanted = expression(Source(name="x", text=text), schema())
    values = {
        name: tuple(value) if isinstance(value := data.draw(values_of(schema()[name])), list) else value
        for name in ATOM_FACTS
    }
    gone = data.draw(st.lists(st.sampled_from(ATOM_FACTS), min_size=1, unique=True))
    gap = data.draw(st.sampled_from([UNKNOWN, ERROR]))
    less = {name: gap if name in gone else value for name, value in values.items()}
    if evaluate(wanted, less) is True:
        assert evaluate(wanted, values) is True


def test_no_facts_at_all_are_denied_everywhere() -> None:
    for stage in Stage:
        assert decide((DEFAULT,), stage, Facts(), now=NOW, subject=SUBJECT).action is Action.DENY
