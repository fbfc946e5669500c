"""Which cells of a copy differ by more than its recompression, resizing and toning explain.

What remains after ``provenance.digest_noise`` took the explained part away is measured in units of each
cell's noise; rectangles of cells whose energy is over a threshold are altered. So JPEG 50 at half size raises
no alarm, and a faint edit of a clean copy is still seen. Thresholds were set on other pictures than those of
docs/reference/content-digest.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provenance.digest_align import inner
from provenance.digest_code import CHROMA_STEP
from provenance.digest_grid import to_lab
from provenance.digest_noise import (
    bent_color,
    bent_lightness,
    color_terms,
    highest,
    luma_terms,
    noise,
    redrawn,
    remainder,
    texture,
    together,
    unplaced,
)
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
    _Broad = tuple[tuple[int, float], ...]

MOST_REGIONS = 12
_FEWEST = 3
"""Cells of a group; fewer beside a larger group are strays."""
_LUMA_WINDOWS = ((1, 1, 7.3), (2, 2, 5.0), (3, 3, 3.95), (5, 5, 3.0), (2, 6, 3.05), (6, 2, 4.0))
"""(rows, columns, root mean square of lightness in units of noise) above which a window is altered: small
ones for edits that stand out, larger and longer ones for faint ones and for lines of text."""
_COLOR_WINDOWS = ((1, 1, 6.5), (2, 2, 4.65), (3, 3, 4.1))
"""The same for a* and b* together, in cells of twice the side."""
_BROAD_LUMA, _BROAD_COLOR = ((10, 4.0), (16, 2.8)), ((5, 6.0), (8, 4.5))
"""(cells to a side, mean difference in L*a*b* units) of what is too broad and soft to stand out of noise."""
_SHOWN, _AROUND = 0.8, 5
"""Share of such a window that the copy must show; cells to a side over which its own cells are averaged."""
_MOST = 9.0
"""Units of noise up to which a cell counts: one alone does not make a window."""
_UNEVEN, _RISE, _MOST_RISE = (98, 1.3), 0.4, 1.4
"""Where a copy's noise is not as was told, its windows are stronger throughout: what this percentile of them
has over this much raises their threshold, by this power of it, up to so many times."""
_LUMA_FLOOR, _COLOR_FLOOR = 0.35, 0.45
"""Least noise, in L*a*b* units: rounding to 8 bits and slight gradients are never an edit."""
_ROUNDING = 0.27
"""Standard deviation of what rounding coefficients to 1 leaves."""
_FEW_PIXELS = 2.5
"""Pixels of the copy to a cell's side; fewer make more noise. Compression keeps colours of two by two pixels,
and a cell of colours is as large as four of lightness."""
_STRETCHED, _MOST_STRETCHED = 0.5, 0.5
"""Noise grows by this share of the logarithms of gamma and of more contrast, up to the second: where pixels
were clipped, a cell's mean does not say how many."""
_BESIDE = 0.2
"""A cell that differs by less than this share of what another in reach does lies beside what is
altered: colours bleed into it."""


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
    covered = inner(placed.covered)
    quarters = np.asarray(quarter(covered.astype(float)) == 1)
    energy, lightness = _luma_energy(reference, placed, best, covered)
    color_energy, colors = _color_energy(reference, placed, best, quarters)
    found = [
        *_found(energy, lightness, covered, _LUMA_WINDOWS, _BROAD_LUMA),
        *(
            (score, _doubled(cells))
            for score, cells in _found(color_energy, colors, quarters, _COLOR_WINDOWS, _BROAD_COLOR)
        ),
    ]
    altered = np.logical_or.reduce([cells for _, cells in found])
    cells, boxes = _grouped(np.asarray(altered & covered, bool))
    return Changes(
        score=max(score for score, _ in found),
        altered=cells,
        regions=boxes,
        difference=(np.abs(lightness).sum(axis=0) + _doubled(np.abs(colors).sum(axis=0))) * covered,
        covered=covered,
    )


def _found(
    energy: Plane, left: Plane, covered: Cells, windows: tuple[tuple[int, int, float], ...], broad: _Broad
) -> tuple[tuple[float, Cells], tuple[float, Cells]]:
    """Scores and altered cells of what stands out, and of what is broad and soft beside it."""
    score, cells = _windows(energy, windows)
    rest = covered & (highest(cells.astype(float)) == 0)
    return (score, cells), _broad(left * rest, rest, broad)


