"""Which cells of a copy differ by more than its recompression, resizing and toning explain.

1. fit the copy's lightness and colour by smooth functions of the signed picture's, and what blur,
   sharpening and a last fraction of a cell leave along outlines
2. what remains is noise, more where there is texture: how much, this copy's own cells say
3. in units of that noise, the energy of small squares of cells; those over a threshold are altered

As thresholds stand in units of each copy's own noise, JPEG 50 at half size raises no alarm and a faint edit
of a clean copy is still seen. They were set on other pictures than those of docs/reference/content-digest.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provenance.digest_grid import to_lab
from provenance.digest_planes import quarter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.digest_fit import Fit
    from provenance.digest_grid import Placed
    from provenance.digest_planes import Reference

    Plane = NDArray[np.float64]
    Cells = NDArray[np.bool_]
    Box = tuple[float, float, float, float]

MOST_REGIONS = 12
_FEWEST = 3
"""Cells of a group; fewer beside a larger group are strays."""
_LUMA_SQUARES = ((2, 7.7), (5, 4.6))
"""(side in cells, root mean square of lightness in units of noise) above which a square is altered."""
_COLOR_SQUARES = ((1, 10.0), (2, 6.2))
"""The same for a* and b* together, in cells of twice the side."""
_LUMA_FLOOR, _COLOR_FLOOR = 0.6, 0.8
"""Least noise, in L*a*b* units: rounding to 8 bits and slight gradients are never an edit."""
_ROUNDING = 0.29
"""Standard deviation of what rounding to 1 leaves."""
_BINS = 8
_STEEPER, _STEEPEST = 1.5, 0.06
"""Noise grows with texture by so much more than its medians do, for its tails. Medians of benign copies
grow by less than the second; an altered label on flat ground, all the texture there is, must stay none."""
_OWN, _LEAST = 0.5, 3.0
"""In an altered square, cells of this share of its threshold, and of so many units of noise, are altered; the
others lie beside what is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changes:
    """What differs.

    Attributes:
        score: the strongest square over its threshold; above 1 the copy is altered.
        altered: (rows, columns) of the fine grid.
        regions: (left, top, right, bottom) around altered cells, in shares of the picture, the largest first.
        difference: (rows, columns), |ΔL*| + |Δa*| + |Δb*| that toning does not explain; 0 where not covered.
        covered: (rows, columns), cells that the copy shows entirely.
    """

    score: float
    altered: Cells
    regions: tuple[Box, ...]
    difference: Plane
    covered: Cells


def find_changes(reference: Reference, placed: Placed, best: Fit) -> Changes:
    """Hold a copy, laid on the fine grid, against the signed picture.

    Args:
        placed: the copy on the fine grid.
        best: the coarse fit of the same placement, for its tones.
    """
    covered, toned = _without_rim(placed.covered), best.toned(reference.fine)
    quarters = np.asarray(quarter(covered.astype(float)) == 1)
    wanted, seen = to_lab(toned), to_lab(placed.rgb)
    luma = _remainder(_luma_terms(wanted), seen[..., 0], covered)
    floor = float(np.hypot(_LUMA_FLOOR, _ROUNDING * reference.step))
    energy = (luma / _noise(luma, _texture(wanted[..., 0]), covered, floor)) ** 2 * covered
    score, altered = _squares(energy, _LUMA_SQUARES)
    wanted, seen = to_lab(quarter(toned)), to_lab(quarter(placed.rgb))
    texture = _texture(wanted[..., 0]) / 2 + np.maximum(_texture(wanted[..., 1]), _texture(wanted[..., 2]))
    floor = float(np.hypot(_COLOR_FLOOR, 1.5 * _ROUNDING * reference.step))
    difference, energy = np.abs(luma) * covered, np.zeros(quarters.shape)
    for channel in (1, 2):
        color = _remainder(_color_terms(wanted), seen[..., channel], quarters)
        energy += (color / _noise(color, texture, quarters, floor)) ** 2 * quarters
        difference += _doubled(np.abs(color) * quarters)
    color_score, color_altered = _squares(energy, _COLOR_SQUARES)
    cells, boxes = _grouped(np.asarray(altered | _doubled(color_altered), bool) & covered)
    return Changes(
        score=max(score, color_score),
        altered=cells,
        regions=boxes,
        difference=difference,
        covered=covered,
    )


def _without_rim(covered: Cells) -> Cells:
    """Without the outermost cells: what lies around a copy, a frame or black corners, bleeds into them."""
    inner = covered.copy()
    inner[0] = inner[-1] = inner[:, 0] = inner[:, -1] = False
    return inner


