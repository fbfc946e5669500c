"""One placement of a copy: what changed evenly is fitted, what differs beyond that is measured.

A mark tells how a copy lies on the signed picture only up to a few possible places; each is fitted here and
``provenance.digest_compare`` judges the one of highest ``rank``. Differences are sums over L*, a* and b*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import COARSE
from provenance.digest_grid import luma_of, to_lab
from provenance.digest_tones import ALTERED, Tones, agreeing, fitted_tones, gray_weights, grayed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.digest_grid import Placed, Placement

_STEEP, _STEEPEST = 6.0, 40.0
"""Steps between neighbouring cells that count as structure, and where they stop counting for more."""
_MANY = 64
"""Cells with structure, four times as many as are needed."""
_CLOSENESS = 0.02
"""What a median difference of 1 costs in the choice between placements; it decides between those in which
about as many cells agree: ``ALTERED`` more costs 0.4, as much as 40 % of the cells."""
_FEWEST_KEPT = 0.75
"""Share of cells that agree, below which nothing is said of how much they explain."""
_LEAST_POWER = 0.25
"""Variance of a ground that is all one, in squares of L* units."""
_GRAY = 0.03
"""Channels closer than this everywhere: the copy is in gray."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """One placement, fitted.

    Attributes:
        placement: where the copy lies.
        covered: (32, 32), cells of the signed picture that the copy shows entirely; others count nowhere.
        difference: (32, 32), |ΔL*| + |Δa*| + |Δb*| left after the fit, 0 where not covered.
        structure: (32, 32), the signed picture's largest steps to a neighbour, 0..40: outlines and texture,
            where flat ground has 0. What an edit adds to a plain picture takes none of it away.
        correlation: of lightness steps between neighbours in both pictures, -1..1, altered cells left out.
        saturation: distance of colours from gray over what tells in lightness; 1 where unchanged.
        power: gamma of each channel after that; 1 where unchanged.
        gain: (3,), of each channel after that; 1 where unchanged.
        offset: (3,), added to each channel after that; channels are 0..1.
        brightness: mean change of the channels, which are 0..1.
        gray: the copy is gray.
        gray_weights: (3,), what each channel counts for in that gray.
        grayed: and the signed picture is not.
        unaided: median |ΔL*| + |Δa*| + |Δb*| before anything is fitted.
        explained: share of the variance of the signed picture's lightness that the copy has too, before
            anything is fitted; altered cells and an even offset left out. At most 1; 0 where much differs.
    """

    placement: Placement
    covered: NDArray[np.bool_]
    difference: NDArray[np.float64]
    structure: NDArray[np.float64]
    correlation: float
    saturation: float
    power: float
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    brightness: float
    gray: bool
    gray_weights: NDArray[np.float64]
    grayed: bool
    unaided: float
    explained: float

    @property
    def contrast(self) -> float:
        """Mean gain over the channels, 1 where unchanged."""
        return float(self.gain.mean())

    def toned(self, rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, 3) of the signed picture, in the copy's tones."""
        tones = Tones(saturation=self.saturation, power=self.power, gain=self.gain, offset=self.offset)
        return tones(grayed(rgb, self.gray_weights) if self.gray else rgb)

    @property
    def altered_cells(self) -> NDArray[np.bool_]:
        """(32, 32): cells that differ, single ones only if they differ twice as much as is needed."""
        over = self.difference > ALTERED
        padded = np.pad(over, 1)
        around = sum(
            padded[y : y + COARSE, x : x + COARSE].astype(int) for y in range(3) for x in range(3)
        ) - over.astype(int)
        return np.asarray(over & ((around > 0) | (self.difference > 2 * ALTERED)))

    @property
    def altered(self) -> float:
        """Share of covered cells that differ."""
        return float(self.altered_cells[self.covered].mean())

    def structure_beyond(self, level: float) -> float:
        """Share of the structure that lies in cells differing by more than ``level``."""
        total = float(self.structure.sum())
        return float(self.structure[self.difference > level].sum()) / total if total > 0 else 0.0

    @property
    def median(self) -> float:
        """Median difference over covered cells."""
        return float(np.median(self.difference[self.covered]))

    @property
    def rank(self) -> float:
        """Higher is better: agreeing cells, then closeness."""
        agreeing = float((self.difference[self.covered] <= ALTERED).mean())
        return agreeing + self.correlation - _CLOSENESS * self.median


