"""Lay a copy exactly: from about a cell off to a few hundredths of one (Lucas and Kanade 1981).

The mark says how a copy lies up to about a cell of the coarse grid. On the fine grid that would look like
changes along every outline, so what is left is fitted here: six numbers of an affine map, with gain and
offset of the brightness, over cells that agree (an altered place must not pull).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import Canvas, View, area_means, luma_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.digest_grid import Placement
    from provenance.digest_planes import Reference

_LEVELS = (4, 2, 1)
"""Cells of the fine grid to a cell of each level, from the roughest to the finest."""
_ROUNDS = (3, 2, 3)
_FEWEST = 64
"""Covered cells below which nothing is fitted."""
_FARTHEST = 0.08
"""Largest movement of a corner taken for a correction, in shares of the picture."""


def align(reference: Reference, view: View, placement: Placement, *, rough: bool = False) -> Placement:
    """``placement``, corrected; as it was where the correction makes no sense.

    Args:
        rough: begin at a quarter of the fineness: for placements that may be several cells off.
    """
    found, luma = placement, View(rgb=luma_of(view.rgb)[..., None], size=view.size)
    for level, rounds in list(zip(_LEVELS, _ROUNDS, strict=True))[0 if rough else 1 :]:
        rows, columns = max(reference.shape.rows // level, 8), max(reference.shape.columns // level, 8)
        wanted = area_means(luma_of(reference.fine), rows, columns).astype(np.float64)
        canvas = Canvas(luma, reference.released, placement.linear, grid=(rows, columns))
        for _ in range(rounds):
            found = _step(wanted, canvas, found, reference.released)
    return found if _near(found, placement, view.size, reference.released) else placement


def _step(
    wanted: NDArray[np.float64], canvas: Canvas, placement: Placement, released: tuple[int, int]
) -> Placement:
    placed = canvas.place(placement)
    covered = placed.covered
    if covered.sum() < _FEWEST:
        return placement
    rows, columns = wanted.shape
    seen = placed.rgb[covered, 0]
    down, across = np.gradient(wanted, axis=0)[covered], np.gradient(wanted, axis=1)[covered]
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns - 0.5, (np.arange(rows) + 0.5) / rows - 0.5)
    x, y = x[covered], y[covered]
    plain = np.stack([wanted[covered], np.ones(len(seen))], axis=1)
    slopes = np.stack([across, across * x, across * y, down, down * x, down * y], axis=1)
    weights = np.ones(len(seen))
    for _ in range(3):
        solved = _solve(np.concatenate([plain, -slopes], axis=1), seen, weights)
        error = seen - plain @ solved[:2] + slopes @ solved[2:]
        spread = 1.48 * np.median(np.abs(error)) + 1e-4
        weights = 1 / (1 + (error / (2 * spread)) ** 2)
    gain = solved[0]
    if gain < 0.1:
        return placement
    # Cells to pixels of the released picture; x and y run from -0.5 to 0.5 over it.
    width, height = released
    moves = (solved[2:] / gain).reshape(2, 3) * np.array([[width / columns], [height / rows]])
    change = moves[:, 1:] / np.array([width, height])
    offset = moves[:, 0] - change @ (np.array([width, height]) / 2 - 0.5)
    return placement.moved(change, offset)


def _solve(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    weighted = terms * weights[:, None]
    ridge = 1e-9 * np.eye(terms.shape[1]) * len(values)
    return np.asarray(np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ values))


def _near(found: Placement, given: Placement, size: tuple[int, int], released: tuple[int, int]) -> bool:
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * np.array(size)
    moved = corners @ (found.linear - given.linear).T + (found.shift - given.shift)
    return bool((np.abs(moved) <= _FARTHEST * np.array(released)).all())
