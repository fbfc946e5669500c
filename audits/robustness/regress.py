"""A result against an earlier one: worse only where chance does not explain it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.statistics import Proportion
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audits.robustness.report import MethodSummary, Report, Row

TOLERANCE_DB = 0.5
"""The mean quality of a mark may fall by so much: other pictures alone move it by some tenths."""
MOST_BYTES = 16 * 2**20
"""Of an earlier result; a real one has some tens of kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """One figure that got worse: of which method, under which attack ("all" for all), before and now."""

    method: str
    attack: str
    figure: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.method}, {self.attack}: {self.figure} was {self.before}, now {self.now}"


def read_baseline(path: Path) -> dict[str, Any]:
    """An earlier result as ``report.as_json`` wrote it.

    Raises:
        InputError: ``bench.baseline``, or ``input.*`` when the file cannot be read.
    """
    from provenance.files import read_bounded  # noqa: PLC0415

    try:
        found = json.loads(read_bounded(path, most=MOST_BYTES))
        methods = {method["method"]: method for method in found["methods"]}
        for method in methods.values():
            rows = {row["attack"]: row for row in method["rows"]}
            assert rows, "no rows"
            for row in (*rows.values(), method["overall"]):
                _proportion(row["exact"])
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        hint = "take the result.json of guard bench watermark -o DIR"
        what = "the file is no result of the attack lab"
        raise InputError("bench.baseline", what, where=str(path), hint=hint) from error
    return methods


def regressions(report: Report, baseline: dict[str, Any]) -> tuple[Regression, ...]:
    """What is worse now, for the methods and attacks that both have.

    A rate is worse when its 95 % interval lies below that of before; wrong payloads and false marks when
    there are more of them; quality when it fell by more than ``TOLERANCE_DB``.
    """
    known = ((method, baseline[method.method]) for method in report.methods if method.method in baseline)
    return tuple(found for method, before in known for found in _of_method(method, before))


def _of_method(method: MethodSummary, before: dict[str, Any]) -> Iterator[Regression]:
    rows = {row["attack"]: row for row in before["rows"]}
    shared = [row for row in method.rows if row.attack in rows]
    if len(shared) == len(rows) == len(method.rows):
        shared.append(method.overall)
        rows["all"] = before["overall"]
    for row in shared:
        yield from _of_row(method.method, row, rows[row.attack])
    quality = before.get("psnr")
    if quality is not None and method.psnr is not None and method.psnr < quality - TOLERANCE_DB:
        yield Regression(
            method=method.method,
            attack="all",
            figure="quality of the mark",
            before=f"{quality:.1f} dB",
            now=f"{method.psnr:.1f} dB",
        )


def _of_row(method: str, row: Row, before: dict[str, Any]) -> Iterator[Regression]:
    then = _proportion(before["exact"])
    if row.exact.high < then.low:
        now = f"{row.exact.successes} of {row.exact.n}"
        told = f"{then.successes} of {then.n}"
        yield Regression(method=method, attack=row.attack, figure="exact payload", before=told, now=now)
    wrong = before.get("wrong") or 0
    if row.wrong is not None and row.wrong > wrong:
        told, now = str(wrong), str(row.wrong)
        yield Regression(method=method, attack=row.attack, figure="wrong payloads", before=told, now=now)


def _proportion(data: dict[str, Any]) -> Proportion:
    return Proportion(
        successes=int(data["successes"]),
        n=int(data["n"]),
        low=float(data["low"]),
        high=float(data["high"]),
        confidence=float(data["confidence"]),
    )
