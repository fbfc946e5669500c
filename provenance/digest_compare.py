"""Compute visual digests and hold found copies against them.

1. where could the copy lie in the released picture (the mark's geometry, up to whole tiles)
2. lay it there; fit brightness, contrast and colour over what is covered
3. the place with the most cells that agree wins
4. same picture, another picture, or too little to say
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import GRID, DigestReading, VisualDigest
from provenance.digest_grid import Canvas, area_means, dequantise, opaque_rgb, quantise, to_lab, to_rgb
from provenance.evidence import Evidence, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.digest_grid import Placed
    from provenance.media import Frames
    from provenance.watermark.interface import Geometry

CLAIM = "is the picture whose digest the manifest signs"
_ALTERED = 20.0
"""|ΔL*| + |Δa*| + |Δb*| above which a cell counts as altered: JPEG-50, half size and crops stay below 13,
screenshots and clipped highlights below 27 in single cells, a pasted patch reaches 45 and more
(tests/unit/digest)."""
_SAME_ALTERED, _OTHER_ALTERED = 0.30, 0.45
"""Up to 30 % altered cells it is the same picture, edited; from 45 % on another one."""
_SAME_MEDIAN, _OTHER_MEDIAN = 5.0, 8.0
"""Median difference of all covered cells: 0.5-3 in benign copies."""
_SAME_CORRELATION = 0.80
"""Correlation of fine structure where cells are not altered."""
_FEWEST_CELLS = 64
"""A copy covering less than a sixteenth of the picture decides nothing."""
_GAINS, _OFFSET = (0.4, 2.5), 0.4
"""Contrast and brightness changes beyond these are not taken for the same picture."""
_PRIOR = 1e-3
_GRAY = 0.03
"""Channels closer than this everywhere: the copy is in gray."""
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """One placement, fitted."""

    linear: NDArray[np.float64]
    shift: NDArray[np.float64]
    covered: NDArray[np.bool_]
    difference: NDArray[np.float64]
    correlation: float
    contrast: float
    brightness: float
    grayed: bool

    @property
    def altered_cells(self) -> NDArray[np.bool_]:
        """(32, 32): cells that differ, single ones only if they differ twice as much as is needed."""
        over = self.difference > _ALTERED
        padded = np.pad(over, 1)
        around = sum(
            padded[y : y + GRID, x : x + GRID].astype(int) for y in range(3) for x in range(3)
        ) - over.astype(int)
        return np.asarray(over & ((around > 0) | (self.difference > 2 * _ALTERED)))

    @property
    def altered(self) -> float:
        """Share of covered cells that differ."""
        return float(self.altered_cells[self.covered].mean())

    @property
    def median(self) -> float:
        """Median difference over covered cells."""
        return float(np.median(self.difference[self.covered]))

    @property
    def rank(self) -> float:
        """Higher is better: agreeing cells, then closeness."""
        agreeing = float((self.difference[self.covered] <= _ALTERED).mean())
        return agreeing + self.correlation - 0.02 * self.median


def visual_digest(frames: Frames) -> VisualDigest:
    """The digest of a released picture (its first frame)."""
    lab = to_lab(area_means(opaque_rgb(frames), GRID, GRID))
    return VisualDigest(width=frames.width, height=frames.height, lab=quantise(lab))


def compare(digest: VisualDigest, frames: Frames, geometry: Geometry | None) -> Evidence:
    """Is ``frames`` the picture of ``digest``?

    SUPPORTS: the same picture; ``detail`` says what is cropped, turned and altered. CONTRADICTS:
    another picture. INCONCLUSIVE: the copy shows too little, or lies between.

    Args:
        digest: from a manifest whose signature holds.
        frames: the found copy.
        geometry: of the mark found in it; None takes the copy for the whole picture.
    """
    reference = to_rgb(dequantise(digest.lab))
    rgb = opaque_rgb(frames)
    fits = [
        _fit(reference, placed, linear, shift)
        for linear, shift, placed in _placements(digest, rgb, geometry)
        if placed.covered.sum() >= _FEWEST_CELLS
    ]
    if not fits:
        reason = "the copy shows too little of the picture to compare"
        return Evidence(claim=CLAIM, channel="digest", outcome=Outcome.INCONCLUSIVE, reason=reason)
    best = max(fits, key=lambda fit: fit.rank)
    outcome, why = _judge(best)
    detail = _reading(best, digest, (frames.width, frames.height), matches=outcome is Outcome.SUPPORTS)
    return Evidence(claim=CLAIM, channel="digest", outcome=outcome, reason=why, detail=detail)


def altered_heatmap(reading: DigestReading) -> NDArray[np.float64]:
    """(32, 32) in 0..1: how much each cell of the released picture differs; 1 is twice the threshold."""
    return np.clip(np.array(reading.difference) / (2 * _ALTERED), 0, 1)


def _placements(
    digest: VisualDigest, rgb: NDArray[np.float32], geometry: Geometry | None
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], Placed]]:
    """(linear, shift, placed): released pixel = linear @ copy pixel + shift."""
    height, width = rgb.shape[:2]
    released = np.array([digest.width, digest.height], float)
    if geometry is None:
        stretch = released / [width, height]
        linear, shift = np.diag(stretch), (stretch - 1) / 2
        yield linear, shift, Canvas(rgb, (digest.width, digest.height), linear).place(shift)
        return
    for spread in geometry.spreads:
        scale = spread * np.sqrt(digest.width * digest.height) / 512
        linear = scale * np.array(geometry.matrix)
        canvas = Canvas(rgb, (digest.width, digest.height), linear)
        corners = linear @ np.array([[0, width, 0, width], [0, 0, height, height]])
        first = scale * np.array(geometry.offset)
        for shift in _shifts(corners, first, scale * geometry.period, released):
            yield linear, shift, canvas.place(shift)


def _shifts(
    corners: NDArray[np.float64], first: NDArray[np.float64], period: float, released: NDArray[np.float64]
) -> Iterator[NDArray[np.float64]]:
    """All places, whole tiles apart, where the copy lies within the picture or (bordered) around it."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    slack = 0.04 * released
    # The copy's box [low, high] + shift must lie inside [0, released], or contain it.
    ends = np.stack([-low, released - high])
    least, most = ends.min(axis=0) - slack, ends.max(axis=0) + slack
    begin, end = np.ceil((least - first) / period), np.floor((most - first) / period)
    for column in np.arange(begin[0], end[0] + 1)[:_MOST_TILES]:
        for row in np.arange(begin[1], end[1] + 1)[:_MOST_TILES]:
            yield first + period * np.array([column, row])


