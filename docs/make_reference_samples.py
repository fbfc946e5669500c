"""Draws ``docs/images/reference-models.png`` with the reference models, for this documentation only.

``python docs/make_reference_samples.py inputs FOLDER`` writes the two pictures that GPNN and the automaton
learn from; ``python docs/make_reference_samples.py sheet RUNS FOLDER`` draws with RUNS/{ddpm,vae,realnvp,
gpnn,nca}, which were trained with ``--out``, and lays the pictures out beside those of FOLDER.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw
from skimage import data

from generators.registry import load
from generators.request import GenerationRequest

SHEET = Path(__file__).parent / "images" / "reference-models.png"
WIDE, GAP, NAMES = 640, 8, 100


def inputs(folder: Path) -> None:
    """A CC0 photograph of scikit-image (coffee, R. Michetti), and a flower drawn here."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(data.coffee()).save(folder / "coffee.png")
    flower = Image.new("RGBA", (160, 160))
    pen = ImageDraw.Draw(flower)
    for x, y in ((80, 30), (128, 65), (110, 122), (50, 122), (32, 65)):
        pen.ellipse((x - 28, y - 28, x + 28, y + 28), (200, 60, 120, 255))
    pen.ellipse((52, 52, 108, 108), (250, 200, 40, 255))
    flower.save(folder / "flower.png")


def sheet(runs: Path, folder: Path) -> None:
    """One row a model, with its name."""
    ones = [GenerationRequest(prompt="", seeds=(seed,)) for seed in range(16)]
    asked = [replace(one, prompt=str(i % 10)) for i, one in enumerate(ones)]
    grown = [replace(ones[0], num_inference_steps=steps) for steps in (1, 4, 8, 12, 16, 20)]
    bands = [
        band("DDPM, guided", runs / "ddpm", 4, asked),
        band("VAE", runs / "vae", 4, ones),
        band("RealNVP", runs / "realnvp", 4, ones),
        band("GPNN", runs / "gpnn", 2, ones[:4], folder / "coffee.png"),
        band("automaton", runs / "nca", 3, grown, folder / "flower.png"),
    ]
    whole = Image.new("RGB", (WIDE, sum(b.height + GAP for b in bands)), "white")
    top = 0
    for one in bands:
        whole.paste(one, (0, top))
        top += one.height + GAP
    whole.save(SHEET, optimize=True)


def band(
    title: str, folder: Path, grow: int, asked: list[GenerationRequest], source: Path | None = None
) -> Image.Image:
    model = load(f"dir:{folder}", threads=1)
    high, wide = (side * grow for side in model.settings.shape[1:])
    tiles = [
        Image.fromarray(made.frames.pixels[0])
        for one in asked
        for made in model.generate(replace(one, width=wide, height=high))
    ]
    if source is not None:
        tiles.insert(0, on_white(source, wide, high))
    made = Image.new("RGB", (WIDE, high), "white")
    ImageDraw.Draw(made).text((4, high // 2 - 6), title, "black")
    for i, tile in enumerate(tiles[: (WIDE - NAMES) // (wide + 2)]):
        made.paste(tile, (NAMES + i * (wide + 2), 0))
    return made


def on_white(path: Path, wide: int, high: int) -> Image.Image:
    picture = Image.open(path).convert("RGBA").resize((wide, high), Image.Resampling.BOX)
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    return ground.convert("RGB")


if __name__ == "__main__":
    {"inputs": inputs, "sheet": sheet}[sys.argv[1]](*map(Path, sys.argv[2:]))
