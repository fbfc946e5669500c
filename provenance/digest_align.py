"""Lay a copy exactly: from about a cell off to a few hundredths of one (Lucas and Kanade 1981).

The mark says how a copy lies up to about a cell of the coarse grid. On the fine grid that would look like
changes along every outline, so what is left is fitted here: six numbers of an affine map, with gain and
offset of the brightness, over cells that agree (an altered place must not pull).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import Canvas, View, area_means, luma_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.digest_grid import Placement
    from provenance.digest_planes import Reference

_LEVELS = (4, 2, 1)
"""Cells of the fine grid to a cell of each level, from the roughest to the finest."""
_ROUNDS = (3, 3, 6)
_STILL = 0.01
"""Movement, in cells, from which on another round changes nothing."""
_FEWEST = 64
"""Covered cells below which nothing is fitted."""
_DISAGREES = 0.02
"""Difference, of luma in 0..1, that counts as half a disagreement."""
_NOISE = 0.003
"""Least noise, of luma in 0..1."""
_OFF, _ROUGH = 0.5, 2.0
"""Cells of the fine grid by which a placement is off, as standard deviations: without an outline that tells,
nothing is moved along the outlines that there are."""
_LONE = 0.15
"""Share of what outlines tell across them that they tell along them, below which a picture's are straight and
run one way: a detail on them may then have been taken for an altered one."""
_SLIDES = (-1.0, -0.7, -0.4, 0.4, 0.7, 1.0)
"""Cells by which a placement is then moved along them, to begin anew."""
_FARTHEST = 0.08
"""Largest movement of a corner taken for a correction, in shares of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Likely:
    """How far from the ``given`` placement the right one may lie: by some ``cells`` of a level.

    ``released`` is (width, height) of the signed picture.
    """

    given: Placement
    cells: float
    released: tuple[int, int]

    def so_far(self, placement: Placement, grid: tuple[int, ...]) -> NDArray[np.float64]:
        """What has been moved, as the six numbers of ``_step``."""
        linear = placement.linear @ np.linalg.inv(self.given.linear)
        shift = placement.shift - linear @ self.given.shift
        size = np.array(self.released, float)
        cell = size / (grid[1], grid[0])
        change = np.eye(2) - linear
        middle = change @ (size / 2 - 0.5) - shift
        return np.concatenate([[middle[axis], *(change[axis] * size)] / cell[axis] for axis in (0, 1)])


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
        likely = _Likely(
            given=placement, cells=(_ROUGH if rough else _OFF) / level, released=reference.released
        )
        found = _settled(wanted, canvas, found, likely, rounds)
    along = _along(wanted)
    if along is not None:
        step = along * reference.released / (columns, rows)
        begun = [placement.moved(np.zeros((2, 2)), slide * step) for slide in _SLIDES]
        tried = [_settled(wanted, canvas, one, likely, rounds) for one in begun]
        found = min([found, *tried], key=lambda one: _misfit(wanted, canvas, one))
    return found if _moved(found, placement, view.size, reference.released) <= _FARTHEST else placement


def _settled(
    wanted: NDArray[np.float64],
    canvas: Canvas,
    placement: Placement,
    likely: _Likely,
    rounds: int,
) -> Placement:
    """``placement`` after so many rounds, or fewer where it stands still."""
    for _ in range(rounds):
        before, placement = placement, _step(wanted, canvas, placement, likely)
        if _moved(placement, before, canvas.size, likely.released) * max(wanted.shape) < _STILL:
            break
    return placement


