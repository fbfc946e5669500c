"""Reports of ``guard bench generators`` as text for a terminal and as Markdown."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from audits.tabular import NOTHING, aligned, counted, interval, number, piped, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audits.quality.delete_half import Estimate
    from audits.quality.recovery import Amplification, Cell
    from audits.quality.report import ModelSummary, Report, SetSummary
    from audits.tabular import Table

WIDTH = 100
_WORST = 5
"""Prompts shown of those that came out worst."""
_OF_THE_ORACLE = (
    "The oracle knows the drawings of the emoji models only, and answers for any picture. 'corrected' takes "
    "out its mistakes, as its confusion matrix (in result.json) has them."
)
_OF_DISTANCES = (
    "Distances are over the features named: they are no FID, and compare with nothing measured otherwise. "
    "'null': halves of the reference against each other."
)
_OF_SHARES = (
    "TV: total variation from the planted shares. 'by chance': what a model with exactly these shares stays "
    "below 95 times of 100, drawn as often and read by the same oracle."
)


def text(report: Report) -> str:
    """Every table and what is needed to read them; ends with a newline."""
    parts = [f"{title}\n{aligned(table)}" for title, table in tables(report)]
    said = (wrap(note, WIDTH, subsequent_indent="  ") for note in notes(report))
    return "\n\n".join([*parts, "\n".join(line for lines in said for line in lines)]) + "\n"


def markdown(report: Report) -> str:
    """The same as a Markdown document."""
    parts = ["# Generators measured", *notes(report)]
    parts += [f"## {title}\n\n{piped(table)}" for title, table in tables(report)]
    return "\n\n".join(parts) + "\n"


def tables(report: Report) -> Iterator[tuple[str, Table]]:
    """Title and table, those that have rows."""
    made: tuple[tuple[str, Callable[[Report], Table]], ...] = (
        ("Pictures", _pictures),
        ("As asked, as the oracle reads it", _accuracy),
        ("Prompts that came out worst", _worst),
        ("Distances from the reference", _distances),
        ("Precision and recall", _manifolds),
        ("Planted shares and what was found", _recovery),
        ("The most planted answer, mean over professions", _amplification),
        ("Clips", _clips),
    )
    for title, make in made:
        table = make(report)
        if table[1]:
            yield title, table


def notes(report: Report) -> list[str]:
    """Sentences without which the numbers mislead."""
    lines = [f"Seed {report.about['seed']}. Intervals: 95 %, pictures of one prompt taken for independent."]
    if report.confusion:
        lines.append(_OF_THE_ORACLE)
    if any(one.distances for one in _sets(report)):
        lines.append(f"Reference: {counted(report.reference, 'picture')}. {_OF_DISTANCES}")
        left_out = {one.distances.left_out for one in _sets(report) if one.distances is not None}
        lines += [f"No Fréchet distance: {reason}." for reason in sorted(left_out - {""})]
    if any(model.recovery for model in report.models):
        lines.append(_OF_SHARES)
    if report.refused:
        lines.append(f"{counted(len(report.refused), 'file')} of the reference could not be used.")
    return lines


def _sets(report: Report) -> list[SetSummary]:
    return [one for model in report.models for one in model.sets]


def _rows(report: Report) -> Iterator[tuple[ModelSummary, SetSummary]]:
    for model in report.models:
        for one in model.sets:
            yield model, one


def _name(one: SetSummary) -> str:
    return one.set if one.guidance is None else f"{one.set} at {one.guidance:g}"


def _pictures(report: Report) -> Table:
    rows = []
    for model, one in _rows(report):
        odd = ", ".join(f"{code} {count}" for code, count in {**one.withheld, **one.warnings}.items())
        counts = (str(one.pictures), str(sum(one.withheld.values())))
        rows.append((model.model, _name(one), *counts, odd or NOTHING))
    return ("model", "set", "drawn", "withheld", "said of them"), tuple(rows)


def _accuracy(report: Report) -> Table:
    rows = [
        (
            model.model,
            _name(one),
            row.question,
            f"{row.read.successes}/{row.read.n} {rate(row.read)} ({interval(row.read)})",
            _percent(row.oracle),
            _percent(row.corrected),
        )
        for model, one in _rows(report)
        for row in one.accuracy
    ]
    return ("model", "set", "question", "read as asked", "oracle right", "corrected"), tuple(rows)


def _worst(report: Report) -> Table:
    rows = [
        (model.model, _name(one), item.name, f"{item.right}/{item.n}")
        for model, one in _rows(report)
        for item in one.items[:_WORST]
        if item.right < item.n
    ]
    return ("model", "set", "prompt", "as asked"), tuple(rows)


def _distances(report: Report) -> Table:
    rows = []
    for model, one in _rows(report):
        if (far := one.distances) is not None:
            frechet = NOTHING if far.frechet is None else _estimate(far.frechet)
            ends = (number(far.frechet_extrapolated, 3), number(far.frechet_null, 3))
            kernel = (_estimate(far.kernel), number(far.kernel_null, 4))
            named = f"{far.features} ({far.dimensions})"
            rows.append((model.model, _name(one), named, frechet, *ends, *kernel))
    heads = ("model", "set", "features", "Fréchet", "extrapolated", "null", "kernel", "null")
    return heads, tuple(rows)


def _manifolds(report: Report) -> Table:
    rows = []
    for model, one in _rows(report):
        if (far := one.distances) is not None:
            seen = far.manifolds
            shares = (f"{rate(s)} ({interval(s)})" for s in (seen.precision, seen.recall, seen.coverage))
            rows.append((model.model, _name(one), *shares, number(seen.density, 2)))
    return ("model", "set", "precision", "recall", "coverage", "density"), tuple(rows)


def _recovery(report: Report) -> Table:
    rows = []
    for model in report.models:
        cells = () if model.recovery is None else model.recovery.cells
        groups = dict.fromkeys((cell.question, cell.guidance) for cell in cells)
        for question, guidance in groups:
            these = [cell for cell in cells if (cell.question, cell.guidance) == (question, guidance)]
            table = "" if model.recovery is None else model.recovery.table
            rows.append((model.model, table, question, f"{guidance:g}", *_of_cells(these)))
    heads = (
        "model",
        "table",
        "question",
        "guidance",
        "pictures",
        "mean TV",
        "by chance",
        "within",
        "largest",
    )
    return heads, tuple(rows)


def _of_cells(cells: list[Cell]) -> tuple[str, ...]:
    count = len(cells)
    worst = max(cells, key=lambda cell: cell.largest)
    return (
        str(sum(cell.n for cell in cells)),
        f"{sum(cell.distance for cell in cells) / count:.3f}",
        f"{sum(cell.by_chance for cell in cells) / count:.3f}",
        f"{sum(cell.within_chance for cell in cells)}/{count}",
        f"{worst.largest:.2f} {worst.profession}",
    )


def _amplification(report: Report) -> Table:
    rows = [
        (model.model, one.question, f"{one.guidance:g}", one.against, _signed(one), str(one.professions))
        for model in report.models
        if model.recovery is not None
        for one in model.recovery.amplification
    ]
    return ("model", "question", "guidance", "against", "more often by", "professions"), tuple(rows)


def _clips(report: Report) -> Table:
    rows = []
    for model, one in _rows(report):
        if (seen := one.clips) is not None:
            errors = (f"{seen.error:.2f}", f"{seen.shuffled:.2f}")
            steadier = f"{seen.steadier.successes}/{seen.steadier.n}"
            rest = (f"{seen.motion:.2f}", f"{100 * seen.agreeing:.0f} %")
            rows.append((model.model, _name(one), seen.flow, *errors, steadier, *rest))
    heads = ("model", "set", "flow", "warp error", "shuffled", "steadier", "px a frame", "flow agrees")
    return heads, tuple(rows)


def _estimate(one: Estimate) -> str:
    return f"{one.value:.4g} ({one.low:.4g}–{one.high:.4g})"


def _signed(one: Amplification) -> str:
    return f"{100 * one.value:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f}) points"


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f} %"
