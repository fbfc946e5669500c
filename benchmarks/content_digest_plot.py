"""Draw docs/images/content-digest.png from the committed result (``content_digest.py`` makes that)."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
SIDE, LEFT, TOP, GAP = 260, 56, 40, 90
INK, SOFT, GRID = (28, 28, 32), (108, 110, 118), (226, 226, 230)
COLOURS = ((31, 119, 180), (214, 90, 14), (44, 140, 44), (190, 40, 40), (128, 90, 170))


def main() -> None:
    result = json.loads((ROOT / "benchmarks/results/content_digest.json").read_text())["photographs"]
    page = Image.new("RGB", (2 * (SIDE + GAP) + 130, SIDE + 2 * TOP + 16), "white")
    draw = ImageDraw.Draw(page)
    roc = [(point["false_alarms"], point["found"]) for point in result["roc"]]
    axes(draw, LEFT, "edits from 5 % found / false alarms", ("0", "0.05", "0.1"))
    line(draw, LEFT, [(rate / 0.1, found) for rate, found in roc if rate <= 0.1], COLOURS[0])
    second = LEFT + SIDE + GAP
    axes(draw, second, "found and located / side of the edit", ("3 %", "8 %", "12 %", "20 %", "30 %"))
    for index, (kind, sizes) in enumerate(result["by_kind_and_share"].items()):
        rates = [(name, row["found_and_located"]) for name, row in sizes.items() if row["found_and_located"]]
        places = [(place(name), rate["rate"]) for name, rate in rates]
        line(draw, second, places, COLOURS[index])
        y = TOP + 20 * index
        draw.text((second + SIDE + 14, y), kind, fill=COLOURS[index], font=ImageFont.load_default(12))
    page.quantize(32, dither=Image.Dither.NONE).save(ROOT / "docs/images/content-digest.png", optimize=True)


def place(name: str) -> float:
    """Sizes stand evenly: 3, 5, 8, 12, 20, 30 %."""
    return ("3%", "5%", "8%", "12%", "20%", "30%").index(name) / 5


def axes(draw: ImageDraw.ImageDraw, left: int, title: str, ticks: tuple[str, ...]) -> None:
    small = ImageFont.load_default(12)
    draw.text((left, TOP - 28), title, fill=INK, font=ImageFont.load_default(14))
    for tenth in range(0, 11, 2):
        y = TOP + SIDE - tenth * SIDE // 10
        draw.line((left, y, left + SIDE, y), fill=GRID)
        draw.text((left - 36, y - 7), f"{10 * tenth} %", fill=SOFT, font=small)
    spots = {"3 %": 0.0, "8 %": 0.4, "12 %": 0.6, "20 %": 0.8, "30 %": 1.0, "0": 0.0, "0.05": 0.5, "0.1": 1.0}
    for tick in ticks:
        draw.text((left + spots[tick] * SIDE - 10, TOP + SIDE + 6), tick, fill=SOFT, font=small)


def line(
    draw: ImageDraw.ImageDraw, left: int, points: list[tuple[float, float]], colour: tuple[int, int, int]
) -> None:
    spots = [(left + x * SIDE, TOP + SIDE - y * SIDE) for x, y in points]
    draw.line(spots, fill=colour, width=2)
    for x, y in spots:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)


if __name__ == "__main__":
    main()
