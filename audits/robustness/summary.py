"""From trials to figures: what each method kept of its payload under each attack, and how sure that is.

Every rate is over pictures, with Wilson's interval; how many sources these come from is said beside it,
as pieces of one photograph are not independent. A picture that a method refused to mark counts as lost
under every attack.

A mark counts as detected where its score is above a threshold that comes from the same method's scores on
pictures without a mark. The threshold that none of n such scores passed is a false-positive rate measured
as below 1/n; nothing smaller is claimed.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

from audits.robustness.report import MethodSummary, Report, Row, Threshold
from audits.robustness.scales import Family
from audits.robustness.sets import attack_set
from audits.robustness.trial import shown
from audits.statistics import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from audits.robustness.lab import Measured
    from audits.robustness.scales import Attack
    from audits.robustness.trial import Survival, Trial
    from audits.statistics import Proportion

COMMON_RATE = 0.01
"""The false-positive rate at which methods are compared: the smallest that 100 looks can measure."""


def summarise(measured: Measured, *, command: str) -> Report:
    """The report on ``measured``; ``command`` names no folder."""
    setup = measured.setup
    attacks = attack_set(setup.attacks, setup.seed, remark=lambda pixels: pixels)
    by_method = [[t for t in measured.trials if t.method == shown(name)] for name in setup.methods]
    return Report(
        command=command,
        pictures=len({trial.picture for trial in measured.trials}),
        sources=len({trial.source for trial in measured.trials}),
        about=measured.about,
        methods=tuple(_method(trials, attacks) for trials in by_method if trials),
        refused=measured.refused,
    )


def threshold(scores: Sequence[float], rate: float) -> Threshold | None:
    """The lowest score that at most ``rate`` of ``scores`` pass; None where 1/n is above ``rate``.

    With ``rate`` 0 it is the highest of ``scores``.
    """
    if not scores or 0 < rate < 1 / len(scores):
        return None
    ordered = sorted(scores, reverse=True)
    score = ordered[int(rate * len(ordered))]
    return Threshold(score=score, passed=sum(one > score for one in ordered), n=len(ordered))


def area(points: Iterable[tuple[float, float]]) -> float:
    """Area under straight lines through (severity, rate), from 0 to 1; level after the last point."""
    ordered = sorted(points)
    ordered = [(0.0, ordered[0][1]), *ordered, (1.0, ordered[-1][1])]
    return sum((right - left) * (low + high) / 2 for (left, low), (right, high) in pairwise(ordered))


def _method(trials: Sequence[Trial], attacks: Sequence[Attack]) -> MethodSummary:
    first = trials[0]
    null = [score for trial in trials for score in trial.null.scores]
    common, strict = threshold(null, COMMON_RATE), threshold(null, 0)
    decided = [trial.null.marks for trial in trials if trial.null.marks is not None]
    found = {attack.name: [_of(trial, attack.name) for trial in trials] for attack in attacks}
    rows = tuple(_row(attack, found[attack.name], common, strict) for attack in attacks)
    everything = [survival for survivals in found.values() for survival in survivals]
    marked = [trial for trial in trials if trial.refused is None]
    return MethodSummary(
        method=first.method,
        identity=first.identity,
        payload_bits=first.payload_bits,
        pictures=len(trials),
        sources=len({trial.source for trial in trials}),
        refused=len(trials) - len(marked),
        psnr=_mean([trial.psnr for trial in marked]),
        ssim=_mean([trial.ssim for trial in marked]),
        embed_ms=median(trial.milliseconds for trial in trials),
        decode_ms=_middle([one for one in everything if one is not None], lambda one: one.milliseconds),
        null_looks=sum(trial.null.looks for trial in trials),
        null_marks=sum(decided) if decided else None,
        common=common,
        strict=strict,
        overall=_row(None, everything, common, strict),
        rows=rows,
        areas=_areas(rows),
    )


def _of(trial: Trial, attack: str) -> Survival | None:
    """None for a picture that was not marked, or an attack that it was never put to."""
    return next((survival for survival in trial.survivals if survival.attack == attack), None)


def _row(
    attack: Attack | None,
    found: Sequence[Survival | None],
    common: Threshold | None,
    strict: Threshold | None,
) -> Row:
    read = [survival for survival in found if survival is not None]
    checked = [survival.wrong for survival in read if survival.wrong is not None]
    lost = 0.5 * (len(found) - len(read))
    return Row(
        attack="all" if attack is None else attack.name,
        family=Family.COMBINED if attack is None else attack.family,
        kind="all" if attack is None else attack.kind,
        severity=1.0 if attack is None else attack.severity,
        waves=None if attack is None else attack.waves,
        exact=wilson(sum(one.exact for one in read), len(found)),
        wrong=sum(checked) if checked else None,
        accuracy=(sum(one.accuracy for one in read) + lost) / len(found),
        detected=_detected(read, len(found), common),
        detected_strictly=_detected(read, len(found), strict),
        present=_present(read, len(found)),
        milliseconds=_middle(read, lambda one: one.milliseconds),
        psnr=_middle(read, lambda one: one.psnr),
        ssim=_middle(read, lambda one: one.ssim),
    )


def _detected(read: Sequence[Survival], n: int, limit: Threshold | None) -> Proportion | None:
    return None if limit is None else wilson(sum(one.score > limit.score for one in read), n)


def _present(read: Sequence[Survival], n: int) -> Proportion | None:
    if all(one.present is None for one in read):
        return None
    return wilson(sum(one.present is True for one in read), n)


def _middle(read: Sequence[Survival], part: Callable[[Survival], float | None]) -> float | None:
    known = [value for one in read if (value := part(one)) is not None]
    return median(known) if known else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _areas(rows: Sequence[Row]) -> dict[str, float]:
    start = [(0.0, row.exact.rate) for row in rows if row.family is Family.NONE]
    graded = sorted((row for row in rows if row.severity > 0), key=lambda row: row.kind)
    found = {}
    for kind, same in groupby(graded, key=lambda row: row.kind):
        points = sorted((row.severity, row.exact.rate) for row in same)
        if len(points) >= 3 and points[-1][0] == 1:  # a whole sweep, not a few levels of one
            found[kind] = area([*start, *points])
    return found
