"""What copies go through where OpenCV does it: resampling by area, blur, median, denoising, lettering.

Pure functions like those in ``attacks``. OpenCV belongs to the watermark extra and loads at the first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from audits.robustness.attacks import Picture, Transform


def resample(factor: float, across: float | None = None) -> Transform:
    """Scale by ``factor``: area averages down, bicubic up; ``across`` sets another factor for the width."""

    def attack(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        return to_size(pixels, round(width * (factor if across is None else across)), round(height * factor))

    return attack


def there_and_back(factor: float) -> Transform:
    """Scale by ``factor`` and back to the same size."""

    def attack(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        return to_size(resample(factor)(pixels), width, height)

    return attack


def to_size(pixels: Picture, width: int, height: int) -> Picture:
    """``pixels`` at that size: area averages where it gets smaller, else bicubic."""
    import cv2

    smaller = width * height < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (max(width, 1), max(height, 1)), interpolation=how), np.uint8)


def blur(deviation: float) -> Transform:
    """Gaussian blur; ``deviation`` in pixels."""

    def attack(pixels: Picture) -> Picture:
        if deviation == 0:
            return pixels.copy()
        import cv2

        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), deviation), np.uint8)

    return attack


def median(side: int) -> Transform:
    """Median of each channel over ``side`` × ``side`` pixels, ``side`` odd."""

    def attack(pixels: Picture) -> Picture:
        import cv2

        return np.asarray(cv2.medianBlur(np.ascontiguousarray(pixels), side), np.uint8)

    return attack


def erase(share: float, seed: int) -> Transform:
    """Gray out one square of ``share`` of the area, at a place that ``seed`` chooses."""

    def attack(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        rows, columns = (round(side * np.sqrt(share)) for side in (height, width))
        random = np.random.default_rng(seed)
        y, x = int(random.integers(height - rows + 1)), int(random.integers(width - columns + 1))
        erased = pixels.copy()
        erased[y : y + rows, x : x + columns] = 128
        return erased

    return attack


def lettering(pixels: Picture) -> Picture:
    """Three large lines of white text with a dark outline."""
    image = Image.fromarray(pixels.copy())
    height, width = pixels.shape[:2]
    font = ImageFont.load_default(size=max(12, height // 8))
    draw = ImageDraw.Draw(image)
    for line in range(3):
        draw.text(
            (width * 0.05, height * (0.1 + 0.3 * line)),
            "CONFIDENTIAL 2026",
            fill=(255, 255, 255),
            font=font,
            stroke_width=2,
            stroke_fill=(0, 0, 0),
        )
    return np.asarray(image)


def screen_copy(pixels: Picture) -> Picture:
    """Scaled to 0.83 without averaging, a touch of gamma, an uneven light border: not yet compressed."""
    import cv2

    height, width = pixels.shape[:2]
    size = (round(width * 0.83), round(height * 0.83))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    toned = np.rint(255 * (small / 255.0) ** 1.08).astype(np.uint8)
    border = ((23, 11), (17, 9), (0, 0))
    return np.pad(toned, border, constant_values=240)


def non_local_means(strength: float) -> Transform:
    """Average each pixel with those whose surroundings look like its own (Buades et al. 2005).

    The cheapest strong denoiser: what an attacker without weights would take. ``strength`` is the h of
    the paper, in 8-bit steps.
    """

    def attack(pixels: Picture) -> Picture:
        import cv2

        smooth = cv2.fastNlMeansDenoisingColored(
            np.ascontiguousarray(pixels), None, strength, strength, 5, 15
        )
        return np.asarray(smooth, np.uint8)

    return attack
