"""Whether pictures show what was asked, as the oracle reads them, and what its own mistakes do to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.statistics import Proportion, wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.quality.confusion import Confusion
    from audits.quality.sets import AskedPrompt, PromptSet
    from audits.quality.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class AsAsked:
    """One question over one set. Pictures of one prompt are alike: the interval takes them for independent.

    Attributes:
        question: of the oracle; several with " + " between them have to be right all at once.
        read: pictures that the oracle reads as asked.
        prompts: they were drawn from.
        oracle: how often the oracle reads right pictures rightly, by its confusion matrix; of several
            questions the product, as if its mistakes were independent. None where it was not tried.
        corrected: the share of right pictures that these two lead to (Rogan and Gladen 1978), 0 to 1; None
            for several questions at once.
    """

    question: str
    read: Proportion
    prompts: int
    oracle: float | None
    corrected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One prompt: pictures read as asked in everything that was."""

    name: str
    right: int
    n: int


def as_asked(
    trials: Sequence[Trial], set_: PromptSet, confusion: Mapping[str, Confusion]
) -> tuple[AsAsked, ...]:
    """A row for each question that the set asks, and one for its joint questions.

    Args:
        trials: of this set and one model; withheld ones are left out.
        set_: whose ``expected`` are held against the answers.
        confusion: of the oracle, by question.
    """
    drawn = [trial for trial in trials if not trial.withheld]
    questions = dict.fromkeys(question for asked in set_.asked for question in asked.expected)
    rows = [_row((question,), drawn, set_, confusion) for question in questions]
    if set_.joint:
        rows.append(_row(set_.joint, drawn, set_, confusion))
    return tuple(row for row in rows if row is not None)


def items(trials: Sequence[Trial], set_: PromptSet) -> tuple[Item, ...]:
    """The prompts of a set, the worst first."""
    found = []
    for place, asked in enumerate(set_.asked):
        drawn = [trial for trial in trials if trial.item == place and not trial.withheld]
        right = sum(_is_right(trial, asked, tuple(asked.expected)) for trial in drawn)
        if drawn and asked.expected:
            found.append(Item(name=asked.name, right=right, n=len(drawn)))
    return tuple(sorted(found, key=lambda item: (item.right / item.n, item.name)))


def _row(
    questions: tuple[str, ...],
    drawn: Sequence[Trial],
    set_: PromptSet,
    confusion: Mapping[str, Confusion],
) -> AsAsked | None:
    asking = [t for t in drawn if all(question in set_.asked[t.item].expected for question in questions)]
    if not asking:
        return None
    right = sum(_is_right(trial, set_.asked[trial.item], questions) for trial in asking)
    read = wilson(right, len(asking))
    chances = [_chances(question, asking, set_, confusion[question]) for question in questions]
    known = [told for told, _ in chances if told is not None]
    oracle = _product(known) if len(known) == len(chances) else None
    return AsAsked(
        question=" + ".join(questions),
        read=read,
        prompts=len({trial.item for trial in asking}),
        oracle=oracle,
        corrected=_corrected(read.rate, oracle, chances[0][1]) if len(questions) == 1 else None,
    )


def _is_right(trial: Trial, asked: AskedPrompt, questions: tuple[str, ...]) -> bool:
    return all(trial.answers.get(question) == asked.expected[question] for question in questions)


def _chances(
    question: str, asking: Sequence[Trial], set_: PromptSet, confusion: Confusion
) -> tuple[float | None, float]:
    """How often the oracle tells what was asked where it is there, and where it is not: means."""
    wanted = [set_.asked[trial.item].expected[question] for trial in asking]
    right = {answer: confusion.right(answer) for answer in set(wanted)}
    mistaken = {answer: confusion.mistaken(answer) for answer in set(wanted)}
    told = [share for answer in wanted if (share := right[answer]) is not None]
    mean = sum(told) / len(told) if len(told) == len(wanted) else None
    return mean, sum(mistaken[answer] for answer in wanted) / len(wanted)


def _corrected(rate: float, right: float | None, mistaken: float) -> float | None:
    if right is None or right <= mistaken:
        return None
    return min(max((rate - mistaken) / (right - mistaken), 0.0), 1.0)


def _product(shares: Sequence[float]) -> float:
    value = 1.0
    for share in shares:
        value *= share
    return value
