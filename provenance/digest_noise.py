"""What a benign copy leaves between itself and the signed picture: how much of it each cell explains.

1. the copy's lightness and colour as smooth functions of the signed picture's, and what blur, sharpening and
   a last fraction of a cell leave along outlines: fitted, and taken away
2. what remains is noise of four kinds: everywhere; where there is texture (both read off this copy); where
   the copy's tones were bent, and a cell's mean no longer says how (computed); where no outline tells how the
   copy lies (computed)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import to_lab, to_rgb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from provenance.digest_fit import Fit

    Plane = NDArray[np.float64]
    Cells = NDArray[np.bool_]

_STEEPER, _STEEPEST = 1.5, (0.06, 0.35)
"""Noise grows with texture by so much more than its medians do, for its tails. Medians of benign copies
grow by less than the second (texture of lightness, of colour); an altered label on flat ground, all the
texture there is, must stay none."""
_ROUNDS = 8
SHARPNESS = slice(6, 8)
"""Of ``luma_terms``."""
_CHANGE, _SLIGHT = 3.0, 0.35
"""Size of the terms' factors, as a standard deviation, in L*a*b* units; and the least
noise that may tell more of them, so that they do not follow what rounding left."""
_REDRAWN = 0.3
"""Of what sharpening and blurring did to a cell, this share is noise."""
_HARDLY = 0.02
"""Factors up to which a copy counts as neither."""
_BENT = 1.0
"""Of what bent tones could do to a cell as varied as its neighbours differ, this share is noise."""
_TONED = 0.01
"""Mean change of channels in 0..1 from which tones count as changed."""
_OFF = 0.5
"""Cells by which a copy may lie elsewhere before its outlines were looked at (standard deviation)."""
_ALIKE = 0.1
"""Neighbouring cells tell much the same; of so many cells one counts."""


def luma_terms(lab: Plane) -> Plane:
    """(rows, columns, 10): tone curve, colour's part in gray, sharpness, and a shift across and down."""
    lightness, a, b = _scaled(lab)
    outlines = _outlines(lightness)
    down, across = np.gradient(lightness)
    one = np.ones_like(lightness)
    terms = [one, lightness, lightness**2, lightness**3, a, b, outlines, _outlines(outlines), across, down]
    return np.stack(terms, axis=-1)


def _outlines(plane: Plane) -> Plane:
    """How far the four neighbours are above a cell, in all."""
    padded = np.pad(plane, 1, mode="edge")
    ring = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return np.asarray(ring - 4 * plane)


def color_terms(lab: Plane) -> Plane:
    """(rows, columns, 8): saturation and hue, and both of them changing with lightness."""
    lightness, a, b = _scaled(lab)
    one = np.ones_like(lightness)
    terms = [one, lightness, lightness**2, lightness**3, a, b, a * lightness, b * lightness]
    return np.stack(terms, axis=-1)


def _scaled(lab: Plane) -> tuple[Plane, Plane, Plane]:
    return (lab[..., 0] - 50) / 50, lab[..., 1] / 50, lab[..., 2] / 50


def remainder(terms: Plane, wanted: Plane, seen: Plane, covered: Cells) -> tuple[Plane, Plane]:
    """What the terms leave of ``seen`` less ``wanted``, over cells that agree (0 where not covered); factors.

    Factors are taken for small where cells do not tell: those of a bar before a sky say nothing of what a
    change of tones did to a lone dark spot.
    """
    rows, values = terms[covered], (seen - wanted)[covered]
    weights, pull = np.ones(len(values)), 1e-6 * len(values)
    for _ in range(4):
        weighted = rows * weights[:, None]
        factors = np.linalg.solve(weighted.T @ rows + pull * np.eye(rows.shape[1]), weighted.T @ values)
        error = values - rows @ factors
        spread = 1.48 * float(np.median(np.abs(error))) + 1e-3
        weights, pull = 1 / (1 + (error / (2 * spread)) ** 2), (max(spread, _SLIGHT) / _CHANGE) ** 2
    left = np.zeros_like(seen)
    left[covered] = error
    return left, np.asarray(factors, np.float64)


def redrawn(terms: Plane, factors: Plane) -> Plane:
    """Noise along outlines that were sharpened or blurred: part of what ``luma_terms`` explains by that."""
    much = np.maximum(np.abs(factors[SHARPNESS]) - _HARDLY, 0) * np.sign(factors[SHARPNESS])
    return np.asarray(_REDRAWN * np.abs(terms[..., SHARPNESS] @ much))


def texture(plane: Plane) -> Plane:
    """Range of values in three by three cells."""
    return highest(plane) + highest(-plane)


def highest(plane: Plane) -> Plane:
    """Of three by three cells."""
    high = np.pad(plane, 1, mode="edge")
    high = np.maximum(np.maximum(high[:-2], high[1:-1]), high[2:])
    return np.asarray(np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:]))


