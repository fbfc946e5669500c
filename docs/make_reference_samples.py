"""Draws ``docs/images/reference-models.png`` from what the reference models left.

``python docs/make_reference_samples.py inputs FOLDER`` writes the two pictures that GPNN and the automaton
learn from; ``python docs/make_reference_samples.py sheet RUNS`` lays out RUNS/{ddpm,vae,realnvp,gpnn,nca}.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from safetensors.numpy import load_file
from skimage import data

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


def sheet(runs: Path) -> None:
    """One row a model, with its name."""
    rows = [("DDPM, guided", "ddpm", 4), ("VAE", "vae", 4), ("RealNVP", "realnvp", 4), ("GPNN", "gpnn", 2)]
    bands = [band(title, runs / name, grow) for title, name, grow in (*rows, ("automaton", "nca", 3))]
    whole = Image.new("RGB", (WIDE, sum(b.height + GAP for b in bands)), "white")
    top = 0
    for one in bands:
        whole.paste(one, (0, top))
        top += one.height + GAP
    whole.save(SHEET, optimize=True)


def band(title: str, folder: Path, grow: int) -> Image.Image:
    pixels = load_file(folder / "samples.safetensors")["pixels"]
    tiles = [tile(one, grow) for one in pixels]
    if (folder / "source.png").is_file():
        source = Image.open(folder / "source.png").resize(tiles[0].size, Image.Resampling.BOX)
        tiles.insert(0, tile(np.asarray(source), 1))
    wide, high = tiles[0].size
    count = (WIDE - NAMES) // (wide + 2)
    made = Image.new("RGB", (WIDE, high), "white")
    ImageDraw.Draw(made).text((4, high // 2 - 6), title, "black")
    for i, one in enumerate(tiles[:count]):
        made.paste(one, (NAMES + i * (wide + 2), 0))
    return made


def tile(pixels: np.ndarray, grow: int) -> Image.Image:
    whole = Image.fromarray(pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels).convert("RGBA")
    ground = Image.new("RGBA", whole.size, "white")
    ground.alpha_composite(whole)
    return ground.convert("RGB").resize((whole.width * grow, whole.height * grow), Image.Resampling.NEAREST)


if __name__ == "__main__":
    {"inputs": inputs, "sheet": sheet}[sys.argv[1]](Path(sys.argv[2]))