def _along(wanted: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """(2,) the direction, as x and y of cells, in which outlines tell next to nothing; None without one."""
    slopes = np.stack([gradient.ravel() for gradient in np.gradient(wanted)[::-1]])
    told, directions = np.linalg.eigh(slopes @ slopes.T)
    return np.asarray(directions[:, 0]) if told[0] < _LONE * told[1] else None


def _misfit(wanted: NDArray[np.float64], canvas: Canvas, placement: Placement) -> float:
    """How many cells disagree, after gain and offset, as far as they count as one: 0 to 1."""
    placed = canvas.place(placement)
    covered = inner(placed.covered)
    if covered.sum() < _FEWEST:
        return 1.0
    terms, seen = np.stack([wanted[covered], np.ones(covered.sum())], axis=1), placed.rgb[covered, 0]
    weights = np.ones(len(seen))
    for _ in range(3):
        weighted = terms * weights[:, None]
        error = seen - terms @ np.linalg.lstsq(weighted.T @ terms, weighted.T @ seen, rcond=None)[0]
        weights = 1 / (1 + (error / _DISAGREES) ** 2)
    return float(1 - weights.mean())


def _step(
    wanted: NDArray[np.float64],
    canvas: Canvas,
    placement: Placement,
    likely: _Likely,
) -> Placement:
    placed = canvas.place(placement)
    covered = inner(placed.covered)
    if covered.sum() < _FEWEST:
        return placement
    rows, columns = wanted.shape
    seen = placed.rgb[covered, 0]
    down, across = np.gradient(wanted, axis=0)[covered], np.gradient(wanted, axis=1)[covered]
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns - 0.5, (np.arange(rows) + 0.5) / rows - 0.5)
    x, y = x[covered], y[covered]
    plain = np.stack([wanted[covered], np.ones(len(seen))], axis=1)
    slopes = np.stack([across, across * x, across * y, down, down * x, down * y], axis=1)
    telling = across**2 + down**2
    weights, spread, gain = np.ones(len(seen)), 0.0, 1.0
    terms, so_far = np.concatenate([plain, -slopes], axis=1), likely.so_far(placement, wanted.shape)
    for _ in range(3):
        # Moved in all by what was given and this: as unlikely as a cell that is off by its share of noise.
        pull = np.hypot(spread, _NOISE) ** 2 / likely.cells**2
        solved = _solve(terms, seen, weights, pull, so_far * gain)
        gain = max(float(solved[0]), 0.1)
        error = seen - plain @ solved[:2] + slopes @ solved[2:]
        spread = 1.48 * _median(np.abs(error), telling) + 1e-4
        weights = 1 / (1 + (error / (2 * spread)) ** 2)
    if solved[0] < 0.1:
        return placement
    # Cells to pixels of the released picture; x and y run from -0.5 to 0.5 over it.
    width, height = likely.released
    moves = (solved[2:] / gain).reshape(2, 3) * np.array([[width / columns], [height / rows]])
    change = moves[:, 1:] / np.array([width, height])
    offset = moves[:, 0] - change @ (np.array([width, height]) / 2 - 0.5)
    return placement.moved(change, offset)


def inner(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the picture's outermost cells: what lies around a copy, a frame or black corners, bleeds in."""
    kept = covered.copy()
    kept[0] = kept[-1] = kept[:, 0] = kept[:, -1] = False
    return kept


def _solve(
    terms: NDArray[np.float64],
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    pull: float,
    so_far: NDArray[np.float64],
) -> NDArray[np.float64]:
    weighted = terms * weights[:, None]
    ridge = np.diag([1e-9 * len(values)] * 2 + [pull] * 6)
    back = np.concatenate([[0, 0], -pull * so_far])
    return np.asarray(np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ values + back))


def _median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Of weighted values: cells without outlines fit anywhere, and say nothing of how well outlines do."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order[min(np.searchsorted(reached, reached[-1] / 2), len(order) - 1)]])


def _moved(found: Placement, given: Placement, size: tuple[int, int], released: tuple[int, int]) -> float:
    """Largest movement of a corner, in shares of the picture's sides."""
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * np.array(size)
    moved = corners @ (found.linear - given.linear).T + (found.shift - given.shift)
    return float((np.abs(moved) / np.array(released)).max())