_MOST_TILES = 12
"""Places tried in each direction: bounds the work on copies with absurd geometry."""


def _fit(
    reference: NDArray[np.float64], placed: Placed, linear: NDArray[np.float64], shift: NDArray[np.float64]
) -> _Fit:
    """Lay the signed picture beside the copy after the brightness, contrast and graying it underwent.

    The change is fitted forwards and clipped as the copy's pixels were, three times, each time without
    the cells that disagree most.
    """
    covered = placed.covered
    seen, wanted = placed.rgb[covered], reference[covered]
    if np.ptp(seen, axis=1).max() < _GRAY:
        wanted = np.repeat(wanted @ _LUMA[:, None], 3, axis=1)
    keep = np.ones(len(seen), bool)
    for _ in range(3):
        gain, offset = _photometry(seen[keep], wanted[keep])
        expected = np.clip(wanted * gain + offset, 0, 1)
        # Less contrast makes differences smaller too; 0.5 bounds how far that is undone.
        error = np.abs(to_lab(expected) - to_lab(seen)).sum(axis=1) / np.clip(gain.mean(), 0.5, 1)
        keep = error <= max(float(np.quantile(error, 0.7)), _ALTERED / 2)
    difference, signed, found = (np.zeros((GRID, GRID)) for _ in range(3))
    difference[covered] = error
    signed[covered], found[covered] = to_lab(expected)[:, 0], to_lab(seen)[:, 0]
    return _Fit(
        linear=linear,
        shift=shift,
        covered=covered,
        difference=difference,
        correlation=_structure(found, signed, covered & (difference <= _ALTERED)),
        contrast=float(gain.mean()),
        brightness=float((expected - wanted)[keep].mean()),
        grayed=bool(
            np.ptp(seen, axis=1).max() < _GRAY and np.ptp(reference[covered], axis=1).max() > 4 * _GRAY
        ),
    )


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


def _structure(found: NDArray[np.float64], signed: NDArray[np.float64], cells: NDArray[np.bool_]) -> float:
    """Correlation of lightness steps between neighbours: grounds alike do not count, outlines do."""
    across, down = cells[:, 1:] & cells[:, :-1], cells[1:] & cells[:-1]
    steps = [
        np.concatenate([np.diff(plane, axis=1)[across], np.diff(plane, axis=0)[down]])
        for plane in (found, signed)
    ]
    power = float(np.sqrt((steps[0] @ steps[0]) * (steps[1] @ steps[1])))
    return float(steps[0] @ steps[1]) / power if power > 1e-9 else 0.0


def _judge(fit: _Fit) -> tuple[Outcome, str | None]:
    same = fit.altered <= _SAME_ALTERED and fit.median <= _SAME_MEDIAN
    if same and fit.correlation >= _SAME_CORRELATION:
        return Outcome.SUPPORTS, None
    if fit.altered >= _OTHER_ALTERED or fit.median >= _OTHER_MEDIAN or fit.correlation < _SAME_CORRELATION:
        return Outcome.CONTRADICTS, "the pixels show another picture than the one the manifest signs"
    reason = "much of the picture differs: an edited copy, or another picture like it"
    return Outcome.INCONCLUSIVE, reason


def _reading(fit: _Fit, digest: VisualDigest, size: tuple[int, int], *, matches: bool) -> DigestReading:
    width, height = size
    corners = fit.linear @ np.array([[-0.5, width - 0.5], [-0.5, height - 0.5]]) + fit.shift[:, None] + 0.5
    released = np.array([digest.width, digest.height], float)
    low = np.clip(corners.min(axis=1) / released, 0, 1)
    high = np.clip(corners.max(axis=1) / released, 0, 1)
    back = np.linalg.inv(fit.linear)
    mirrored = bool(np.linalg.det(back) < 0)
    turn = float(np.degrees(np.arctan2(-back[1, 0], back[0, 0] * (-1 if mirrored else 1))))
    return DigestReading(
        matches=matches,
        score=fit.correlation,
        altered=tuple(tuple(row) for row in fit.altered_cells.tolist()),
        difference=tuple(tuple(round(float(cell), 2) for cell in row) for row in fit.difference),
        altered_fraction=fit.altered,
        kept=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        crop_fraction=float(np.prod(high - low)),
        rotation=turn,
        mirrored=mirrored,
        scale=(float(np.hypot(*back[:, 0])), float(np.hypot(*back[:, 1]))),
        notes=_notes(fit),
    )


def _notes(fit: _Fit) -> tuple[str, ...]:
    notes = []
    if abs(fit.brightness) > 0.03:
        notes.append("brighter" if fit.brightness > 0 else "darker")
    if abs(np.log(fit.contrast)) > 0.12:
        notes.append("more contrast" if fit.contrast > 1 else "less contrast")
    if fit.grayed:
        notes.append("in gray")
    return tuple(notes)
