"""Pixels onto the grids of a visual digest: area means, affine maps, colour. numpy and Pillow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import COARSE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Frames

    Edge = tuple[NDArray[np.int64], NDArray[np.float64]]

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
LUMA = np.array([0.299, 0.587, 0.114])
"""BT.601, of gamma-encoded channels."""
_MID_GRAY = 128 / 255
_MOST_PIXELS = 1 << 18
"""Pixels of a view: about eight by eight to a cell of a digest."""
_ASKEW = 0.05
"""Tangent of the angle from which a cell is made of several boxes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A copy, reduced to what a digest can tell apart.

    Attributes:
        rgb: (h, w, 3) float32 in 0..1, opaque.
        size: (width, height) of the copy itself, in its pixels.
    """

    rgb: NDArray[np.float32]
    size: tuple[int, int]

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """(h + 1, w + 1, channels), over all pixels above and to the left; none where nothing is laid."""
        rows, columns, channels = self.rgb.shape
        sums = np.zeros((rows + 1, columns + 1, channels))
        np.cumsum(self.rgb, axis=0, out=sums[1:, 1:], dtype=np.float64)
        np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
        return sums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Where a copy lies: released pixel = linear @ copy pixel + shift, both as (x, y) of pixel centres."""

    linear: NDArray[np.float64]
    shift: NDArray[np.float64]

    def moved(self, change: NDArray[np.float64], offset: NDArray[np.float64]) -> Placement:
        """The placement under which what lay at p now lies at (1 + change) @ p + offset's origin.

        That is: the copy shows at (1 + change) @ p + offset what the released picture has at p.
        """
        back = np.linalg.inv(np.eye(2) + change)
        return Placement(linear=back @ self.linear, shift=back @ (self.shift - offset))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A copy laid onto a grid of the released picture.

    Attributes:
        rgb: (rows, columns, 3) float, 0..1; meaningless where not ``covered``.
        covered: (rows, columns) bool, cells that the copy shows entirely.
    """

    rgb: NDArray[np.float64]
    covered: NDArray[np.bool_]


_STRIP = 256
"""Rows laid on the ground at once: as floating point a large picture takes gigabytes."""


def view_of(frames: Frames, ground: float = _MID_GRAY) -> View:
    """The first frame on gray as a view: box means, rounded to 8 bits, of which a cell averages sixteen."""
    from PIL import Image  # noqa: PLC0415 - some commands work without pixels

    size = (frames.width, frames.height)
    pixels = _opaque(frames, ground)
    factor = (_MOST_PIXELS / (size[0] * size[1])) ** 0.5
    if factor < 1:
        smaller = (max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))
        image = Image.fromarray(pixels[..., 0] if frames.is_gray else pixels)
        pixels = np.asarray(image.resize(smaller, Image.Resampling.HAMMING))
    rgb = pixels.astype(np.float32).reshape(*pixels.shape[:2], -1) / np.float32(255)
    return View(rgb=np.repeat(rgb, 3, axis=2) if rgb.shape[2] == 1 else rgb, size=size)


def _opaque(frames: Frames, ground: float) -> NDArray[np.uint8]:
    """(H, W, 1 or 3): 8 bits, transparency laid on ``ground``."""
    if frames.depth == 8 and frames.alpha is None:
        return np.ascontiguousarray(frames.pixels[0], np.uint8)
    opaque = np.empty(frames.pixels.shape[1:], np.uint8)
    for start in range(0, frames.height, _STRIP):
        rows = slice(start, start + _STRIP)
        alpha = None if frames.alpha is None else frames.alpha[:, rows]
        rgb = opaque_rgb(replace(frames, pixels=frames.pixels[:, rows], alpha=alpha), ground)
        opaque[rows] = np.rint(255 * (rgb[..., :1] if frames.is_gray else rgb))
    return opaque


def opaque_rgb(frames: Frames, ground: float = _MID_GRAY) -> NDArray[np.float32]:
    """(H, W, 3) in 0..1, transparency laid on a gray ``ground``, 0 (black) to 1 (white)."""
    peak = np.float32(2**frames.depth - 1)
    rgb = frames.pixels[0].astype(np.float32) / peak
    if frames.is_gray:
        rgb = np.repeat(rgb, 3, axis=2)
    if frames.alpha is not None:
        alpha = frames.alpha[0].astype(np.float32)[..., None] / peak
        rgb = rgb * alpha + np.float32(ground) * (1 - alpha)
    return np.asarray(rgb)


def area_means(plane: NDArray[np.floating], rows: int, columns: int) -> NDArray[np.float32]:
    """(rows, columns, …): the mean over each part of the picture, parts of pixels included."""
    down, across = _shares(plane.shape[0], rows), _shares(plane.shape[1], columns)
    flat = down @ plane.reshape(plane.shape[0], -1).astype(np.float32, copy=False)
    # One product of two matrices each way: a stack of narrow ones takes several times as long.
    turned = flat.reshape(rows, plane.shape[1], -1).swapaxes(0, 1).reshape(plane.shape[1], -1)
    means = (across @ turned).reshape(columns, rows, -1).swapaxes(0, 1)
    return np.ascontiguousarray(means).reshape(rows, columns, *plane.shape[2:])


def luma_of(rgb: NDArray[np.floating]) -> NDArray[np.float32]:
    """BT.601 luma of gamma-encoded channels."""
    return np.asarray(rgb.astype(np.float32, copy=False) @ LUMA.astype(np.float32), np.float32)


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


class Canvas:
    """A grid of the released picture, ready for a copy to be laid onto it in many places.

    Means are exact over boxes: a cell of a copy that lies askew is made of several.

    Args:
        view: the copy.
        released: (width, height) of the released picture.
        linear: (2, 2), about how copy pixels map to released pixels.
        grid: (rows, columns) of the released picture's grid.
        whole: cells count as covered only where the copy shows all of them, not just most.
    """

    def __init__(
        self,
        view: View,
        released: tuple[int, int],
        linear: NDArray[np.float64],
        *,
        grid: tuple[int, int] = (COARSE, COARSE),
        whole: bool = False,
    ) -> None:
        self._view, self._whole = view, whole
        back = np.sort(np.abs(np.linalg.inv(linear)), axis=1)
        self._parts = 1 if (back[:, 0] < _ASKEW * back[:, 1]).all() else 2
        self._cell = np.array(released, float) / (grid[1], grid[0]) / self._parts
        self._points = _points(grid[0] * self._parts, grid[1] * self._parts) * self._cell - 0.5

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the copy, in its pixels."""
        return self._view.size

    def place(self, placement: Placement) -> Placed:
        """The copy where ``placement`` says."""
        back = np.linalg.inv(placement.linear)
        size = np.array(self._view.size, float)
        middle = (self._points - placement.shift) @ back.T + 0.5
        half = np.hypot(*(back * self._cell).T) / 2
        reach = half * (0.9 if self._whole else 0.5 if self._parts == 1 else 0.0)
        inside = np.asarray(((middle >= reach) & (middle <= size - reach)).all(axis=-1))
        rows, columns = self._view.rgb.shape[:2]
        scale = np.array([columns, rows]) / size
        mean = _box_means(self._view.sums, middle * scale, half * scale)
        parts = [
            (slice(y, None, self._parts), slice(x, None, self._parts))
            for y, x in np.ndindex(self._parts, self._parts)
        ]
        rgb = np.add.reduce([mean[part] for part in parts]) / len(parts)
        covered = np.logical_and.reduce([inside[part] for part in parts])
        return Placed(rgb=np.clip(rgb, 0, 1), covered=np.asarray(covered, bool))


