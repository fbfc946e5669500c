"""Which movement a clip shows, told by plain estimation: no learned weights.

Each frame is registered onto the one before by a similarity (shift, growth, turn) that brings the colours
into agreement: Gauss-Newton on a pyramid (Lucas and Kanade 1981; Baker and Matthews 2004), the gradient being
the mean of both frames', with weights that forget pixels which do not fit (Tukey's biweight). The ground of a
clip is nearly without edges, so the figure decides. The steps add up to a path; its longest part, against
what the corpus has of it, is the movement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators.movements import MOVEMENTS, PATHS, STILL
from provenance.digest_grid import area_means

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Plane = NDArray[np.float64]

_SIDES = (16, 32, 64)
"""Pixels to a side of the pyramid's levels, coarse first."""
_ROUNDS = 6
_RIM = 0.35
"""Radius of a figure, as a share of the side: growth and turns are compared with shifts out there."""
_EXPECTED = {"across": 0.64, "along": 0.64, "scale": 0.43, "turn": 0.78}
"""Lengths of the corpus's paths: shifts in radii of the rim, natural logarithm of growth, radians."""
_LEAST = 0.3
"""Share of the expected length below which a clip counts as still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionReading:
    """What a clip shows.

    Attributes:
        movement: one of ``MOVEMENTS``.
        across: shift to the right, in radii of the figure.
        along: shift downwards, likewise.
        scale: natural logarithm of the growth.
        turn: clockwise, in radians.
        misfit: mean difference of registered frames, in colour steps of 0..1; large where nothing fits.
    """

    movement: str
    across: float
    along: float
    scale: float
    turn: float
    misfit: float


def read_motion(pixels: NDArray[np.uint8]) -> MotionReading:
    """The movement of a clip (T, H, W, 3), T ≥ 2, about square."""
    levels = [[_level(frame, side) for frame in pixels] for side in _SIDES]
    centre = _centre(levels[-1][len(pixels) // 2]) / _SIDES[-1]
    total, misfits = np.zeros(4), []
    for before, after in zip(range(len(pixels) - 1), range(1, len(pixels)), strict=True):
        step, misfit = _registered([(level[before], level[after]) for level in levels], centre)
        total += step
        misfits.append(misfit)
    lengths = dict(zip(PATHS, total.tolist(), strict=True))
    return MotionReading(movement=named(lengths), misfit=float(np.mean(misfits)), **lengths)


def named(lengths: dict[str, float]) -> str:
    """The movement of a path with these parts, by the names of ``PATHS``."""
    shares = {path: lengths[path] / _EXPECTED[path] for path in PATHS}
    longest = max(shares, key=lambda path: abs(shares[path]))
    if abs(shares[longest]) < _LEAST:
        return STILL
    return PATHS[longest][shares[longest] < 0]


def confusion(pairs: Iterable[tuple[str, str]]) -> NDArray[np.int64]:
    """Counts of (truth, reading), rows truth, columns reading, both in the order of ``MOVEMENTS``."""
    table = np.zeros((len(MOVEMENTS), len(MOVEMENTS)), np.int64)
    for truth, reading in pairs:
        table[MOVEMENTS.index(truth), MOVEMENTS.index(reading)] += 1
    return table


def _level(frame: NDArray[np.uint8], side: int) -> Plane:
    """(side, side, 3) in 0..1, a little blurred so that gradients hold across a pixel."""
    small = np.asarray(area_means(frame.astype(np.float32) / np.float32(255), side, side), np.float64)
    for axis in (0, 1):
        around = np.pad(small, [(1, 1) if i == axis else (0, 0) for i in range(3)], mode="edge")
        ahead, behind = (np.take(around, range(s, s + side), axis) for s in (2, 0))
        small = 0.5 * small + 0.25 * (ahead + behind)
    return small


def _centre(frame: Plane) -> Plane:
    """(x, y) of the figure in pixels: the centre of what has edges."""
    energy = sum((np.gradient(frame, axis=axis) ** 2).sum(2) for axis in (0, 1))
    weights = np.asarray(energy) ** 0.5
    weights[weights < 0.2 * weights.max()] = 0
    y, x = np.mgrid[: len(frame), : len(frame)]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / max(float(weights.sum()), 1e-9)


def _registered(pairs: list[tuple[Plane, Plane]], centre: Plane) -> tuple[Plane, float]:
    """Shift (in rim radii), growth and turn from the first frame of each level's pair to the second."""
    pose, misfit = np.zeros(4), 0.0
    for before, after in pairs:
        side = len(before)
        for _ in range(_ROUNDS):
            step, misfit = _round(before, after, pose, centre * side)
            pose = pose + step
            if np.abs(step).max() < 1e-3:
                break
    return pose, misfit


def _round(before: Plane, after: Plane, pose: Plane, centre: Plane) -> tuple[Plane, float]:
    """One Gauss-Newton step on one level, and the mean difference before it."""
    side = len(before)
    rim = _RIM * side
    y, x = np.mgrid[:side, :side].astype(np.float64)
    dx, dy = x - centre[0], y - centre[1]
    grown = np.exp(pose[2])
    cos, sin = grown * np.cos(pose[3]), grown * np.sin(pose[3])
    turned_x, turned_y = cos * dx - sin * dy, sin * dx + cos * dy
    place_x, place_y = centre[0] + turned_x + pose[0] * rim, centre[1] + turned_y + pose[1] * rim
    seen, inside = _sampled(after, place_x, place_y)
    off = seen - before
    along_x, along_y = (0.5 * (np.gradient(seen, axis=a) + np.gradient(before, axis=a)) for a in (1, 0))
    parts = [
        along_x * rim,
        along_y * rim,
        along_x * turned_x[..., None] + along_y * turned_y[..., None],
        along_y * turned_x[..., None] - along_x * turned_y[..., None],
    ]
    jacobian = np.stack(parts, axis=-1)
    weights = _biweight(off) * inside[..., None]
    weighted = jacobian * weights[..., None]
    normal = np.einsum("hwci,hwcj->ij", weighted, jacobian)
    right = np.einsum("hwci,hwc->i", weighted, off)
    step = -np.linalg.solve(normal + 1e-6 * np.trace(normal) * np.eye(4) + 1e-12 * np.eye(4), right)
    return np.clip(step, -0.3, 0.3), float(np.abs(off[inside]).mean()) if inside.any() else 1.0


def _biweight(off: Plane) -> Plane:
    """Tukey's weights of residuals; the scale is that of the larger ones, as most pixels are plain ground."""
    scale = 3.0 * max(float(np.sqrt(np.mean(off**2))), 0.01)
    return np.asarray(np.clip(1 - (off / scale) ** 2, 0, None) ** 2)


def _sampled(frame: Plane, x: Plane, y: Plane) -> tuple[Plane, NDArray[np.bool_]]:
    """Bilinear values at (x, y), and which of those places lie inside."""
    side = len(frame)
    inside = (x >= 0) & (y >= 0) & (x <= side - 1) & (y <= side - 1)
    left = np.clip(np.floor(x).astype(int), 0, side - 2)
    top = np.clip(np.floor(y).astype(int), 0, side - 2)
    u, v = np.clip(x - left, 0, 1)[..., None], np.clip(y - top, 0, 1)[..., None]
    upper = frame[top, left] * (1 - u) + frame[top, left + 1] * u
    lower = frame[top + 1, left] * (1 - u) + frame[top + 1, left + 1] * u
    return upper * (1 - v) + lower * v, inside
