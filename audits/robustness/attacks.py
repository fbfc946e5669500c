"""What copies go through, as pure functions from pixels to pixels.

Each takes and returns (H, W, 3) uint8 and changes nothing in place. Severity is bound first
(``jpeg(50)``), so attacks compose: ``chain(crop(0.1), resize(0.5), jpeg(50))``. Randomness is an argument.
Named, graded attacks are in ``scales`` and lists of them in ``sets``; what needs OpenCV is in ``filters``.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image

from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Picture: TypeAlias = "NDArray[np.uint8]"
Transform: TypeAlias = Callable[[Picture], Picture]


def chain(*steps: Transform) -> Transform:
    """One after the other."""

    def attack(pixels: Picture) -> Picture:
        for step in steps:
            pixels = step(pixels)
        return pixels

    return attack


def encode(form: str, quality: int) -> Transform:
    """Compress with Pillow's encoder of that name (JPEG, WEBP, AVIF) and decode again.

    The attack raises ``ConfigurationError`` (``bench.codec``) where Pillow was built without that encoder.
    """

    def attack(pixels: Picture) -> Picture:
        Image.init()
        if form not in Image.SAVE:
            what = f"this build of Pillow writes no {form}"
            raise ConfigurationError("bench.codec", what, hint="pip install --force-reinstall 'Pillow>=11.3'")
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, form, quality=quality)
        with Image.open(buffer) as image:
            return np.asarray(image.convert("RGB"))

    return attack


def jpeg(quality: int) -> Transform:
    """JPEG with 4:2:0 chroma, as Pillow writes by default."""
    return encode("JPEG", quality)


def resize(factor: float, across: float | None = None) -> Transform:
    """Bicubic resampling by ``factor``; ``across`` sets another factor for the width."""

    def attack(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        size = (round(width * (factor if across is None else across)), round(height * factor))
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))

    return attack


def crop(share: float, *, left: float = 0.61, top: float = 0.37) -> Transform:
    """Remove ``share`` of the area; of what goes from each side, ``left`` and ``top`` go first."""

    def attack(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        kept = float(np.sqrt(1 - share))
        rows, columns = int(height * kept), int(width * kept)
        y, x = int((height - rows) * top), int((width - columns) * left)
        return pixels[y : y + rows, x : x + columns].copy()

    return attack


def rotate(degrees: float, *, expand: bool = False) -> Transform:
    """Turn counter-clockwise, black corners; ``expand`` enlarges the canvas."""

    def attack(pixels: Picture) -> Picture:
        image = Image.fromarray(pixels)
        return np.asarray(image.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=expand))

    return attack


def quarter_turn(pixels: Picture) -> Picture:
    """Turn by 90 degrees, exactly."""
    return np.rot90(pixels).copy()


def mirror(pixels: Picture) -> Picture:
    """Left becomes right."""
    return pixels[:, ::-1].copy()


def levels(brightness: float, contrast: float) -> Transform:
    """Scale around mid gray by ``contrast``, then add ``brightness`` (1 is the full range)."""

    def attack(pixels: Picture) -> Picture:
        return rounded((pixels.astype(np.float32) - 128) * contrast + 128 + brightness * 255)

    return attack


def gray(pixels: Picture) -> Picture:
    """BT.601 luma in all three channels."""
    luma = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return rounded(np.repeat(luma[..., None], 3, axis=2))


def noise(deviation: float, random: np.random.Generator | int) -> Transform:
    """Gaussian noise of that standard deviation, in 8-bit steps, independent in each channel.

    A seed gives the same noise at every call; a generator goes on where it was.
    """

    def attack(pixels: Picture) -> Picture:
        return rounded(pixels + np.random.default_rng(random).normal(0, deviation, pixels.shape))

    return attack


def paste(patch: Picture, *, x: int, y: int) -> Transform:
    """Lay ``patch`` over the picture with its corner at (x, y): an edit."""

    def attack(pixels: Picture) -> Picture:
        edited = pixels.copy()
        edited[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
        return edited

    return attack


def screenshot(pixels: Picture) -> Picture:
    """Uneven light border, 0.83 of the size, a touch of gamma, JPEG-85."""
    small = resize(0.83)(pixels)
    toned = rounded(255 * (small / 255.0) ** 1.08)
    bordered = np.full((toned.shape[0] + 34, toned.shape[1] + 26, 3), 240, np.uint8)
    bordered[23 : 23 + toned.shape[0], 17 : 17 + toned.shape[1]] = toned
    return jpeg(85)(bordered)


def copy_mark(marked: Picture, target: Picture, *, gain: float = 1.0) -> Picture:
    """Move a mark: what a denoiser takes from ``marked`` is added to ``target``.

    The attacker knows neither key nor method (Kutter, Voloshynovskiy and Herrigel 2000). Needs OpenCV.
    """
    import cv2

    luma = marked.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    clean = cv2.fastNlMeansDenoising(np.clip(luma, 0, 255).astype(np.uint8), None, 6, 5, 15)
    residue = np.clip(luma - clean, -8, 8)
    if target.shape[:2] != luma.shape:
        image = Image.fromarray(target).resize(luma.shape[::-1], Image.Resampling.LANCZOS)
        target = np.asarray(image)
    return rounded(target + gain * residue[..., None])


RELINK: dict[str, Transform] = {
    "none": lambda pixels: pixels,
    "jpeg50": jpeg(50),
    "half": resize(0.5),
    "crop10": crop(0.1),
    "crop10+half+jpeg50": chain(crop(0.1), resize(0.5), jpeg(50)),
}
"""The copies that a credential must survive to be found again (the re-link table)."""


def rounded(values: NDArray[np.floating]) -> Picture:
    """8-bit pixels nearest to ``values``; what lies outside the range is clipped."""
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)