def _luma_terms(lab: Plane) -> Plane:
    """(rows, columns, 9): tone curve, colour's part in gray, sharpness, and a shift across and down."""
    lightness, a, b = ((lab[..., channel] - middle) / 50 for channel, middle in ((0, 50), (1, 0), (2, 0)))
    padded = np.pad(lightness, 1, mode="edge")
    ring = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    down, across = np.gradient(lightness)
    one = np.ones_like(lightness)
    terms = [one, lightness, lightness**2, lightness**3, a, b, ring - 4 * lightness, across, down]
    return np.stack(terms, axis=-1)


def _color_terms(lab: Plane) -> Plane:
    """(rows, columns, 8): saturation and hue, and both of them changing with lightness."""
    lightness, a, b = ((lab[..., channel] - middle) / 50 for channel, middle in ((0, 50), (1, 0), (2, 0)))
    one = np.ones_like(lightness)
    terms = [one, lightness, lightness**2, lightness**3, a, b, a * lightness, b * lightness]
    return np.stack(terms, axis=-1)


def _remainder(terms: Plane, seen: Plane, covered: Cells) -> Plane:
    """What the terms leave of ``seen``, fitted over cells that agree; 0 where not covered."""
    rows, values = terms[covered], seen[covered]
    weights = np.ones(len(values))
    ridge = 1e-6 * len(values) * np.eye(rows.shape[1])
    for _ in range(4):
        weighted = rows * weights[:, None]
        error = values - rows @ np.linalg.solve(weighted.T @ rows + ridge, weighted.T @ values)
        weights = 1 / (1 + (error / (2.96 * np.median(np.abs(error)) + 2e-3)) ** 2)
    left = np.zeros(seen.shape)
    left[covered] = error
    return left


def _texture(plane: Plane) -> Plane:
    """Range of values in three by three cells."""
    low = high = np.pad(plane, 1, mode="edge")
    low = np.minimum(np.minimum(low[:-2], low[1:-1]), low[2:])
    low = np.minimum(np.minimum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
    high = np.maximum(np.maximum(high[:-2], high[1:-1]), high[2:])
    return np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:]) - low


def _noise(left: Plane, texture: Plane, covered: Cells, floor: float) -> Plane:
    """Standard deviation of unaltered cells: a line through the medians of eight degrees of texture."""
    degree, size = texture[covered], np.abs(left[covered])
    groups = np.argsort(degree, kind="stable")[: len(degree) // _BINS * _BINS].reshape(_BINS, -1)
    x, y = np.median(degree[groups], axis=1), 1.48 * np.median(size[groups], axis=1)
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / (((x - x.mean()) ** 2).sum() + 1e-9))
    slope = min(max(slope, 0.0), _STEEPEST)
    base = max(float(y.mean() - slope * x.mean()), 0.7 * float(y.min()))
    return np.maximum(base + _STEEPER * slope * texture, floor)


def _squares(energy: Plane, thresholds: tuple[tuple[int, float], ...]) -> tuple[float, Cells]:
    """The strongest square over its threshold, and the cells of those that are over it."""
    altered, strongest = np.zeros(energy.shape, bool), 0.0
    for side, threshold in thresholds:
        if side > min(energy.shape):
            continue
        level = np.sqrt(np.maximum(_box(energy, side), 0)) / side
        strongest = max(strongest, float(level.max()) / threshold)
        near = _box(np.pad((level > threshold).astype(float), side - 1), side) > 0.5
        altered |= near & (energy > max(_OWN * threshold, _LEAST) ** 2)
    return strongest, altered


def _box(plane: Plane, side: int) -> Plane:
    """Sums over every square of ``side`` cells: (rows, columns) to (rows - side + 1, columns - side + 1)."""
    sums = np.pad(plane.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    return np.asarray(sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side])


def _doubled(plane: NDArray[Any]) -> NDArray[Any]:
    """Each cell as two by two."""
    return plane.repeat(2, axis=0).repeat(2, axis=1)


def _grouped(altered: Cells) -> tuple[Cells, tuple[Box, ...]]:
    """Altered cells without strays, and boxes around those that lie within a cell of each other."""
    rows, columns = altered.shape
    groups = sorted(_groups(altered), key=len, reverse=True)
    kept = [group for group in groups if len(group) >= min(_FEWEST, len(groups[0]))]
    cells, boxes = np.zeros_like(altered), []
    for group in kept:
        down, across = np.array(group).T
        cells[down, across] = True
        box = (
            across.min() / columns,
            down.min() / rows,
            (across.max() + 1) / columns,
            (down.max() + 1) / rows,
        )
        boxes.append(tuple(map(float, box)))
    return cells, tuple(boxes[:MOST_REGIONS])  # type: ignore[arg-type]


def _groups(altered: Cells) -> Iterator[list[tuple[int, int]]]:
    left = {(int(row), int(column)) for row, column in np.argwhere(altered)}
    while left:
        found, edge = [], [left.pop()]
        while edge:
            row, column = edge.pop()
            found.append((row, column))
            near = {(row + y, column + x) for y in range(-2, 3) for x in range(-2, 3)} & left
            left -= near
            edge += near
        yield found
