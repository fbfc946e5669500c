"""Benign copies: what the web does to a picture without changing what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from audits.robustness import attacks
from audits.robustness.attacks import chain, crop, encode, jpeg, levels, resize, rotate, rounded
from audits.robustness.filters import blur
from provenance.digest_grid import Placement

if TYPE_CHECKING:
    from audits.robustness.attacks import Picture, Transform


def gamma(power: float) -> Transform:
    """Each channel to that power: above 1 darkens the middle tones."""
    return lambda pixels: rounded(255 * (pixels / 255.0) ** power)


def saturation(factor: float) -> Transform:
    """Distance from BT.601 gray, scaled: 0 is gray, 1 unchanged."""

    def attack(pixels: Picture) -> Picture:
        luma = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        return rounded(luma[..., None] + factor * (pixels - luma[..., None]))

    return attack


def sharpen(amount: float) -> Transform:
    """Unsharp mask with a radius of 1.5 pixels."""

    def attack(pixels: Picture) -> Picture:
        return rounded(pixels + amount * (pixels.astype(np.float32) - blur(1.5)(pixels)))

    return attack


def square(pixels: Picture) -> Picture:
    """Squeezed to equal sides, as some galleries show everything."""
    side = min(pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))


_SPARSE = 29
"""Every so many pixels of a ramp are fitted: enough for a tenth of a pixel."""


def same(pixels: Picture) -> Picture:
    """As it is."""
    return pixels


def cut_corner(pixels: Picture) -> Picture:
    """Without its first three rows and columns: blocks of a second JPEG then lie elsewhere."""
    return pixels[3:, 3:].copy()


def framed(pixels: Picture) -> Picture:
    """0.83 of the size in an uneven light border."""
    small = resize(0.83)(pixels)
    bordered = np.full((small.shape[0] + 34, small.shape[1] + 26, 3), 240, np.uint8)
    bordered[23 : 23 + small.shape[0], 17 : 17 + small.shape[1]] = small
    return bordered


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What a copy went through: first its tones, then its place, then its tones again."""

    before: Transform = same
    move: Transform = same
    after: Transform = same

    def __call__(self, pixels: Picture) -> Picture:
        """The copy of ``pixels``."""
        return self.after(self.move(self.before(pixels)))

    def placement(self, width: int, height: int) -> Placement:
        """Where the copy of a ``width`` × ``height`` picture lies on it, to about a tenth of a pixel."""
        return _placement(self.move, width, height)


@lru_cache(maxsize=256)
def _placement(move: Transform, width: int, height: int) -> Placement:
    """A picture of ramps goes the same way; the affine map is fitted to what comes out."""
    ramps = np.empty((height, width, 3), np.float64)
    ramps[..., 0] = np.linspace(0, 255, width)
    ramps[..., 1] = np.linspace(0, 255, height)[:, None]
    ramps[..., 2] = 0
    # Noise, so that rounding leaves no bias.
    ramps[..., :2] += np.random.default_rng(0).uniform(-0.5, 0.5, (height, width, 2))
    moved = move(rounded(ramps)).astype(float)
    y, x = np.nonzero(
        (moved[..., 2] < 1) & (moved[..., :2].max(axis=-1) < 235) & (moved[..., :2].min(axis=-1) > 4)
    )
    x, y = x[::_SPARSE], y[::_SPARSE]
    terms = np.stack([x, y, np.ones(len(x))], axis=1)
    sides = np.array([width - 1, height - 1]) / 255
    solved = np.linalg.lstsq(terms, moved[y, x, :2] * sides, rcond=None)[0]
    return Placement(linear=np.asarray(solved[:2].T, float), shift=np.asarray(solved[2], float))


