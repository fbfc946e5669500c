"""Shares put right by a confusion matrix; planted shares found again; sets of prompts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from audits.quality.accuracy import as_asked, items
from audits.quality.confusion import Confusion, corrected, unfold
from audits.quality.planted import read_planted, uniform
from audits.quality.recovery import recovered
from audits.quality.sets import NAMES, TRIPLE, named
from audits.quality.trial import Trial
from generators.training.emoji_labels import PRESENTATIONS, TONES, Label
from provenance.errors import InputError

PRESENTED = Confusion(
    question="presentation",
    answers=("person", "man", "woman", "none"),
    counts=((800, 150, 50, 0), (100, 880, 20, 0), (30, 70, 900, 0), (0, 0, 0, 0)),
)
TONED = Confusion(
    question="tone",
    answers=(*TONES, "none"),
    counts=tuple(tuple(100 if i == j else 0 for j in range(7)) for i in range(7)),
)
BOTH = {"presentation": PRESENTED, "tone": TONED}


def test_exact_answers_give_exact_shares() -> None:
    truth = np.array([[0.2, 0.5, 0.3, 0.0]])
    answers = 1000 * truth @ PRESENTED.rates
    assert unfold(answers, PRESENTED.rates[None]) == pytest.approx(truth, abs=1e-4)


def test_corrected_shares_are_nearer_the_truth_and_their_intervals_hold_it() -> None:
    rng = np.random.default_rng(77)
    truth, nearer, held = np.array([0.1, 0.2, 0.7, 0.0]), 0, 0
    for _ in range(40):
        answers = rng.choice(4, 300, p=truth @ PRESENTED.rates)
        shares = corrected(list(answers), PRESENTED, rng=rng)
        low, high = shares.interval()
        raw = shares.observed / 300
        nearer += np.abs(shares.corrected - truth).sum() < np.abs(raw - truth).sum()
        held += bool((low[2] <= 0.7) & (high[2] >= 0.7))
        assert shares.corrected.sum() == pytest.approx(1)
    assert nearer > 26
    assert held >= 34


def test_an_answer_that_nobody_got_still_has_an_interval() -> None:
    shares = corrected([1] * 48, TONED, rng=np.random.default_rng(1))
    low, high = shares.interval()
    assert shares.corrected[1] == 1
    assert 0.9 < low[1] < 1
    assert 0 < high[0] < 0.1


def trials(profession: int, guidance: float, shares: dict[str, float], n: int, seed: int) -> list[Trial]:
    """Read by an oracle that errs as ``PRESENTED`` says; tones all yellow."""
    rng = np.random.default_rng(seed)
    truth = np.array([shares.get(answer, 0.0) for answer in PRESENTED.answers])
    said = rng.choice(4, n, p=truth @ PRESENTED.rates)
    return [
        Trial(
            model="m", set="skew", item=profession, guidance=guidance, seed=place,
            answers={"presentation": PRESENTED.answers[answer], "tone": "yellow"},
        )
        for place, answer in enumerate(said)
    ]  # fmt: skip


def test_planted_shares_are_found_and_a_sharpened_model_is_told_from_chance() -> None:
    wanted = {"person": 0.1, "man": 0.25, "woman": 0.65}
    sharp = {"person": 0.02, "man": 0.08, "woman": 0.9}
    drawn = trials(0, 1.0, wanted, 400, 1) + trials(0, 3.0, sharp, 400, 2)
    planted = {"farmer": {"presentation": wanted, "tone": {"yellow": 1.0}}}
    found = recovered(drawn, ["farmer"], planted, BOTH, table="t", seed=1)
    plain, guided = (cell for cell in found.cells if cell.question == "presentation")
    assert plain.within_chance
    assert not guided.within_chance
    assert guided.distance == pytest.approx(0.25, abs=0.06)
    assert guided.largest == pytest.approx(0.25, abs=0.06)
    assert 0.02 < plain.by_chance < 0.15
    tone = next(cell for cell in found.cells if cell.question == "tone")
    assert (tone.distance, tone.within_chance) == (pytest.approx(0, abs=0.01), True)
    raised = {(one.question, one.guidance, one.against): one for one in found.amplification}
    one = raised["presentation", 3.0, "guidance 1"]
    assert one.low < 0.25 < one.high
    assert one.low > 0.1
    assert raised["presentation", 1.0, "planted"].low < 0 < raised["presentation", 1.0, "planted"].high


def test_a_table_without_a_majority_amplifies_nothing() -> None:
    drawn = trials(0, 1.0, {"person": 1 / 3, "man": 1 / 3, "woman": 1 / 3}, 90, 3)
    found = recovered(drawn, ["farmer"], uniform(), BOTH, table="uniform", seed=1)
    assert [one.question for one in found.amplification] == []
    assert len(found.cells) == 2


def test_the_share_as_asked_is_corrected_for_the_oracle() -> None:
    set_ = named("held-out")
    rng = np.random.default_rng(5)
    made = []
    for item, asked in enumerate(set_.asked):
        truth = PRESENTED.answers.index(asked.expected["presentation"])
        for seed in range(20):
            answer = PRESENTED.answers[rng.choice(4, p=PRESENTED.rates[truth])]
            said = {**asked.expected, "presentation": answer}
            made.append(Trial(model="m", set="held-out", item=item, guidance=None, seed=seed, answers=said))
    subjects = tuple(dict.fromkeys(asked.expected["subject"] for asked in set_.asked))
    sure = Confusion(
        question="subject",
        answers=subjects,
        counts=tuple(tuple(50 * (i == j) for j in range(len(subjects))) for i in range(len(subjects))),
    )
    rows = {row.question: row for row in as_asked(made, set_, {**BOTH, "subject": sure})}
    row = rows["presentation"]
    assert row.read.rate == pytest.approx(0.89, abs=0.04)
    assert row.oracle == pytest.approx(0.89, abs=0.02)
    assert row.corrected == pytest.approx(1, abs=0.05)
    assert (row.read.n, row.prompts) == (640, 32)
    assert rows["subject"].read.rate == 1
    joint = rows[" + ".join(TRIPLE)]
    assert joint.read.successes == row.read.successes
    assert joint.corrected is None
    worst = items(made, set_)[0]
    assert worst.right < worst.n == 20


def test_withheld_pictures_are_in_no_share() -> None:
    set_ = named("things")
    made = [
        Trial(model="m", set="things", item=0, guidance=None, seed=1, answers={}, withheld=("plan", "r")),
        Trial(model="m", set="things", item=0, guidance=None, seed=2, answers={"subject": "airplane"}),
    ]
    sure = Confusion(question="subject", answers=("airplane", "zebra"), counts=((9, 0), (0, 9)))
    (row,) = as_asked(made, set_, {"subject": sure})
    assert (row.read.successes, row.read.n) == (1, 1)


def test_held_out_prompts_are_those_that_training_left_out() -> None:
    held, trained = named("held-out"), named("trained")
    assert len(held.asked) == len(trained.asked) > 25
    for set_, expected in ((held, True), (trained, False)):
        for asked in set_.asked:
            label = Label(style="flat", **asked.expected)
            assert label.held_out is expected
            assert label.presentation in PRESENTATIONS[1:]
            assert label.presentation in asked.prompt.split()
    assert {asked.expected["style"] for asked in named("captions").asked} == {"flat", "modern", "noto"}
    assert all(len({asked.prompt for asked in named(name).asked}) == len(named(name).asked) for name in NAMES)
    skew = named("skew")
    assert (skew.guidance, len(skew.asked), skew.bare) == ((1.0, 3.0), 19, True)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"schema_version": 1}',
        '{"schema_version": 1, "shares": []}',
        '{"schema_version": 1, "shares": {"farmer": 3}}',
        '{"schema_version": 1, "shares": {"farmer": {"tone": 3}}}',
        '{"schema_version": 1, "shares": {}}',
        '{"schema_version": 2, "shares": {"farmer": {"tone": {"dark": 1}}}}',
        '{"schema_version": 1, "shares": {"farmer": {"tone": {"dark": NaN}}}}',
        '{"schema_version": 1, "shares": {"wizard": {}}}',
        '{"schema_version": 1, "shares": {"farmer": {"presentation": {"man": 0.5}}}}',
        '{"schema_version": 1, "shares": {"farmer": {"presentation": {"man": 2, "woman": -1}}}}',
        '{"schema_version": 1, "shares": {"farmer": {"hair": {"long": 1}}}}',
    ],
)
def test_what_is_no_planted_table_is_one_line(tmp_path, text) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InputError) as raised:
        read_planted(tmp_path / "t.json")
    assert raised.value.code == "planted.table"
    assert not re.search(r"object has no|indices must|table of planted shares: '\w+'$", raised.value.what)
