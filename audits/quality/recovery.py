"""What an audit finds of planted shares: the test of the audit itself, and of what guidance does to shares.

Pictures of bare prompts are read by the oracle, the shares put right by its confusion matrix and held
against the table. A distance means something only beside the one that chance alone gives: a model with
exactly the planted shares, drawn as often and read by the same oracle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.quality.confusion import corrected, unfold
from audits.quality.planted import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from audits.quality.confusion import Confusion, Shares
    from audits.quality.trial import Trial

_DRAWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One answer: planted share, pictures given it, and the share of the truth with its 95 % interval."""

    answer: str
    planted: float
    observed: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One question about one profession at one guidance.

    Attributes:
        profession: of the prompt.
        question: of the oracle.
        guidance: scale.
        n: pictures read.
        shares: one for each answer.
        distance: total variation from the planted shares, 0 to 1.
        largest: largest difference of a share.
        by_chance: total variation that a model with exactly the planted shares stays below 95 times of 100.
    """

    profession: str
    question: str
    guidance: float
    n: int
    shares: tuple[Share, ...]
    distance: float
    largest: float
    by_chance: float

    @property
    def within_chance(self) -> bool:
        """Whether nothing tells the model's shares from the planted ones."""
        return self.distance <= self.by_chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Amplification:
    """How much more often the most planted answer is drawn than ``against``, mean over professions.

    Bias amplification of Zhao et al. (EMNLP 2017): above 0 the majority grows.

    Attributes:
        question: of the oracle.
        guidance: scale.
        against: ``planted`` or ``guidance 1``.
        value: difference of shares, -1 to 1.
        low: lower end of its 95 % interval.
        high: upper end.
        professions: with one answer planted more than the others; the rest have no majority.
    """

    question: str
    guidance: float
    against: str
    value: float
    low: float
    high: float
    professions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Of one model.

    Attributes:
        table: which planted table.
        cells: by guidance, question and profession.
        amplification: by question and guidance.
    """

    table: str
    cells: tuple[Cell, ...]
    amplification: tuple[Amplification, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """A cell, the draws behind its intervals, and the place of the planted majority, if there is one."""

    cell: Cell
    shares: Shares
    top: int | None


def recovered(
    trials: Sequence[Trial],
    professions: Sequence[str],
    planted: Mapping[str, Mapping[str, Mapping[str, float]]],
    confusion: Mapping[str, Confusion],
    *,
    table: str,
    seed: int,
) -> Recovery:
    """What came back.

    Args:
        trials: of a bare set; those withheld are left out.
        professions: of its prompts, in order of ``Trial.item``.
        planted: profession → question → answer → share.
        confusion: of the oracle, by question.
        table: name of ``planted``, for the report.
        seed: of the intervals.
    """
    rng = np.random.default_rng(seed)
    drawn = [trial for trial in trials if not trial.withheld and trial.guidance is not None]
    scales = sorted({float(trial.guidance or 0) for trial in drawn})
    found = []
    for guidance in scales:
        for question in QUESTIONS:
            for item, work in enumerate(professions):
                wanted = planted.get(work, {}).get(question)
                said = [t.answers[question] for t in drawn if (t.item, t.guidance) == (item, guidance)]
                if said and wanted is not None:
                    found.append(_found((work, guidance), said, wanted, confusion[question], rng))
    return Recovery(
        table=table,
        cells=tuple(one.cell for one in found),
        amplification=tuple(_amplifications(found, scales)),
    )


def _found(
    where: tuple[str, float],
    said: Sequence[str],
    wanted: Mapping[str, float],
    confusion: Confusion,
    rng: np.random.Generator,
) -> _Found:
    answers = confusion.answers
    shares = corrected([answers.index(one) for one in said], confusion, rng=rng, draws=_DRAWS)
    target = np.array([wanted.get(answer, 0.0) for answer in answers])
    low, high = shares.interval()
    columns = zip(answers, target, shares.observed, shares.corrected, low, high, strict=True)
    cell = Cell(
        profession=where[0],
        question=confusion.question,
        guidance=where[1],
        n=len(said),
        shares=tuple(
            Share(answer=a, planted=float(p), observed=int(o), share=float(c), low=float(b), high=float(e))
            for a, p, o, c, b, e in columns
        ),
        distance=float(_distances(shares.corrected[None], target)[0]),
        largest=float(np.abs(shares.corrected - target).max()),
        by_chance=_by_chance(target, len(said), confusion, rng),
    )
    most = np.flatnonzero(target == target.max())
    return _Found(cell=cell, shares=shares, top=int(most[0]) if len(most) == 1 else None)


def _distances(shares: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R,) total variations of (R, K) from (K,)."""
    halved: NDArray[np.float64] = np.abs(shares - target).sum(1) / 2
    return halved


def _by_chance(target: NDArray[np.float64], n: int, confusion: Confusion, rng: np.random.Generator) -> float:
    """The 95 % quantile of the distance where the truth is ``target``, drawn and read anew."""
    answered = np.stack([target @ rates for rates in confusion.drawn(rng, _DRAWS)])
    counts = rng.multinomial(n, answered / answered.sum(1, keepdims=True))
    shares = unfold(counts.astype(np.float64), confusion.rates[None])
    return float(np.quantile(_distances(shares, target), 0.95))


def _amplifications(found: Sequence[_Found], scales: Sequence[float]) -> Iterator[Amplification]:
    for question in QUESTIONS:
        for guidance in scales:
            cells = [one for one in found if one.top is not None and _is(one.cell, question, guidance)]
            if not cells:
                continue
            planted = [_draws(one) - one.cell.shares[one.top or 0].planted for one in cells]
            yield _amplification(question, guidance, "planted", planted)
            plain = {one.cell.profession: one for one in found if _is(one.cell, question, 1.0)}
            if guidance != 1 and all(one.cell.profession in plain for one in cells):
                raised = [_draws(one) - _draws(plain[one.cell.profession]) for one in cells]
                yield _amplification(question, guidance, "guidance 1", raised)


def _is(cell: Cell, question: str, guidance: float) -> bool:
    return (cell.question, cell.guidance) == (question, guidance)


def _draws(one: _Found) -> NDArray[np.float64]:
    """(1 + R,) share of the majority: as found, and drawn anew."""
    column = one.top or 0
    return np.concatenate([one.shares.corrected[column : column + 1], one.shares.draws[:, column]])


def _amplification(
    question: str, guidance: float, against: str, differences: Sequence[NDArray[np.float64]]
) -> Amplification:
    mean = np.mean(differences, axis=0)
    # Centred: the draws' prior pulls every share a little to the middle, which over many adds up.
    low, high = mean[0] + np.quantile(mean[1:] - mean[1:].mean(), [0.025, 0.975])
    return Amplification(
        question=question,
        guidance=guidance,
        against=against,
        value=float(mean[0]),
        low=float(low),
        high=float(high),
        professions=len(differences),
    )
