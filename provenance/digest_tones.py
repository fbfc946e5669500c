"""What a copy's brightness, contrast and colours went through as a whole, fitted cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import LUMA, luma_of, to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALTERED = 20.0
"""|ΔL*| + |Δa*| + |Δb*| above which a cell counts as altered: JPEG-50, half size and crops stay below 13,
screenshots and clipped highlights below 27 in single cells, a pasted patch reaches 45 and more
(tests/unit/digest)."""
_GAINS, _OFFSET = (0.4, 2.5), 0.4
"""Contrast and brightness changes beyond these are not taken for the same picture."""
_PRIOR = 1e-3
"""Variance, of channels in 0..1, that the belief in "unchanged" weighs as much as."""
_FEWEST_OPEN = 16
"""Cells in which a channel is not clipped, that say how it was toned."""
_SATURATIONS = (0.4, 1.8)
"""Changes of saturation beyond these are not taken for the same picture."""
_POWERS = tuple(2 ** (step / 4) for step in range(-4, 5))
"""Gammas that are tried, of brightness."""
_CURVED = 0.85
"""A gamma is believed where it leaves less than this share of what a straight line leaves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tones:
    """What brightness, contrast and colours went through, in this order; by default, nothing.

    Attributes:
        saturation: distance of colours from gray, over what it was.
        power: gamma of each channel.
        gain: (3,), of each channel.
        offset: (3,), added to each channel; channels are 0..1.
    """

    saturation: float = 1.0
    power: float = 1.0
    gain: NDArray[np.float64] | tuple[float, ...] = (1.0, 1.0, 1.0)
    offset: NDArray[np.float64] | tuple[float, ...] = (0.0, 0.0, 0.0)

    def __call__(self, rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, 3) in 0..1 of the signed picture, as the copy shows it."""
        colored = _saturated(rgb, self.saturation).clip(0, 1) ** self.power
        return np.clip(colored * self.gain + self.offset, 0, 1)

    def error(self, seen: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
        """(cells,) |ΔL*| + |Δa*| + |Δb*| that are left."""
        # Less contrast makes differences smaller too; 0.5 bounds how far that is undone.
        shrunk = float(np.clip(np.mean(self.gain), 0.5, 1))
        return np.asarray(np.abs(to_lab(self(wanted)) - to_lab(seen)).sum(axis=1) / shrunk)

    def misfit(self, seen: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
        """Mean error of cells that agree."""
        error = self.error(seen, wanted)
        return float(error[agreeing(error)].mean())


def agreeing(error: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells that agree: seven tenths of them, or all that are not even faintly altered."""
    return np.asarray(error <= max(float(np.quantile(error, 0.7)), ALTERED / 2))


def fitted_tones(seen: NDArray[np.float64], wanted: NDArray[np.float64]) -> Tones:
    """Forwards and clipped, as it happened to the copy; each time without the cells that disagree most."""
    power, keep = _power(luma_of(seen), luma_of(wanted)), np.ones(len(seen), bool)
    for _ in range(3):
        saturation = _saturation(seen[keep], wanted[keep] ** power)
        colored = _saturated(wanted, saturation).clip(0, 1) ** power
        gain, offset = _photometry(seen[keep], colored[keep])
        tones = Tones(saturation=saturation, power=power, gain=gain, offset=offset)
        keep = agreeing(tones.error(seen, wanted))
    return tones


def grayed(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, 3): the same gray in each channel."""
    return np.repeat((rgb @ LUMA)[..., None], 3, axis=-1)


def _saturated(rgb: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    gray = grayed(rgb)
    return gray + factor * (rgb - gray)


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
        (seen - grayed(seen), wanted - grayed(wanted)),
        (luma_of(seen) - luma_of(seen).mean(), luma_of(wanted) - luma_of(wanted).mean()),
    ):
        power = float((signed**2).mean())
        slopes.append((float((found * signed).mean()) + _PRIOR) / (power + _PRIOR))
    return float(np.clip(slopes[0] / max(slopes[1], _GAINS[0]), *_SATURATIONS))


def _photometry(
    seen: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset of each channel with seen = gain × wanted + offset, over cells that are not clipped."""
    open_ = (seen > 0.03) & (seen < 0.97)
    # A channel that is clipped nearly everywhere, as blue is in yellow, takes all cells.
    open_[:, open_.sum(axis=0) < _FEWEST_OPEN] = True
    count = open_.sum(axis=0)
    mean_seen, mean_wanted = (np.where(open_, plane, 0).sum(axis=0) / count for plane in (seen, wanted))
    off_seen, off_wanted = (np.where(open_, plane, 0) for plane in (seen - mean_seen, wanted - mean_wanted))
    covariance = (off_seen * off_wanted).sum(axis=0) / count
    variance = (off_wanted**2).sum(axis=0) / count
    # A little prior weight on "unchanged" keeps flat channels from inventing a gain.
    gain = np.clip((covariance + _PRIOR) / (variance + _PRIOR), *_GAINS)
    return gain, np.clip(mean_seen - gain * mean_wanted, -_OFFSET, _OFFSET)
