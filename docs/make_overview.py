"""Make docs/images/overview.png from what `make demo` left in ./demo.

make demo && .venv/bin/python docs/make_overview.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guard import Home, recover_file
from provenance.digest import DigestReading

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo"
SIDE, GAP, CAPTION = 250, 14, 44
INK, SOFT, RED = (28, 28, 32), (108, 110, 118), (214, 40, 40)


def altered_overlay(reading: DigestReading, original: Image.Image) -> Image.Image:
    """The released picture, dimmed where the copy was cut away, outlined in red where it was altered."""
    canvas = original.convert("RGB").resize((SIDE, SIDE))
    left, top, right, bottom = (round(value * SIDE) for value in reading.kept)
    dimmed = Image.blend(canvas, Image.new("RGB", canvas.size, "white"), 0.72)
    dimmed.paste(canvas.crop((left, top, right, bottom)), (left, top))
    draw = ImageDraw.Draw(dimmed)
    draw.rectangle((left, top, right - 1, bottom - 1), outline=SOFT)
    rows, columns = np.nonzero(np.array(reading.altered))
    if len(rows):
        cell = SIDE / 32
        box = (columns.min() * cell, rows.min() * cell, (columns.max() + 1) * cell, (rows.max() + 1) * cell)
        draw.rectangle(box, outline=RED, width=4)
    return dimmed


def main() -> None:
    home = Home(folder=DEMO / "home")
    released = sorted((DEMO / "out").glob("*.png"))
    found = recover_file(DEMO / "copy.jpg", home=home)
    reading = found.candidates[0].digest.detail
    assert isinstance(reading, DigestReading)
    origin = DEMO / "out" / f"{found.candidates[0].entry.content_id.hex()}.png"
    copy = Image.open(DEMO / "copy.jpg").convert("RGB")
    copy.thumbnail((SIDE, SIDE))
    panels = [(Image.open(path).convert("RGB").resize((SIDE, SIDE)), "DEVELOPMENT") for path in released[:3]]
    panels += [(copy, "a stranger's copy"), (altered_overlay(reading, Image.open(origin)), "RECOVERED")]
    words = ["marked, signed, logged"] * 3
    words += [
        "stripped, cropped, painted, JPEG 55",
        f"cropped to {reading.crop_fraction:.0%}, altered in red",
    ]
    width = len(panels) * (SIDE + GAP) + GAP
    page = Image.new("RGB", (width, SIDE + 2 * GAP + CAPTION), "white")
    draw = ImageDraw.Draw(page)
    bold, small = ImageFont.load_default(17), ImageFont.load_default(13)
    for index, (panel, title) in enumerate(panels):
        x = GAP + index * (SIDE + GAP)
        page.paste(panel, (x + (SIDE - panel.width) // 2, GAP + (SIDE - panel.height) // 2))
        draw.text((x, SIDE + GAP + 8), title, fill=INK, font=bold)
        draw.text((x, SIDE + GAP + 30), words[index], fill=SOFT, font=small)
    page.save(ROOT / "docs" / "images" / "overview.png", optimize=True)


if __name__ == "__main__":
    main()