def noise(left: Plane, textures: tuple[Plane, Plane], covered: Cells, floor: float) -> Plane:
    """Standard deviation of unaltered cells, by medians: everywhere, with lightness and with colour.

    Args:
        left: what a fit left.
        textures: of lightness, of colour.
        floor: least noise, in L*a*b* units.
    """
    size = np.abs(left[covered])
    terms = np.stack([np.ones(len(size)), *(plane[covered] for plane in textures)], axis=1)
    used, weights, slopes = [0, 1, 2], np.ones(len(size)), np.zeros(3)
    for _ in range(_ROUNDS):  # least absolute differences, by weights; no slope below 0
        weighted = terms[:, used] * weights[:, None]
        solved = np.linalg.solve(weighted.T @ terms[:, used] + 1e-6 * np.eye(len(used)), weighted.T @ size)
        slopes[:] = 0
        slopes[used] = solved
        if (solved[1:] < 0).any():
            used = [term for term in used if term == 0 or slopes[term] >= 0]
            continue
        error = np.abs(size - terms @ slopes)
        weights = 1 / np.maximum(error, 0.02 + 0.2 * np.median(error))
    made = [
        _STEEPER * 1.48 * min(max(slope, 0.0), steepest) * plane
        for slope, steepest, plane in zip(slopes[1:], _STEEPEST, textures, strict=True)
    ]
    return together(np.full(left.shape, max(1.48 * slopes[0], floor)), *made)


def together(*levels: Plane) -> Plane:
    """Standard deviation of noises that know nothing of each other."""
    return np.asarray(np.sqrt(sum(level**2 for level in levels)))


def bent_lightness(best: Fit, lab: Plane, textures: Sequence[Plane]) -> Plane:
    """Noise where tones were bent or grayed: a cell's mean and the colour around it do not say enough.

    Args:
        lab: of the signed picture.
        textures: of its L*, a* and b*.
    """
    if _hardly_toned(best, lab):
        return np.zeros(lab.shape[:2])
    made = [
        _bend(tones, lab, textures[0])[..., 0] + sum(_leak(tones, lab, k, textures[k] / 4) for k in (1, 2))
        for tones in (best.toned, _unchanged)
    ]
    return np.asarray(_BENT * np.maximum(made[0] - made[1], 0))


def bent_color(best: Fit, lab: Plane, lightness: Plane) -> Plane:
    """The same of a* and b*, of the texture of ``lightness``."""
    if _hardly_toned(best, lab):
        return np.zeros(lab.shape[:2])
    made = [_bend(tones, lab, lightness)[..., 1:].max(axis=-1) for tones in (best.toned, _unchanged)]
    return np.asarray(_BENT * np.maximum(made[0] - made[1], 0))


def _hardly_toned(best: Fit, lab: Plane) -> bool:
    """As most copies are; nothing is bent then."""
    rgb = to_rgb(lab)
    return float(np.abs(best.toned(rgb) - rgb).mean()) < _TONED


def _unchanged(rgb: Plane) -> Plane:
    return rgb


def _bend(tones: Callable[[Plane], Plane], lab: Plane, varied: Plane) -> Plane:
    """How far the middle of a chord of the tone curve, as long as lightness is ``varied``, is off it."""
    high, low = np.clip(lab[..., 0] + varied / 2, 0, 100), np.clip(lab[..., 0] - varied / 2, 0, 100)
    share = ((lab[..., 0] - low) / np.maximum(high - low, 1e-6))[..., None]
    upper, lower = _moved(tones, lab, 0, varied / 2), _moved(tones, lab, 0, -varied / 2)
    return np.asarray(np.abs(lower * (1 - share) + upper * share - _moved(tones, lab, 0, 0.0 * varied)))


def _leak(tones: Callable[[Plane], Plane], lab: Plane, channel: int, by: Plane) -> Plane:
    """What another colour does to lightness."""
    both = [_moved(tones, lab, channel, sign * by)[..., 0] for sign in (1, -1)]
    return np.asarray(np.abs(both[0] - both[1]) / 2)


def _moved(tones: Callable[[Plane], Plane], lab: Plane, channel: int, by: Plane) -> Plane:
    """The picture in the copy's tones after ``channel`` was changed."""
    changed = lab.copy()
    changed[..., channel] += by
    changed[..., 0] = np.clip(changed[..., 0], 0, 100)
    return to_lab(tones(to_rgb(changed)))


def unplaced(lightness: Plane, left: Plane, covered: Cells) -> Plane:
    """Noise where outlines do not tell how the copy lies: beside a lone straight edge, in a plain picture."""
    rows, columns = lightness.shape
    down, across = np.gradient(lightness)
    y, x = (np.arange(rows)[:, None] + 0.5) / rows - 0.5, (np.arange(columns) + 0.5) / columns - 0.5
    slopes = np.stack([across, across * x, across * y, down, down * x, down * y], axis=-1)
    spread = max(1.0, 1.48 * float(np.median(np.abs(left[covered]))))
    told = slopes[covered].T @ slopes[covered] * (_ALIKE / spread**2)
    doubt = np.linalg.inv(told + np.eye(6) / _OFF**2)
    return np.asarray(np.sqrt(np.einsum("rci,ij,rcj->rc", slopes, doubt, slopes)))
