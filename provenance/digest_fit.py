"""One placement of a copy: what changed evenly is fitted, what differs beyond that is measured.

A mark tells how a copy lies on the signed picture only up to a few possible places; each is fitted here and
``provenance.digest_compare`` judges the one of highest ``rank``. Differences are sums over L*, a* and b*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import COARSE
from provenance.digest_grid import LUMA, luma_of, to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.digest_grid import Placed, Placement

ALTERED = 20.0
"""|ΔL*| + |Δa*| + |Δb*| above which a cell counts as altered: JPEG-50, half size and crops stay below 13,
screenshots and clipped highlights below 27 in single cells, a pasted patch reaches 45 and more
(tests/unit/digest)."""
_STEEP, _STEEPEST = 6.0, 40.0
"""Steps between neighbouring cells that count as structure, and where they stop counting for more."""
_GAINS, _OFFSET = (0.4, 2.5), 0.4
"""Contrast and brightness changes beyond these are not taken for the same picture."""
_PRIOR = 1e-3
"""Variance, of channels in 0..1, that the belief in "unchanged" weighs as much as."""
_SATURATIONS = (0.4, 1.8)
"""Changes of saturation beyond these are not taken for the same picture."""
_CLOSENESS = 0.02
"""What a median difference of 1 costs in the choice between placements; it decides between those in which
about as many cells agree: ``ALTERED`` more costs 0.4, as much as 40 % of the cells."""
_POWERS = tuple(2 ** (step / 4) for step in range(-4, 5))
"""Gammas that are tried, of brightness."""
_CURVED = 0.85
"""A gamma is believed where it leaves less than this share of what a straight line leaves."""
_FEWEST_KEPT = 0.75
"""Share of cells that agree, below which nothing is said of how much they explain."""
_LEAST_POWER = 0.25
"""Variance of a ground that is all one, in squares of L*a*b* units."""
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
        grayed: and the signed picture is not.
        unaided: median |ΔL*| + |Δa*| + |Δb*| before anything is fitted.
        explained: share of the signed picture's variance that the copy has too, altered cells and an even
            offset left out, before anything is fitted; at most 1, and 0 where much is altered.
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
    grayed: bool
    unaided: float
    explained: float

    @property
    def contrast(self) -> float:
        """Mean gain over the channels, 1 where unchanged."""
        return float(self.gain.mean())

    def toned(self, rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, 3) of the signed picture, in the copy's tones."""
        colored = (_grayed(rgb) if self.gray else _saturated(rgb, self.saturation)).clip(0, 1)
        return _toned(colored**self.power, self.gain, self.offset)

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
    """Lay the signed picture beside the copy after the brightness, contrast and graying it underwent.

    The change is fitted forwards and clipped as the copy's pixels were, three times, each time without
    the cells that disagree most.
    """
    covered = placed.covered
    seen, wanted = placed.rgb[covered], reference[covered]
    gray = bool(np.ptp(seen, axis=1).max() < _GRAY)
    if gray:
        wanted = _grayed(wanted)
    power = _power(luma_of(seen), luma_of(wanted))
    keep = np.ones(len(seen), bool)
    for _ in range(3):
        saturation = _saturation(seen[keep], wanted[keep] ** power)
        colored = _saturated(wanted, saturation).clip(0, 1) ** power
        gain, offset = _photometry(seen[keep], colored[keep])
        expected = _toned(colored, gain, offset)
        # Less contrast makes differences smaller too; 0.5 bounds how far that is undone.
        error = np.abs(to_lab(expected) - to_lab(seen)).sum(axis=1) / np.clip(gain.mean(), 0.5, 1)
        keep = error <= max(float(np.quantile(error, 0.7)), ALTERED / 2)
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
        saturation=saturation,
        power=power,
        gain=gain,
        offset=offset,
        brightness=float((expected - wanted)[keep].mean()),
        gray=gray,
        grayed=gray and bool(np.ptp(reference[covered], axis=1).max() > 4 * _GRAY),
        unaided=unaided,
        explained=explained,
    )


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
    wanted, error = wanted[kept], (found - wanted)[kept]
    power = float(wanted.var(axis=0).sum())
    return unaided, 1 - float(error.var(axis=0).sum()) / power if power > _LEAST_POWER else 0.0


def _grayed(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.repeat((rgb @ LUMA)[..., None], 3, axis=-1)


def _saturated(rgb: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    gray = _grayed(rgb)
    return gray + factor * (rgb - gray)


def _toned(
    rgb: NDArray[np.float64], gain: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.clip(rgb * gain + offset, 0, 1)


def _power(seen: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """The gamma under which gain and offset explain the copy's brightness best, if any does much better."""
    order = np.argsort(wanted)
    seen, wanted = seen[order].astype(np.float64), wanted[order].astype(np.float64)
    open_ = (seen > 0.03) & (seen < 0.97)
    if open_.sum() < 64:
        return 1.0
    seen, wanted = seen[open_], wanted[open_].clip(0, 1)
    left = {power: _left(seen, wanted**power) for power in _POWERS}
    best = min(_POWERS, key=lambda power: left[power])
    if left[best] >= _CURVED * left[1.0]:
        return 1.0
    finer = [best * 2 ** (step / 24) for step in range(-3, 4)]
    return min(finer, key=lambda power: _left(seen, wanted**power))


def _left(seen: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """Mean error of the seven tenths of cells that a straight line explains best."""
    keep = np.ones(len(seen), bool)
    for _ in range(3):
        x, y = wanted[keep], seen[keep]
        gain = ((x - x.mean()) * (y - y.mean())).mean() / (x.var() + 1e-6)
        error = np.abs(seen - y.mean() - gain * (wanted - x.mean()))
        keep = error <= np.quantile(error, 0.7)
    return float(error[keep].mean()) + 1e-3


def _saturation(seen: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """By how much more colours were stretched than lightness was: contrast alone stretches both alike."""
    slopes = []
    for found, signed in (
        (seen - _grayed(seen), wanted - _grayed(wanted)),
        (luma_of(seen) - luma_of(seen).mean(), luma_of(wanted) - luma_of(wanted).mean()),
    ):
        power = float((signed**2).mean())
        slopes.append((float((found * signed).mean()) + _PRIOR) / (power + _PRIOR))
    return float(np.clip(slopes[0] / max(slopes[1], _GAINS[0]), *_SATURATIONS))


def _photometry(
    seen: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset of each channel with seen = gain × wanted + offset, over cells that are not clipped."""
    open_ = ((seen > 0.03) & (seen < 0.97)).all(axis=1)
    if open_.sum() >= 16:
        seen, wanted = seen[open_], wanted[open_]
    mean_seen, mean_wanted = seen.mean(axis=0), wanted.mean(axis=0)
    covariance = ((seen - mean_seen) * (wanted - mean_wanted)).mean(axis=0)
    variance = ((wanted - mean_wanted) ** 2).mean(axis=0)
    # A little prior weight on "unchanged" keeps flat channels from inventing a gain.
    gain = np.clip((covariance + _PRIOR) / (variance + _PRIOR), *_GAINS)
    return gain, np.clip(mean_seen - gain * mean_wanted, -_OFFSET, _OFFSET)


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
