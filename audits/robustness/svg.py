"""A few SVG elements as text: enough for plots that are the same bytes on every machine."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Okabe and Ito's, told apart by readers with any colour vision."""
INK, FAINT = "#222222", "#dddddd"


def element(name: str, text: str = "", /, **attributes: float | str) -> str:
    """One element; ``_`` in attribute names becomes ``-``, numbers get two decimal places at most."""
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}={_value(value)}" for key, value in attributes.items()
    )
    return f"<{name}{said}/>" if not text else f"<{name}{said}>{text}</{name}>"


def label(words: str, x: float, y: float, **attributes: float | str) -> str:
    """Text with its baseline at (x, y)."""
    return element("text", escape(words), x=x, y=y, **{"fill": INK, **attributes})


def line(x1: float, y1: float, x2: float, y2: float, **attributes: float | str) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **{"stroke": INK, **attributes})


def dot(x: float, y: float, colour: str, told: str, *, radius: float = 3.2) -> str:
    """A filled circle that tells ``told`` under the pointer."""
    return element("circle", element("title", escape(told)), cx=x, cy=y, r=radius, fill=colour)


def path(points: list[tuple[float, float]], colour: str, **attributes: float | str) -> str:
    """Straight lines through ``points``."""
    drawn = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return element(
        "polyline", points=drawn, **{"fill": "none", "stroke": colour, "stroke_width": 1.6, **attributes}
    )


def area(points: list[tuple[float, float]], colour: str) -> str:
    """A pale surface inside ``points``."""
    drawn = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return element("polygon", points=drawn, fill=colour, opacity=0.15)


def legend(names: list[str], left: float, top: float, right: float) -> tuple[str, float]:
    """A dot and a name for each series, in as many rows as it takes, and where the next thing may begin."""
    parts, x, y = [], left, top
    for name, colour in zip(names, colours(len(names)), strict=True):
        across = 34 + 6.5 * len(name)
        if x > left and x + across > right:
            x, y = left, y + 18
        parts += [dot(x, y - 4, colour, name, radius=4), label(name, x + 9, y)]
        x += across
    return "".join(parts), y + 16


def colours(count: int) -> list[str]:
    """One for each of ``count`` series; they repeat after the last."""
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def document(title: str, width: float, height: float, body: list[str]) -> str:
    """A whole file, on white, with ``title`` for those who cannot see it."""
    view = f"0 0 {width:g} {height:g}"
    paper = element("rect", width=width, height=height, fill="#ffffff")
    inside = "\n".join([element("title", escape(title)), paper, *body])
    namespace = "http://www.w3.org/2000/svg"
    font = "system-ui, 'DejaVu Sans', Arial, sans-serif"
    return (
        element(
            "svg", f"\n{inside}\n", xmlns=namespace, viewBox=view, width=width, font_family=font, font_size=12
        )
        + "\n"
    )


def _value(value: float | str) -> str:
    return quoteattr(value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip("."))
