"""Unmarked pictures of many kinds, and what the web does to them: for ``mark_calibration.py``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from audits.robustness import attacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

BACKGROUNDS = Path("/usr/share/backgrounds/mate")
"""Debian's mate-backgrounds: photographs and artwork."""
COPIES: dict[str, attacks.Transform] = {
    "none": lambda pixels: pixels,
    "jpeg90": attacks.jpeg(90),
    "jpeg50": attacks.jpeg(50),
    "half": attacks.resize(0.5),
    "0.7, jpeg75": attacks.chain(attacks.resize(0.7), attacks.jpeg(75)),
    "1.4, jpeg85": attacks.chain(attacks.resize(1.4), attacks.jpeg(85)),
}


def sources(*, drawn: int = 6) -> Iterator[tuple[str, str, Picture]]:
    """(kind, name, (H, W, 3) pixels) of every source at hand, one at a time.

    Args:
        drawn: pictures of the bundled generator.
    """
    yield from photographs()
    for path in sorted(BACKGROUNDS.glob("*/*")) if BACKGROUNDS.is_dir() else ():
        with Image.open(path) as image:
            kind = "photograph" if path.parent.name == "nature" else "artwork"
            yield kind, path.stem, np.asarray(image.convert("RGB"))
    for name, draw in STRUCTURED.items():
        for seed in range(3):
            yield "structured", f"{name}-{seed}", draw(np.random.default_rng(seed))
    yield from _drawn(drawn)


def patches(pixels: Picture, random: np.random.Generator, *, most: int) -> Iterator[Picture]:
    """Up to ``most`` pieces of 288 to 720 pixels a side, anywhere in the picture."""
    height, width = pixels.shape[:2]
    for _ in range(most):
        rows, columns = (min(side, int(random.integers(288, 721))) for side in (height, width))
        top, left = int(random.integers(0, height - rows + 1)), int(random.integers(0, width - columns + 1))
        yield pixels[top : top + rows, left : left + columns].copy()


def photographs() -> Iterator[tuple[str, str, Picture]]:
    """(kind, name, pixels) of the photographs in scikit-image and scikit-learn."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    names = ("astronaut", "chelsea", "rocket", "coffee", "hubble_deep_field", "retina")
    for name in names:
        yield "photograph", name, np.asarray(getattr(data, name)())
    yield "photograph", "motorcycle", np.asarray(data.stereo_motorcycle()[0])
    for name in ("china", "flower"):
        yield "photograph", name, np.asarray(load_sample_image(f"{name}.jpg"))
    for name in ("camera", "coins", "page", "brick", "grass", "gravel"):
        gray = np.asarray(getattr(data, name)())
        yield "photograph", name, np.repeat(gray[..., None], 3, axis=2)


def _drawn(count: int) -> Iterator[tuple[str, str, Picture]]:
    from generators.registry import load
    from generators.request import GenerationRequest

    request = GenerationRequest(prompt="a portrait of a teacher", seeds=tuple(range(count)))
    for seed, made in enumerate(load("bundled:emoji", threads=1).generate(request) if count else ()):
        yield "generated", f"teacher-{seed}", made.frames.pixels[0].astype(np.uint8)


def _text(random: np.random.Generator) -> Picture:
    page = Image.new("RGB", (800, 640), "white")
    draw = ImageDraw.Draw(page)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz   "))
    for row in range(8, 630, int(random.integers(12, 20))):
        draw.text((10, row), "".join(random.choice(letters, 120)), fill="black")
    return np.asarray(page)


def _grid(random: np.random.Generator) -> Picture:
    rows, columns = np.mgrid[:640, :720]
    across, down = random.integers(5, 40, 2)
    lines = (columns % across < 2) | (rows % down < 2)
    return _rgb(np.where(lines, 30, 225))


def _fence(random: np.random.Generator) -> Picture:
    rows, columns = np.mgrid[:640, :720]
    angle, period = random.uniform(0, np.pi), random.uniform(3, 24)
    return _rgb(128 + 90 * np.cos(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / period))


def _gradient(random: np.random.Generator) -> Picture:
    rows, columns = np.mgrid[:640, :720]
    a, b = random.uniform(-0.3, 0.3, 2)
    return _rgb(128 + a * (rows - 320) + b * (columns - 360))


def _noise(random: np.random.Generator) -> Picture:
    return _rgb(random.normal(128, random.uniform(4, 60), (640, 720)))


def _checks(random: np.random.Generator) -> Picture:
    rows, columns = np.mgrid[:640, :720]
    side = int(random.integers(6, 48))
    return _rgb(np.where((rows // side + columns // side) % 2, 210, 40))


def _repeated(random: np.random.Generator) -> Picture:
    """A textile: one 128 px tile laid side by side, which is what the search looks for."""
    return _rgb(np.tile(random.normal(128, 30, (128, 128)), (5, 6))[:640, :720])


STRUCTURED: dict[str, Callable[[np.random.Generator], Picture]] = {
    "text": _text,
    "grid": _grid,
    "fence": _fence,
    "gradient": _gradient,
    "noise": _noise,
    "checks": _checks,
    "repeated": _repeated,
}


def _rgb(gray: NDArray[np.floating]) -> Picture:
    flat = np.rint(np.clip(gray, 0, 255)).astype(np.uint8)
    return np.repeat(flat[..., None], 3, axis=2)