BENIGN: dict[str, Copy] = {
    "unchanged": Copy(),
    **{f"JPEG {quality}": Copy(after=jpeg(quality)) for quality in (95, 75, 50, 30)},
    "JPEG 75 twice, 3 pixels apart": Copy(before=jpeg(75), move=cut_corner, after=jpeg(70)),
    **{f"WebP {quality}": Copy(after=encode("WEBP", quality)) for quality in (80, 50, 30)},
    **{f"AVIF {quality}": Copy(after=encode("AVIF", quality)) for quality in (60, 40)},
    **{f"{factor} ×": Copy(move=resize(factor)) for factor in (0.75, 0.5, 0.35, 0.25)},
    "0.5 × and JPEG 50": Copy(move=resize(0.5), after=jpeg(50)),
    "0.35 × and WebP 50": Copy(move=resize(0.35), after=encode("WEBP", 50)),
    "0.25 × and JPEG 30": Copy(move=resize(0.25), after=jpeg(30)),
    "0.9 × across": Copy(move=resize(1, 0.9)),
    "crop 10 %": Copy(move=crop(0.1)),
    "crop 25 %, other corner": Copy(move=crop(0.25, left=0.1, top=0.9)),
    "crop 50 %": Copy(move=crop(0.5)),
    "crop 10 %, 0.5 × and JPEG 50": Copy(move=chain(crop(0.1), resize(0.5)), after=jpeg(50)),
    "crop 30 %, 0.7 × and WebP 60": Copy(
        move=chain(crop(0.3, left=0.9, top=0.2), resize(0.7)), after=encode("WEBP", 60)
    ),
    "turned by 2°": Copy(move=rotate(2)),
    "turned by 12°, JPEG 70": Copy(move=rotate(12), after=jpeg(70)),
    "turned by -7° in a larger frame": Copy(move=rotate(-7, expand=True)),
    "quarter turn, JPEG 70": Copy(move=attacks.quarter_turn, after=jpeg(70)),
    "mirrored, 0.6 ×": Copy(move=chain(attacks.mirror, resize(0.6))),
    "brighter": Copy(after=levels(0.1, 1.0)),
    "darker, JPEG 70": Copy(after=chain(levels(-0.12, 1.0), jpeg(70))),
    "contrast 1.3": Copy(after=levels(0.0, 1.3)),
    "contrast 0.6, WebP 60": Copy(after=chain(levels(0.0, 0.6), encode("WEBP", 60))),
    "gamma 0.7": Copy(after=gamma(0.7)),
    "gamma 1.4, JPEG 60": Copy(after=chain(gamma(1.4), jpeg(60))),
    "gray": Copy(after=attacks.gray),
    "gray, 0.5 × and JPEG 60": Copy(before=attacks.gray, move=resize(0.5), after=jpeg(60)),
    "saturation 0.5": Copy(after=saturation(0.5)),
    "saturation 1.5, JPEG 75": Copy(after=chain(saturation(1.5), jpeg(75))),
    "sharpened": Copy(after=sharpen(0.8)),
    "sharpened after 0.5 ×, JPEG 70": Copy(move=resize(0.5), after=chain(sharpen(0.8), jpeg(70))),
    "blurred by 1.5 pixels": Copy(after=blur(1.5)),
    "blurred by 3 pixels, JPEG 70": Copy(after=chain(blur(3), jpeg(70))),
    "noise of 5 levels": Copy(after=attacks.noise(5, 1)),
    "noise of 10 levels, JPEG 50": Copy(after=chain(attacks.noise(10, 1), jpeg(50))),
    "screenshot": Copy(before=gamma(1.08), move=framed, after=jpeg(85)),
}
"""46 copies: each change alone, and combinations that are met."""

AFTERWARDS: dict[str, Copy] = {
    name: BENIGN[name]
    for name in (
        "unchanged",
        "JPEG 75",
        "JPEG 50",
        "JPEG 30",
        "WebP 50",
        "AVIF 40",
        "0.5 ×",
        "0.35 × and WebP 50",
        "0.5 × and JPEG 50",
        "crop 10 %",
        "crop 10 %, 0.5 × and JPEG 50",
    )
}
"""What edited pictures go through before they are met."""
