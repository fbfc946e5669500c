"""Small pictures in rows, with words beside, above and below them; and how a sheet becomes a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[Any]

PAPER, INK, SOFT = "white", (28, 28, 32), (96, 98, 106)
GAP, LINE, LETTERS = 3, 13, 11
"""Pixels between pictures, of a line of text, and of its letters."""
_QUALITY = 82
"""Of WebP: drawings show no loss at it, and all sheets together stay small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Pictures side by side.

    Attributes:
        pixels: (h, w, 3) uint8 each; None leaves a place empty.
        label: at the left, in lines.
        captions: below the pictures, in lines; () for none.
    """

    pixels: Sequence[Pixels | None]
    label: str = ""
    captions: Sequence[str] = ()


def sheet(rows: Sequence[Row], *, side: int, head: Sequence[str] = ()) -> Image.Image:
    """All rows, pictures ``side`` pixels wide, with the words of ``head`` above the columns."""
    words = max((_wide(row.label) for row in rows), default=0)
    left = words + 2 * GAP if words else 0
    columns = max(len(row.pixels) for row in rows)
    below = max((text.count("\n") + 1 for row in rows for text in row.captions), default=0) * LINE
    top = LINE + GAP if head else 0
    step = side + GAP + below + (GAP if below else 0)
    page = Image.new("RGB", (left + columns * (side + GAP) - GAP, top + len(rows) * step - GAP), PAPER)
    draw = ImageDraw.Draw(page)
    for column, text in enumerate(head):
        _centred(draw, text, left + column * (side + GAP), 0, side)
    for number, row in enumerate(rows):
        y = top + number * step
        height = (row.label.count("\n") + 1) * LINE
        draw.multiline_text((0, y + (side - height) // 2), row.label, INK, _font(), spacing=2)
        for column, pixels in enumerate(row.pixels):
            if pixels is not None:
                page.paste(fitted(pixels, side), (left + column * (side + GAP), y))
        for column, text in enumerate(row.captions):
            _centred(draw, text, left + column * (side + GAP), y + side + GAP, side)
    return page


def fitted(pixels: Pixels, side: int) -> Image.Image:
    """Reduced by area means, enlarged to plain squares: nothing is made up between pixels."""
    picture = Image.fromarray(pixels)
    smaller = picture.width > side
    return picture.resize((side, side), Image.Resampling.BOX if smaller else Image.Resampling.NEAREST)


def wrapped(items: Sequence[Any], columns: int) -> list[Sequence[Any]]:
    """``items`` in rows."""
    return [items[start : start + columns] for start in range(0, len(items), columns)]


def captioned(pictures: Sequence[Pixels], captions: Sequence[str], columns: int) -> list[Row]:
    """``pictures`` in rows, each with its caption below."""
    lines = wrapped(list(zip(pictures, captions, strict=True)), columns)
    return [Row(pixels=[one for one, _ in line], captions=[said for _, said in line]) for line in lines]


def beside(sheets: Sequence[Image.Image], gap: int = 28) -> Image.Image:
    """Sheets in one line."""
    page = Image.new("RGB", (sum(s.width + gap for s in sheets) - gap, max(s.height for s in sheets)), PAPER)
    x = 0
    for one in sheets:
        page.paste(one, (x, 0))
        x += one.width + gap
    return page


def save(page: Image.Image, path: Path) -> None:
    """As WebP, in a white frame, for the documentation only."""
    framed = Image.new("RGB", (page.width + 16, page.height + 16), PAPER)
    framed.paste(page, (8, 8))
    framed.save(path, quality=_QUALITY, method=6)


def _centred(draw: ImageDraw.ImageDraw, text: str, x: int, y: int, width: int) -> None:
    """Lines of text in the middle of a column, in smaller letters where they would leave it."""
    for number, line in enumerate(text.split("\n")):
        size = next((s for s in range(LETTERS, 6, -1) if _wide(line, s) <= width), 7)
        at = x + (width - _wide(line, size)) // 2
        draw.text((at, y + number * LINE + LETTERS), line, SOFT, _font(size), anchor="ls")


def _wide(text: str, size: int = LETTERS) -> int:
    return max(round(_font(size).getlength(line)) for line in text.split("\n"))


def _font(size: int = LETTERS) -> Any:
    return ImageFont.load_default(size)
