"""Pictures to mark: photographs from installed packages, and flat art drawn here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from provenance.media import Frames
from provenance.watermark.interface import WatermarkKey


def frames(pixels, alpha=None) -> Frames:
    pixels = np.array(pixels)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return Frames(pixels=pixels[None], alpha=None if alpha is None else np.array(alpha)[None])


def flat_art(seed: int, side: int = 512):
    """A figure on a coloured, slightly textured ground, as the bundled model draws them."""
    random = np.random.default_rng(seed)
    ground = np.linspace(random.uniform(90, 200, 3), random.uniform(90, 200, 3), side)[:, None]
    image = Image.fromarray(np.broadcast_to(ground, (side, side, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x, y = side * random.uniform(0.35, 0.65), side * random.uniform(0.3, 0.4)
    r = side * random.uniform(0.13, 0.2)

    def colour() -> tuple[int, ...]:
        return tuple(int(value) for value in random.integers(20, 240, 3))

    draw.ellipse((x - 2 * r, y + r, x + 2 * r, y + 5 * r), fill=colour())
    draw.ellipse((x - 1.2 * r, y - 1.4 * r, x + 1.2 * r, y + r), fill=colour())
    draw.ellipse((x - r, y - r, x + r, y + 1.2 * r), fill=colour())
    for eye in (-0.4, 0.4):
        draw.ellipse((x + eye * r - 8, y - 8, x + eye * r + 8, y + 8), fill=(20, 20, 20))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(1.5)), float)
    grained = soft + random.normal(0, 1.2, (side, side, 1))
    return np.rint(np.clip(grained, 0, 255)).astype(np.uint8)


@pytest.fixture(scope="session")
def key() -> WatermarkKey:
    return WatermarkKey(key_id="test", epoch=0, secret=bytes(range(32)))


@pytest.fixture(scope="session")
def as_frames() -> Callable[..., Frames]:
    return frames


@pytest.fixture(scope="session")
def art() -> Callable[..., np.ndarray]:
    return flat_art


@pytest.fixture(scope="session")
def photographs() -> dict[str, np.ndarray]:
    from skimage import data
    from sklearn.datasets import load_sample_image

    return {"astronaut": data.astronaut(), "coffee": data.coffee(), "flower": load_sample_image("flower.jpg")}
