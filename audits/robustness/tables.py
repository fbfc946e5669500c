"""Reports as text for a terminal (at most 100 columns) and as Markdown."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from audits.tabular import NOTHING, aligned, counted, interval, number, piped, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.robustness.report import MethodSummary, Report, Row
    from audits.tabular import Table

WIDTH = 100
_NAME, _CELL = 28, 14


def text(report: Report) -> str:
    """Both tables and what is needed to read them; ends with a newline."""
    parts = [aligned(overall(report)), *map(aligned, by_attack(report, (WIDTH - _NAME) // _CELL))]
    if areas(report)[1]:
        parts.append(aligned(areas(report)))
    said = (wrap(note, WIDTH, subsequent_indent="  ") for note in notes(report))
    return "\n\n".join([*parts, "\n".join(line for lines in said for line in lines)]) + "\n"


def markdown(report: Report) -> str:
    """The same as a Markdown document."""
    parts = [f"# Marks under attack: {report.about['attacks']}", *notes(report)]
    parts += ["## All attacks", piped(overall(report))]
    parts += ["## Exact payload by attack", *map(piped, by_attack(report, 99))]
    if areas(report)[1]:
        parts += ["## Area under exact recovery over severity", piped(areas(report))]
    return "\n\n".join(parts) + "\n"


def overall(report: Report) -> Table:
    """One row a method."""
    heads = ("method", "bits", "dB", "SSIM", "exact payload", "bits right", "TPR", "wrong", "mark / read ms")
    return heads, tuple(_overall(method) for method in report.methods)


def _overall(method: MethodSummary) -> tuple[str, ...]:
    row = method.overall
    return (
        method.method,
        str(method.payload_bits),
        number(method.psnr, 1),
        number(method.ssim, 3),
        f"{row.exact.successes}/{row.exact.n} {rate(row.exact)} ({interval(row.exact)})",
        number(row.accuracy, 3),
        NOTHING if row.detected is None else rate(row.detected),
        "no check" if row.wrong is None else str(row.wrong),
        f"{method.embed_ms:.0f} / {number(method.decode_ms, 0)}",
    )


def by_attack(report: Report, columns: int) -> tuple[Table, ...]:
    """Exact payloads, a row an attack, in tables of at most ``columns`` methods."""
    blocks = [report.methods[at : at + columns] for at in range(0, len(report.methods), columns)]
    return tuple(
        (("attack", *(method.method for method in block)), tuple(_attacks_of(block))) for block in blocks
    )


def _attacks_of(methods: Sequence[MethodSummary]) -> list[tuple[str, ...]]:
    return [
        (row.attack, *(_count(method.rows[index]) for method in methods))
        for index, row in enumerate(methods[0].rows)
    ]


def areas(report: Report) -> Table:
    """Area under exact recovery over severity, a row a kind of attack; no rows where none was swept."""
    kinds = list(dict.fromkeys(kind for method in report.methods for kind in method.areas))
    rows = [(kind, *(number(method.areas.get(kind), 3) for method in report.methods)) for kind in kinds]
    return ("area under the sweep", *(method.method for method in report.methods)), tuple(rows)


def notes(report: Report) -> list[str]:
    """Sentences without which the numbers mislead."""
    pictures, sources = counted(report.pictures, "picture"), counted(report.sources, "source")
    lines = [
        f"{pictures} from {sources}, seed {report.about['seed']}.",
        "Intervals: 95 %, Wilson, over pictures; in the first table a picture counts once for each attack.",
        "TPR: marks that score above the threshold which 1 % of the same method's unmarked scores pass.",
    ]
    lines += [_null_note(method) for method in report.methods]
    lines += [
        f"{method.method} refused to mark {method.refused} of {counted(method.pictures, 'picture')}; "
        "these count as lost under every attack."
        for method in report.methods
        if method.refused
    ]
    if report.refused:
        unused = len(report.refused)
        lines.append(f"{unused} {'file or trial' if unused == 1 else 'files or trials'} could not be used.")
    return lines


def _null_note(method: MethodSummary) -> str:
    if method.strict is None:
        return f"{method.method}: not looked at without a mark, so no false-positive rate is known."
    strict = method.overall.detected_strictly
    told = "" if strict is None else f"; {rate(strict)} of marks score higher than all of them"
    marks = "takes no decision" if method.null_marks is None else f"said marked in {method.null_marks}"
    held = "" if method.strict.n <= method.null_looks else ", bits held against random payloads,"
    return (
        f"{method.method}: {counted(method.null_looks, 'reading')} without a mark ({marks}){held} gave "
        f"{counted(method.strict.n, 'score')}{told} (false-positive rate < 1/{method.strict.n} measured)."
    )


def _count(row: Row) -> str:
    return f"{row.exact.successes}/{row.exact.n} {100 * row.exact.rate:.0f} %"
