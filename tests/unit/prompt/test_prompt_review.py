"""Review: classes and never words, bad input refused with a code, facts for the policy."""

from __future__ import annotations

import pytest

from guard.policy.fact import Level, Status
from guard.policy.pack import policies
from guard.policy.source import PackError, Source
from guard.policy.yaml12 import load
from guard.prompt import prompt_facts, review, risk_facts, shipped_lexicon
from guard.prompt.lexicon import RISKS, build
from guard.prompt.review import MAX_LENGTH
from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome


def tokens(prompt: str, negative: str = "") -> list[str]:
    return [flag.token for flag in review(prompt, negative).flags]


def test_a_review_changes_nothing_by_itself() -> None:
    done = review("A portrait of a Firefighter ", "blurry")
    assert (done.original, done.prompt, done.negative_prompt) == (
        "A portrait of a Firefighter ", "A portrait of a Firefighter ", "blurry",
    )  # fmt: skip
    assert (done.edits, done.flags) == ((), ())


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("a\x00b", "prompt.control-characters"),
        ("\x1b[2J", "prompt.control-characters"),
        ("\ud800", "prompt.control-characters"),
        ("x" * (MAX_LENGTH + 1), "prompt.too-long"),
    ],
)
def test_what_is_no_prompt_is_refused(prompt: str, code: str) -> None:
    for arguments in ((prompt, ""), ("a portrait", prompt)):
        with pytest.raises(InputError) as caught:
            review(*arguments)
        assert caught.value.code == code
        assert prompt not in caught.value.what


@pytest.mark.parametrize(
    "prompt",
    ["a portrait of a firefighter", "nude lipstick swatches", "an airplane cockpit at night", "裸眼3D 屏幕",
     "裸妆 教程",
     "a health worker, 85mm, 4k, 8k uhd, hdr10", "Essex, Sussex and Middlesex", "a cowboy on a horse",
     "naked eye view of Saturn", "a same-sex couple", "grilled chicken breast", "a baby grand piano",
     "大学生 在图书馆", "a gender reveal cake", "the Assassin's guild", "classic analysis of passion fruit"],
)  # fmt: skip
def test_harmless_prompts_raise_no_risk(prompt: str) -> None:
    risk = risk_facts(review(prompt))
    assert {getattr(risk, name).value for name in ("sexual", "minor")} == {Level.ABSENT}, tokens(prompt)


@pytest.mark.parametrize(
    ("prompt", "minor"),
    [
        ("two children playing in a park", "present"),
        ("a 14 year old", "present"),
        ("a fourteen-year-old", "present"),
        ("aged 12", "present"),
        ("16yo", "present"),
        ("17 y/o", "present"),
        ("十四岁", "present"),
        ("12 岁", "present"),
        ("十七周岁", "present"),
        ("18 years old", "absent"),
        ("a 45 year old", "absent"),
        ("an 80-year-old", "absent"),
        ("四十岁", "absent"),
        ("四十五岁", "absent"),
        ("二十岁", "absent"),
        ("1girl, solo", "possible"),
        ("in a school uniform", "possible"),
        ("校服", "possible"),
        ("a kiddo", "present"),
        ("two kidz", "present"),
        ("the kiddz", "present"),
        ("a k i d", "present"),
        ("a (k)(i)(d)", "present"),
        ("options a, b, c, d", "absent"),
        ("a kidney, an id card", "absent"),
        ("schoolchildren", "present"),
        ("an underaged model", "present"),
        ("小朋友", "present"),
        ("未成年", "present"),
        ("a grown woman", "absent"),
    ],
)
def test_ages_count_from_their_lower_bound(prompt: str, minor: str) -> None:
    assert risk_facts(review(prompt)).minor.value == minor


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("a portrait of Jane Roe", True),
        ("Ludwig van Beethoven at the piano", True),
        ("王小明先生", True),
        ("a portrait of a firefighter", False),
        ("Portrait of a firefighter", False),
        ("黄色的花", False),
    ],
)
def test_names_are_guessed(prompt: str, found: bool) -> None:
    assert ("name:person.named" in tokens(prompt)) is found


def test_a_request_for_explicit_media_of_somebody_named_raises_both_risks() -> None:
    risk = risk_facts(review("explicit photo of Jane Roe"))
    assert (risk.sexual.value, risk.identifiable_person.value) == (Level.PRESENT, Level.POSSIBLE)


def test_the_negative_prompt_counts_for_absence() -> None:
    """What is to be avoided is no risk; avoiding clothes or adults is."""
    assert tokens("a person", "nudity, child, blurry") == []
    assert tokens("a person", "clothes") == ["negative:negative.clothing"]
    risk = risk_facts(review("a person", "clothes, adult"))
    assert (risk.sexual.value, risk.minor.value) == (Level.POSSIBLE, Level.POSSIBLE)
    assert tokens("clothes for an adult") == []


