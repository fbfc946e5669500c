"""The plots of a report, as SVG.

``exact.svg``     what is left of the payload under each attack, with intervals
``quality.svg``   detection against what the attack does to the picture (as WAVES draws it)
``sweeps.svg``    what is left over severity, for the kinds of attack that were swept
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.robustness import svg
from audits.robustness.scales import Family

if TYPE_CHECKING:
    from audits.robustness.report import MethodSummary, Report, Row

_LEFT, _RIGHT = 215, 30
"""Margins: attack names, the last tick's label."""


def drawn(report: Report) -> dict[str, str]:
    """File name → SVG."""
    plots = {"exact.svg": exact(report), "quality.svg": quality(report)}
    if any(method.areas for method in report.methods):
        plots["sweeps.svg"] = sweeps(report)
    return plots


def exact(report: Report) -> str:
    """A row an attack: rate of exact payloads with its interval, a colour a method."""
    across, step = 520, 12 + 6 * len(report.methods)
    width = _LEFT + across + _RIGHT
    rows = report.methods[0].rows
    body, top = _head(report, "Exact payload by attack, with 95 % intervals", width)
    bottom = top + step * len(rows)
    body += [
        svg.element("rect", x=0, y=top + step * index, width=width, height=step, fill="#f6f6f6")
        for index in range(1, len(rows), 2)
    ]
    body += _percent_axis(_LEFT, across, top, bottom)
    for index, row in enumerate(rows):
        middle = top + step * (index + 0.5)
        body.append(svg.label(row.attack, _LEFT - 12, middle + 4, text_anchor="end"))
        for place, (method, colour) in enumerate(_coloured(report)):
            y = middle + 6 * (place - (len(report.methods) - 1) / 2)
            body += _whisker(method, method.rows[index], colour, y, across)
    return svg.document("Exact payload by attack", width, bottom + 40, body)


def _whisker(method: MethodSummary, row: Row, colour: str, y: float, across: float) -> list[str]:
    share = row.exact
    told = f"{method.method}, {row.attack}: {share.successes} of {share.n}"
    return [
        svg.line(_LEFT + across * share.low, y, _LEFT + across * share.high, y, stroke=colour, opacity=0.5),
        svg.dot(_LEFT + across * share.rate, y, colour, told),
    ]


def quality(report: Report) -> str:
    """Detection over similarity before and after the attack; the line is the worst at that quality or better.

    Only attacks that leave pixels where they are have such a similarity.
    """
    left, across, down = 70, 560, 320
    lowest = min(
        [0.5, *(row.ssim for method in report.methods for row in method.rows if row.ssim is not None)]
    )
    body, top = _head(
        report, "Marks detected at 1 % false positives, by what the attack costs", left + across
    )
    body += _rate_axis(left, across, top, down)
    for tick in range(6):
        value = 1 - (1 - lowest) * tick / 5
        x = left + across * tick / 5
        body.append(svg.label(f"{value:.2f}", x, top + down + 18, text_anchor="middle"))
    caption = "SSIM of the attacked picture with the marked one: heavier attacks to the right"
    body.append(svg.label(caption, left + across / 2, top + down + 38, text_anchor="middle"))
    for method, colour in _coloured(report):
        points = sorted(_quality_points(method), key=lambda point: -point[0])
        places = [
            (left + across * (1 - like) / (1 - lowest), top + down * (1 - found), name)
            for like, found, name in points
        ]
        body += [svg.dot(x, y, colour, f"{method.method}, {name}") for x, y, name in places]
        body.append(svg.path(_worst([(x, y) for x, y, _ in places], left + across), colour, opacity=0.6))
    return svg.document("Detection against quality", left + across + _RIGHT, top + down + 55, body)


def _quality_points(method: MethodSummary) -> list[tuple[float, float, str]]:
    return [
        (row.ssim, share.rate, row.attack)
        for row in method.rows
        if row.ssim is not None and (share := row.detected or row.detected_strictly) is not None
    ]


