"""Pixels onto the 32 × 32 grid of the visual digest: area means, alignment, colour. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import GRID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Frames

_SRGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""IEC 61966-2-1, white point D65."""
_XYZ_TO_SRGB = np.linalg.inv(_SRGB_TO_XYZ)
_WHITE = _SRGB_TO_XYZ.sum(axis=1)
_MID_GRAY = 128 / 255
_SUBPOINTS = 3
"""Samples per cell and direction when a copy is laid onto the grid."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A copy laid onto the grid of a released picture.

    Attributes:
        rgb: (32, 32, 3) float, 0..1; meaningless where not ``covered``.
        covered: (32, 32) bool, cells that the copy shows entirely.
    """

    rgb: NDArray[np.float64]
    covered: NDArray[np.bool_]


def opaque_rgb(frames: Frames) -> NDArray[np.float32]:
    """(H, W, 3) in 0..1, transparency laid on mid gray."""
    peak = np.float32(2**frames.depth - 1)
    rgb = frames.pixels[0].astype(np.float32) / peak
    if frames.is_gray:
        rgb = np.repeat(rgb, 3, axis=2)
    if frames.alpha is not None:
        alpha = frames.alpha[0].astype(np.float32)[..., None] / peak
        rgb = rgb * alpha + np.float32(_MID_GRAY) * (1 - alpha)
    return np.asarray(rgb)


def area_means(rgb: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """(rows, columns, 3): the mean over each part of the picture, parts of pixels included."""
    down, across = _shares(rgb.shape[0], rows), _shares(rgb.shape[1], columns)
    flat = down @ rgb.reshape(rgb.shape[0], -1)
    return np.asarray(across @ flat.reshape(rows, -1, 3))


def to_lab(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Gamma-encoded sRGB in 0..1 to CIE L*a*b* (D65)."""
    rgb = np.clip(rgb.astype(np.float64), 0, 1)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _SRGB_TO_XYZ.T / _WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def to_rgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of ``to_lab``; colours outside sRGB are clipped."""
    f_y = (lab[..., 0] + 16) / 116
    f = np.stack([f_y + lab[..., 1] / 500, f_y, f_y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE
    linear = np.clip(xyz @ _XYZ_TO_SRGB.T, 0, 1)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def quantise(lab: NDArray[np.float64]) -> bytes:
    """(32, 32, 3) L*a*b* as the bytes of a digest."""
    scaled = np.stack([lab[..., 0] * 2.55, lab[..., 1] + 128, lab[..., 2] + 128], axis=-1)
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8).tobytes()


def dequantise(data: bytes) -> NDArray[np.float64]:
    """The (32, 32, 3) L*a*b* of a digest's bytes."""
    scaled = np.frombuffer(data, np.uint8).reshape(GRID, GRID, 3).astype(np.float64)
    return np.stack([scaled[..., 0] / 2.55, scaled[..., 1] - 128, scaled[..., 2] - 128], axis=-1)


class Canvas:
    """A copy reduced to about the grid's fineness, ready to be laid onto it in many places.

    Args:
        rgb: (h, w, 3) in 0..1.
        released: (width, height) of the released picture.
        linear: (2, 2) from copy pixels to released pixels.
    """

    def __init__(
        self, rgb: NDArray[np.float32], released: tuple[int, int], linear: NDArray[np.float64]
    ) -> None:
        height, width = rgb.shape[:2]
        self._released = np.array(released, float)
        self._size = np.array([width, height], float)
        self._inverse = np.linalg.inv(linear)
        cell = self._released / GRID / _SUBPOINTS
        # Pixels of the copy under one subpoint; reducing by that much leaves bilinear sampling honest.
        per_point = np.maximum(np.abs(self._inverse) @ cell, 1.0)
        columns, rows = (
            max(1, round(side / step)) for side, step in zip((width, height), per_point, strict=True)
        )
        self._small = area_means(rgb, rows, columns)
        self._points = self._subpoints() * cell - 0.5

    @staticmethod
    def _subpoints() -> NDArray[np.float64]:
        side = np.arange(GRID * _SUBPOINTS) + 0.5
        x, y = np.meshgrid(side, side)
        return np.stack([x, y], axis=-1)

    def place(self, shift: NDArray[np.float64]) -> Placed:
        """The copy where its pixel (0, 0) lies at released pixel ``shift``."""
        copy = (self._points - shift) @ self._inverse.T
        inside = np.asarray(((copy >= -0.5) & (copy <= self._size - 0.5)).all(axis=-1))
        rows, columns = self._small.shape[:2]
        small = (copy + 0.5) * np.array([columns, rows]) / self._size - 0.5
        sampled = _bilinear(self._small, small)
        blocks = (GRID, _SUBPOINTS, GRID, _SUBPOINTS)
        mean = sampled.reshape(*blocks, 3).mean(axis=(1, 3))
        covered = inside.reshape(blocks).min(axis=(1, 3))
        return Placed(rgb=np.clip(mean, 0, 1), covered=np.asarray(covered, bool))


def _shares(length: int, parts: int) -> NDArray[np.float32]:
    """(parts, length): how much of each pixel belongs to each part; rows sum to 1."""
    edges = np.arange(parts + 1) * (length / parts)
    pixel = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.clip(overlap, 0, 1) * (parts / length), np.float32)


def _bilinear(image: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = image.shape[:2]
    x = np.clip(points[..., 0], 0, columns - 1)
    y = np.clip(points[..., 1], 0, rows - 1)
    left, top = np.minimum(x.astype(int), max(columns - 2, 0)), np.minimum(y.astype(int), max(rows - 2, 0))
    right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    upper = image[top, left] * (1 - fx) + image[top, right] * fx
    lower = image[bottom, left] * (1 - fx) + image[bottom, right] * fx
    sampled: NDArray[np.float64] = upper * (1 - fy) + lower * fy
    return sampled
