"""The plots of a report, as SVG.

``exact.svg``     what is left of the payload under each attack, with intervals
``quality.svg``   detection against what the attack does to the picture (as WAVES draws it)
``sweeps.svg``    what is left over severity, for the kinds of attack that were swept
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from audits.robustness import svg
from audits.robustness.scales import Family
from audits.tabular import counted

if TYPE_CHECKING:
    from audits.robustness.report import MethodSummary, Report, Row

_LEFT, _RIGHT = 215, 30
"""Margins: attack names, the last tick's label."""
_LETTER = 9.5
"""Pixels to a letter of a title, at most: 15 px, bold, in a wide face."""


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
    strictly, what = _quality_threshold(report)
    lowest = min(
        [0.5, *(row.ssim for method in report.methods for row in method.rows if row.ssim is not None)]
    )
    body, top = _head(report, f"{what}, by what the attack costs", left + across + _RIGHT)
    body += _rate_axis(left, across, top, down)
    for tick in range(6):
        value = 1 - (1 - lowest) * tick / 5
        x = left + across * tick / 5
        body.append(svg.label(f"{value:.2f}", x, top + down + 18, text_anchor="middle"))
    caption = "SSIM of the attacked picture with the marked one: heavier attacks to the right"
    body.append(svg.label(caption, left + across / 2, top + down + 38, text_anchor="middle"))
    for place, (method, colour) in enumerate(_coloured(report)):
        points = sorted(_quality_points(method, strictly=strictly), key=lambda point: -point[0])
        places = [
            (left + across * (1 - like) / (1 - lowest), top + down * (1 - found), name)
            for like, found, name in points
        ]
        wider = _wider(report, place)
        steps = _worst([(x, y) for x, y, _ in places], left + across)
        body.append(svg.path(steps, colour, opacity=0.6, stroke_width=1.6 + wider))
        body += [
            svg.dot(x, y, colour, f"{method.method}, {name}", radius=2.6 + wider) for x, y, name in places
        ]
    foot = top + down + 58
    for number, line in enumerate(_left_out(report)):
        body.append(svg.label(line, 20, foot + 15 * number, font_size=11))
    height = foot + 15 * len(_left_out(report))
    return svg.document("Detection against quality", left + across + _RIGHT, height, body)


def _quality_threshold(report: Report) -> tuple[bool, str]:
    """Whether the strict threshold is used, which is where a method has too few scores for the common one."""
    if all(method.common is not None for method in report.methods):
        return False, "Marks detected at 1 % false positives"
    least = min((method.strict.n for method in report.methods if method.strict is not None), default=0)
    return True, f"Marks above every unmarked score ({least} or more a method)"


def _quality_points(method: MethodSummary, *, strictly: bool) -> list[tuple[float, float, str]]:
    return [
        (row.ssim, share.rate, row.attack)
        for row in method.rows
        if row.ssim is not None and (share := row.detected_strictly if strictly else row.detected) is not None
    ]


def _left_out(report: Report) -> list[str]:
    """Lines that name what ``quality`` cannot show."""
    rows = zip(*(method.rows for method in report.methods), strict=True)
    moved = [same[0].attack for same in rows if all(row.ssim is None for row in same)]
    blind = [method.method for method in report.methods if method.strict is None]
    told = [f"Not shown, as they move pixels or lose every picture: {', '.join(moved)}"] if moved else []
    told += [f"Not shown, as they were not looked at without a mark: {', '.join(blind)}"] if blind else []
    return [line for sentence in told for line in wrap(sentence, 100)]


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
    side, gap, deep, columns = 200, 75, 95, 3
    rows = -(-len(kinds) // columns)
    width = max(80 + (side + gap) * min(columns, len(kinds)) - gap + _RIGHT, 640)
    title = "Exact payload over severity, from 0 (untouched) to 1 (the hardest of the sweep)"
    body, first = _head(report, title, width)
    for index, kind in enumerate(kinds):
        left = 80 + (side + gap) * (index % columns)
        top = first + 20 + (side + deep) * (index // columns)
        body += _rate_axis(left, side, top, side)
        for tick in (0, 0.5, 1):
            body.append(svg.label(f"{tick:g}", left + side * tick, top + side + 16, text_anchor="middle"))
        hardest = next(row.attack for row in report.methods[0].rows if row.kind == kind and row.severity == 1)
        body.append(svg.label(kind, left + side / 2, top - 11, text_anchor="middle", font_weight="bold"))
        told = f"severity, 1 is {hardest}"
        body.append(svg.label(told, left + side / 2, top + side + 34, text_anchor="middle"))
        body.append(_upwards("exact payload", left - 50, top + side / 2))
        for place, (method, colour) in enumerate(_coloured(report)):
            wider = _wider(report, place)
            body += _curve(method, kind, colour, wider, left=left, top=top, side=side)
    return svg.document("Exact payload over severity", width, first + 20 + (side + deep) * rows, body)


def _upwards(words: str, x: float, y: float) -> str:
    turned = f"rotate(-90 {x:g} {y:g})"
    return svg.label(words, x, y, text_anchor="middle", transform=turned)


def _curve(
    method: MethodSummary, kind: str, colour: str, wider: float, *, left: float, top: float, side: float
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
            x,
            y,
            colour,
            f"{method.method}, {row.attack}: {row.exact.successes} of {row.exact.n}",
            radius=2 + wider,
        )
        for (x, y), row in zip(middle, rows, strict=True)
    ]
    line = svg.path(middle, colour, stroke_width=1.6 + wider)
    return [svg.area([*low, *reversed(high)], colour), line, *dots]


def _wider(report: Report, place: int) -> float:
    """Methods drawn first are drawn wider, so that the next do not hide them where both are the same."""
    later = len(report.methods) - 1 - place
    return later * min(1.2, 5 / len(report.methods))


def _coloured(report: Report) -> list[tuple[MethodSummary, str]]:
    return list(zip(report.methods, svg.colours(len(report.methods)), strict=True))


def _head(report: Report, title: str, width: float) -> tuple[list[str], float]:
    """Title and legend, and where the plot begins."""
    names = [f"{method.method} ({method.payload_bits} bits)" for method in report.methods]
    lines = wrap(f"{title}; {counted(report.pictures, 'picture')}", int((width - 40) / _LETTER))
    legend, top = svg.legend(names, 24, 26 + 20 * len(lines), width)
    heads = [
        svg.label(line, 20, 24 + 20 * number, font_size=15, font_weight="bold")
        for number, line in enumerate(lines)
    ]
    return [*heads, legend], top


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
