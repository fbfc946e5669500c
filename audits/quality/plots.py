"""Planted shares and what was found of them, as SVG: a row a profession, a colour a guidance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.quality.planted import QUESTIONS
from audits.robustness import svg

if TYPE_CHECKING:
    from audits.quality.recovery import Cell, Recovery
    from audits.quality.report import Report

_LEFT, _ACROSS, _STEP, _GAP, _RIGHT = 150, 170, 22, 52, 30
"""Pixels: names, a panel, a row, between panels, the margin."""


def drawn(report: Report) -> dict[str, str]:
    """File name → SVG."""
    return {
        f"shares-{place}.svg": shares(model.model, model.recovery)
        for place, model in enumerate(report.models, 1)
        if model.recovery is not None and model.recovery.cells
    }


def shares(model: str, recovery: Recovery) -> str:
    """A panel an answer: the planted share as a bar, the corrected ones as dots with their intervals."""
    professions = list(dict.fromkeys(cell.profession for cell in recovery.cells))
    scales = list(dict.fromkeys(cell.guidance for cell in recovery.cells))
    panels = _panels(recovery)
    width = _LEFT + (_ACROSS + _GAP) * len(panels) + _RIGHT
    title = f"{model}: shares found, and planted ({recovery.table}, gray bars)"
    legend, top = svg.legend([f"guidance {scale:g}" for scale in scales], 24, 46, width)
    body = [svg.label(title, 20, 24, font_size=15, font_weight="bold"), legend]
    top += 24
    bottom = top + _STEP * len(professions)
    for row, name in enumerate(professions):
        body.append(svg.label(name, _LEFT - 12, top + _STEP * (row + 0.5) + 4, text_anchor="end"))
    for column, (question, answer) in enumerate(panels):
        left = _LEFT + (_ACROSS + _GAP) * column
        head = f"{question}: {answer}"
        body.append(svg.label(head, left + _ACROSS / 2, top - 8, text_anchor="middle", font_weight="bold"))
        body += _axis(left, top, bottom)
        for cell in recovery.cells:
            if cell.question == question:
                y = top + _STEP * (professions.index(cell.profession) + 0.5)
                body += _marked(cell, answer, scales.index(cell.guidance), len(scales), (left, y))
    return svg.document("Planted shares and what was found", width, bottom + 40, body)


def _panels(recovery: Recovery) -> list[tuple[str, str]]:
    """Questions and answers that any profession has a planted share of."""
    return list(
        dict.fromkeys(
            (cell.question, one.answer)
            for question in QUESTIONS
            for cell in recovery.cells
            if cell.question == question
            for one in cell.shares
            if one.planted > 0
        )
    )


def _axis(left: float, top: float, bottom: float) -> list[str]:
    body = []
    for tick in (0, 50, 100):
        x = left + _ACROSS * tick / 100
        body.append(svg.line(x, top, x, bottom, stroke=svg.FAINT))
        body.append(svg.label(f"{tick} %", x, bottom + 18, text_anchor="middle"))
    return body


def _marked(cell: Cell, answer: str, place: int, places: int, at: tuple[float, float]) -> list[str]:
    left, middle = at
    one = next(share for share in cell.shares if share.answer == answer)
    y = middle + 6 * (place - (places - 1) / 2)
    colour = svg.colours(places)[place]
    told = (
        f"{cell.profession} at {cell.guidance:g}: {one.observed} of {cell.n} read, {one.share:.2f} corrected"
    )
    planted = left + _ACROSS * one.planted
    return [
        svg.line(planted, middle - 9, planted, middle + 9, stroke="#888888", stroke_width=3),
        svg.line(left + _ACROSS * one.low, y, left + _ACROSS * one.high, y, stroke=colour, opacity=0.5),
        svg.dot(left + _ACROSS * one.share, y, colour, told),
    ]