@lru_cache(maxsize=16)
def _points(rows: int, columns: int) -> NDArray[np.float64]:
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    return np.stack([x, y], axis=-1)


@lru_cache(maxsize=64)
def _shares(length: int, parts: int) -> NDArray[np.float32]:
    """(parts, length): how much of each pixel belongs to each part; rows sum to 1."""
    edges = np.arange(parts + 1) * (length / parts)
    pixel = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.clip(overlap, 0, 1) * (parts / length), np.float32)


def _box_means(
    sums: NDArray[np.float64], middle: NDArray[np.float64], half: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(..., channels): means over boxes, parts of pixels included; of what lies inside the picture.

    Args:
        sums: (rows + 1, columns + 1, channels) over all pixels above and to the left.
        middle: (..., 2) of the boxes, as x and y in pixels from the outer corner.
        half: of their width and height.
    """
    rows, columns = sums.shape[:2]
    edges = []
    for axis, length in ((0, columns - 1), (1, rows - 1)):
        low = np.clip(middle[..., axis] - half[axis], 0, length - 1e-3)
        high = np.clip(middle[..., axis] + half[axis], low + 1e-3, length)
        edges.append((_split(low, length), _split(high, length), high - low))
    (left, right, width), (top, bottom, height) = edges
    total = _sums_at(sums, bottom, right) - _sums_at(sums, bottom, left)
    total += _sums_at(sums, top, left) - _sums_at(sums, top, right)
    return np.asarray(total / (width * height)[..., None])


def _split(place: NDArray[np.float64], length: int) -> Edge:
    """Whole pixels before a place, and how far into the next one it is."""
    whole = np.minimum(place.astype(np.int64), length - 1)
    return whole, (place - whole)[..., None]


def _sums_at(sums: NDArray[np.float64], down: Edge, across: Edge) -> NDArray[np.float64]:
    (row, fy), (column, fx) = down, across
    flat, columns = sums.reshape(-1, sums.shape[2]), sums.shape[1]
    first = row * columns + column
    upper, lower = flat[first], flat[first + columns]
    upper = upper + fx * (flat[first + 1] - upper)
    lower = lower + fx * (flat[first + columns + 1] - lower)
    return np.asarray(upper + fy * (lower - upper))
