"""Tables as text: aligned for a terminal, piped for Markdown; and the numbers that stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audits.statistics import Proportion

NOTHING = "–"
"""What a table shows where there is no figure."""

Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""Heads, rows."""


def aligned(table: Table) -> str:
    """Columns under their heads, the first to the left and the others to the right."""
    heads, rows = table
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *rows)
    ]
    return "\n".join(lines)


def piped(table: Table) -> str:
    """The same as Markdown."""
    heads, rows = table
    rule = tuple("---" if column == 0 else "--:" for column in range(len(heads)))
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def counted(number: int, thing: str) -> str:
    """``1 picture``, ``2 pictures``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def rate(share: Proportion) -> str:
    """In percent, with one decimal place unless it is 0 or 100."""
    percent = 100 * share.rate
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def interval(share: Proportion) -> str:
    """Its ends in percent."""
    return f"{100 * share.low:.1f}–{100 * share.high:.1f}"


def number(value: float | None, places: int) -> str:
    """With so many decimal places, or ``NOTHING``."""
    return NOTHING if value is None else f"{value:.{places}f}"