def test_flags_hold_classes_and_never_words() -> None:
    """Whatever term was used, what leaves is one of a few class names that a reviewer has written."""
    classes = {"minor.age", "person.named"}
    for kinds in (*shipped_lexicon().phrases.values(), *shipped_lexicon().han.values()):
        classes |= {kind.id for kind in kinds}
    assert len(classes) < 20
    for words in shipped_lexicon().phrases:
        assert {flag.term_class for flag in review(" ".join(words)).flags} <= classes


def test_every_shipped_term_is_found_and_every_allowed_phrase_is_not() -> None:
    """A term that an allowed phrase or the normaliser swallows would be a silent hole."""
    for path in sorted((policies() / "terms").glob("*.yaml")):
        spec = load(Source(name=path.name, text=path.read_text(encoding="utf-8"))).value["spec"].value
        for item in spec["classes"].items():
            kind = item.value["id"].value
            for term in item.value["terms"].items():
                done = review(term.value, term.value)
                assert kind in {flag.term_class for flag in done.flags}, term.value
        for phrase in spec["allow"].items():
            flags = {flag.risk for flag in review(phrase.value).flags} - {"identifiable_person"}
            assert not flags, phrase.value


def test_lexicon_says_where_a_list_is_wrong() -> None:
    head = "apiVersion: guard.terms/v1\nkind: TermList\nmetadata: {}\nspec:\n  classes:\n    - "
    for line, words in (
        ("{id: a, risk: other, level: present, terms: [x]}", "unknown word 'other'"),
        ("{id: a, risk: minor, level: absent, terms: [x]}", "unknown word 'absent'"),
        ("{id: a, risk: minor, level: present}", "missing key 'terms'"),
        ("{id: a, risk: minor, level: present, terms: [one two three four five]}", "one to 4 words"),
        ("{id: a, risk: minor, level: present, terms: [x], were: negative}", "unknown key 'were'"),
    ):
        with pytest.raises(PackError) as caught:
            build([load(Source(name="x", text=head + line))])
        assert words in caught.value.what
        assert caught.value.line == 6


def test_prompt_facts_count_and_name_the_lists() -> None:
    done = review("a portrait of a child")
    facts = prompt_facts(done)
    assert (facts.reviewed.value, facts.flags.value, facts.edits.value) == (True, ("prompt:minor.stated",), 0)
    assert facts.flags.version == shipped_lexicon().digest[:12]
    assert prompt_facts(None).reviewed.status is Status.UNKNOWN


def saw(claim: str, outcome: Outcome) -> Evidence:
    return Evidence(claim=claim, channel="test", outcome=outcome, reason="test")


HARMLESS = review("a portrait of a firefighter")


def test_nobody_looked() -> None:
    risk = risk_facts(None)
    assert (risk.prompt_checked.value, risk.pixels_checked.value) == (False, False)
    assert {getattr(risk, name).status for name in RISKS} == {Status.UNKNOWN}


def test_an_inspector_that_did_not_run_has_not_looked() -> None:
    risk = risk_facts(HARMLESS, [saw(name, Outcome.NOT_CHECKED) for name in RISKS])
    assert risk == risk_facts(HARMLESS)
    assert risk.pixels_checked.value is False


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Outcome.SUPPORTS, Level.PRESENT),
        (Outcome.INCONCLUSIVE, Level.POSSIBLE),
        (Outcome.ABSENT, Level.ABSENT),
        (Outcome.CONTRADICTS, Level.ABSENT),
    ],
)
def test_the_graver_channel_counts(outcome: Outcome, level: Level) -> None:
    seen = [saw(name, outcome if name == "sexual" else Outcome.ABSENT) for name in RISKS]
    risk = risk_facts(HARMLESS, seen)
    assert (risk.sexual.value, risk.minor.value, risk.pixels_checked.value) == (level, Level.ABSENT, True)
    assert risk_facts(review("a child"), seen).minor.value is Level.PRESENT


def test_a_failed_inspector_leaves_the_risk_open() -> None:
    risk = risk_facts(HARMLESS, [saw("sexual", Outcome.FAILED)])
    assert risk.sexual.status is Status.ERROR
    assert risk.pixels_checked.value is True


def test_an_inspector_of_one_risk_leaves_the_others_open() -> None:
    risk = risk_facts(HARMLESS, [saw("sexual", Outcome.ABSENT)])
    assert risk.sexual.value is Level.ABSENT
    assert risk.minor.status is Status.UNKNOWN
    assert risk_facts(review("a child"), [saw("sexual", Outcome.ABSENT)]).minor.value is Level.PRESENT


def test_evidence_about_something_else_is_passed_over() -> None:
    assert risk_facts(HARMLESS, [saw("is synthetic", Outcome.SUPPORTS)]) == risk_facts(HARMLESS)