def fit(reference: NDArray[np.float64], placed: Placed, placement: Placement) -> Fit:
    """Lay the signed picture beside the copy after the brightness, contrast and graying it underwent."""
    covered = placed.covered
    seen, wanted = placed.rgb[covered], reference[covered]
    gray = bool(np.ptp(seen, axis=1).max() < _GRAY)
    weights = gray_weights(seen, wanted)
    if gray:
        wanted = grayed(wanted, weights)
    tones = min(fitted_tones(seen, wanted), Tones(), key=lambda one: one.misfit(seen, wanted))
    expected, error = tones(wanted), tones.error(seen, wanted)
    keep = agreeing(error)
    difference = np.zeros((COARSE, COARSE))
    difference[covered] = error
    signed, found = np.zeros((COARSE, COARSE, 3)), np.zeros((COARSE, COARSE, 3))
    signed[covered], found[covered] = to_lab(expected), to_lab(seen)
    unaided, explained = _as_it_is(reference[covered], seen, error <= ALTERED / 2)
    return Fit(
        placement=placement,
        covered=covered,
        difference=difference,
        structure=_steps(signed, covered),
        correlation=_agreement(found[..., 0], signed[..., 0], covered & (difference <= ALTERED)),
        saturation=tones.saturation,
        power=tones.power,
        gain=np.asarray(tones.gain, float),
        offset=np.asarray(tones.offset, float),
        brightness=float((expected - wanted)[keep].mean()),
        gray=gray,
        gray_weights=weights,
        grayed=gray and bool(np.ptp(reference[covered], axis=1).max() > 4 * _GRAY),
        unaided=unaided,
        explained=explained,
    )


def has_outlines(rgb: NDArray[np.floating]) -> bool:
    """Whether (32, 32, 3) cells have so many steps that a digest surely knows the picture again."""
    return int((_steps(to_lab(rgb), np.ones(rgb.shape[:2], bool)) > 0).sum()) >= _MANY


def likeness(reference: NDArray[np.float64], placed: Placed) -> float:
    """Correlation of brightness steps between neighbours, -1..1: quick, and blind to even changes of tone."""
    return _agreement(luma_of(placed.rgb), luma_of(reference), placed.covered)


def _as_it_is(
    signed: NDArray[np.float64], seen: NDArray[np.float64], kept: NDArray[np.bool_]
) -> tuple[float, float]:
    """``Fit.unaided`` and ``Fit.explained``."""
    wanted, found = to_lab(signed), to_lab(seen)
    unaided = float(np.median(np.abs(found - wanted).sum(axis=1)))
    if kept.mean() < _FEWEST_KEPT:
        return unaided, 0.0
    wanted, error = wanted[kept, 0], (found - wanted)[kept, 0]
    power = float(wanted.var())
    return unaided, 1 - float(error.var()) / power if power > _LEAST_POWER else 0.0


def _steps(lab: NDArray[np.float64], covered: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(32, 32): the largest step to a covered neighbour, 0 where it is too small to count."""
    largest = np.zeros((COARSE, COARSE))
    across = np.abs(np.diff(lab, axis=1)).sum(axis=-1) * (covered[:, 1:] & covered[:, :-1])
    down = np.abs(np.diff(lab, axis=0)).sum(axis=-1) * (covered[1:] & covered[:-1])
    for part, step in (
        (largest[:, 1:], across),
        (largest[:, :-1], across),
        (largest[1:], down),
        (largest[:-1], down),
    ):
        np.maximum(part, step, out=part)
    return np.where(largest > _STEEP, np.minimum(largest, _STEEPEST), 0)


def _agreement(found: NDArray[np.floating], signed: NDArray[np.floating], cells: NDArray[np.bool_]) -> float:
    """Correlation of lightness steps between neighbours: grounds alike do not count, outlines do."""
    across, down = cells[:, 1:] & cells[:, :-1], cells[1:] & cells[:-1]
    steps = [
        np.concatenate([np.diff(plane, axis=1)[across], np.diff(plane, axis=0)[down]])
        for plane in (found, signed)
    ]
    power = float(np.sqrt((steps[0] @ steps[0]) * (steps[1] @ steps[1])))
    return float(steps[0] @ steps[1]) / power if power > 1e-9 else 0.0