def _luma_energy(reference: Reference, placed: Placed, best: Fit, covered: Cells) -> tuple[Plane, Plane]:
    """Squares of L* in units of noise, and its differences, (1, rows, columns)."""
    shown, signed = to_lab(reference.fine), reference.lightness
    wanted = to_lab(best.toned(reference.fine))
    wanted[..., 0] += signed - shown[..., 0]
    terms = luma_terms(wanted)
    left, factors = remainder(terms, wanted[..., 0], to_lab(placed.rgb)[..., 0], covered)
    textures = [texture(signed), *(_doubled(texture(reference.chroma[..., k])) for k in (0, 1))]
    floor = float(np.hypot(_LUMA_FLOOR, _ROUNDING * reference.step))
    level = together(
        noise(left, (textures[0], textures[1] + textures[2]), covered, floor),
        unplaced(signed, left, covered),
        redrawn(terms, factors),
    )
    level += bent_lightness(best, shown, textures)  # no chance, so it adds up as it is
    return (left / (level * _roughness(reference, best))) ** 2 * covered, left[None] * covered


def _color_energy(reference: Reference, placed: Placed, best: Fit, quarters: Cells) -> tuple[Plane, Plane]:
    """The same of a* and b* together, in cells of twice the side; differences of each."""
    shown, wanted = to_lab(reference.colors), to_lab(best.toned(reference.colors))
    if not best.gray:
        wanted[..., 1:] += min(best.saturation, 1.0) * (reference.chroma - shown[..., 1:])
    seen = to_lab(quarter(placed.rgb))
    lightness = texture(shown[..., 0])
    color = np.maximum(*(texture(reference.chroma[..., k]) for k in (0, 1)))
    floor = float(np.hypot(_COLOR_FLOOR, CHROMA_STEP * _ROUNDING * reference.step))
    energy, difference = np.zeros(quarters.shape), np.zeros((2, *quarters.shape))
    bent, rough = bent_color(best, shown, lightness), _roughness(reference, best)
    for channel in (1, 2):
        left, _ = remainder(color_terms(wanted), wanted[..., channel], seen[..., channel], quarters)
        level = noise(left, (lightness, color), quarters, floor) + bent
        energy += (left / (level * rough)) ** 2 * quarters
        difference[channel - 1] = left * quarters
    return energy, difference


def _roughness(reference: Reference, best: Fit) -> float:
    """By how much noise is more because the copy has few pixels to a cell, or its tones were stretched."""
    area = np.prod(reference.released) / reference.lightness.size / abs(np.linalg.det(best.placement.linear))
    stretched = abs(np.log(best.power)) + max(float(np.log(best.contrast)), 0.0)
    return float(max(1.0, _FEW_PIXELS / np.sqrt(area)) * (1 + _STRETCHED * min(stretched, _MOST_STRETCHED)))


def _windows(energy: Plane, windows: tuple[tuple[int, int, float], ...]) -> tuple[float, Cells]:
    """The strongest window over its threshold, and the cells that stand out in those over theirs."""
    altered, strongest = np.zeros(energy.shape, bool), 0.0
    capped = np.minimum(energy, _MOST**2)
    for rows, columns, least in windows:
        if rows > energy.shape[0] or columns > energy.shape[1]:
            continue
        level = np.sqrt(np.maximum(_box(capped, rows, columns), 0) / (rows * columns))
        threshold = least * _raised(level)
        strongest = max(strongest, float(level.max()) / threshold)
        if level.max() <= threshold:
            continue
        near = energy
        for _ in range(max(rows, columns) - 1):
            near = highest(near)
        own = energy > np.maximum(threshold**2, _BESIDE**2 * near)
        over = np.pad((level > threshold).astype(float), [(rows - 1,) * 2, (columns - 1,) * 2])
        altered |= (_box(over, rows, columns) > 0.5) & own
    return strongest, altered


def _raised(level: Plane) -> float:
    """By how much the threshold of windows is higher in this copy; 1 in most."""
    percentile, even = _UNEVEN
    shown = level[level > 0]
    most = float(np.percentile(shown, percentile)) if shown.size else 0.0
    return float(min(max(most / even, 1.0) ** _RISE, _MOST_RISE))


def _broad(left: Plane, covered: Cells, windows: _Broad) -> tuple[float, Cells]:
    """The same for what is broad and soft: differences that have one sign over many cells.

    Args:
        left: (channels, rows, columns) differences, 0 where not covered.
        windows: (cells to a side, mean difference from which a window is altered).
    """
    altered, strongest = np.zeros(covered.shape, bool), 0.0
    near = [_box(np.pad(plane, _AROUND // 2), _AROUND, _AROUND) / _AROUND**2 for plane in left]
    around = np.sqrt(np.square(near).sum(axis=0))
    for side, threshold in windows:
        count = _box(covered.astype(float), side, side)
        means = np.stack([_box(plane, side, side) for plane in left]) / np.maximum(count, 1)
        level = np.sqrt((means**2).sum(axis=0)) * (count >= _SHOWN * side**2)
        strongest = max(strongest, float(level.max()) / threshold)
        over = np.pad((level > threshold).astype(float), side - 1)
        altered |= (_box(over, side, side) > 0.5) & (around > threshold)
    return strongest, altered


def _box(plane: Plane, rows: int, columns: int) -> Plane:
    """Sums over every window of so many cells."""
    sums = np.pad(plane.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    whole = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    return np.asarray(whole)


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