def _worst(places: list[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """A staircase through the lowest place so far (y grows downwards), on to ``end``."""
    steps: list[tuple[float, float]] = []
    for x, y in places:
        low = max(y, steps[-1][1]) if steps else y
        steps += [(x, steps[-1][1]), (x, low)] if steps else [(x, low)]
    return [*steps, (end, steps[-1][1])] if steps else []


def sweeps(report: Report) -> str:
    """A panel a kind of attack: rate of exact payloads over severity, with intervals."""
    kinds = list(dict.fromkeys(kind for method in report.methods for kind in method.areas))
    side, gap, columns = 200, 55, 3
    rows = -(-len(kinds) // columns)
    width = max(60 + (side + gap) * min(columns, len(kinds)) - gap + _RIGHT, 640)
    title = "Exact payload over severity, from 0 (untouched) to 1 (the hardest of the sweep)"
    body, first = _head(report, title, width)
    for index, kind in enumerate(kinds):
        left = 60 + (side + gap) * (index % columns)
        top = first + 20 + (side + gap) * (index // columns)
        body += _rate_axis(left, side, top, side)
        for tick in (0, 0.5, 1):
            body.append(svg.label(f"{tick:g}", left + side * tick, top + side + 16, text_anchor="middle"))
        hardest = next(row.attack for row in report.methods[0].rows if row.kind == kind and row.severity == 1)
        told = f"{kind}, up to {hardest.partition(':')[2]}"
        body.append(svg.label(told, left + side / 2, top - 7, text_anchor="middle", font_weight="bold"))
        for method, colour in _coloured(report):
            body += _curve(method, kind, colour, left=left, top=top, side=side)
    return svg.document("Exact payload over severity", width, first + 20 + (side + gap) * rows, body)


def _curve(
    method: MethodSummary, kind: str, colour: str, *, left: float, top: float, side: float
) -> list[str]:
    rows = [row for row in method.rows if row.family is Family.NONE or row.kind == kind]
    rows.sort(key=lambda row: row.severity)
    xs = [left + side * row.severity for row in rows]

    def places(rates: list[float]) -> list[tuple[float, float]]:
        return [(x, top + side * (1 - rate)) for x, rate in zip(xs, rates, strict=True)]

    low, high = places([row.exact.low for row in rows]), places([row.exact.high for row in rows])
    middle = places([row.exact.rate for row in rows])
    dots = [
        svg.dot(
            x, y, colour, f"{method.method}, {row.attack}: {row.exact.successes} of {row.exact.n}", radius=2
        )
        for (x, y), row in zip(middle, rows, strict=True)
    ]
    return [svg.area([*low, *reversed(high)], colour), svg.path(middle, colour), *dots]


def _coloured(report: Report) -> list[tuple[MethodSummary, str]]:
    return list(zip(report.methods, svg.colours(len(report.methods)), strict=True))


def _head(report: Report, title: str, width: float) -> tuple[list[str], float]:
    """Title and legend, and where the plot begins."""
    names = [f"{method.method} ({method.payload_bits} bits)" for method in report.methods]
    legend, top = svg.legend(names, 24, 46, width)
    title = f"{title}; {report.pictures} pictures"
    return [svg.label(title, 20, 24, font_size=15, font_weight="bold"), legend], top


def _percent_axis(left: float, across: float, top: float, bottom: float) -> list[str]:
    body = []
    for tick in (0, 25, 50, 75, 100):
        x = left + across * tick / 100
        body.append(svg.line(x, top, x, bottom, stroke=svg.FAINT))
        body.append(svg.label(f"{tick} %", x, bottom + 18, text_anchor="middle"))
    return body


def _rate_axis(left: float, across: float, top: float, down: float) -> list[str]:
    body = []
    for tick in (0, 25, 50, 75, 100):
        y = top + down * (1 - tick / 100)
        body.append(svg.line(left, y, left + across, y, stroke=svg.FAINT))
        body.append(svg.label(f"{tick} %", left - 8, y + 4, text_anchor="end", font_size=11))
    return body
