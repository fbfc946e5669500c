"""Compute visual digests and hold found copies against them.

1. where could the copy lie in the released picture (the mark's geometry, up to whole tiles)
2. lay it there; fit brightness, contrast and colour over what is covered
3. the place with the most cells that agree wins
4. same picture, another picture, or too little to say
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import GRID, DigestReading, VisualDigest
from provenance.digest_fit import ALTERED, Fit, fit
from provenance.digest_grid import Canvas, area_means, dequantise, opaque_rgb, quantise, to_lab, to_rgb
from provenance.evidence import Evidence, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.digest_grid import Placed
    from provenance.media import Frames
    from provenance.watermark.interface import Geometry

_TOO_LITTLE = "the copy shows too little of the picture to compare"
CLAIM = "is the picture whose digest the manifest signs"
_FAINT = 10.0
"""Half of ALTERED: what a change of tone within the same outlines still reaches."""
_SAME_STRUCTURE, _SAME_FAINT, _OTHER_STRUCTURE = 0.25, 0.30, 0.45
"""Share of the picture's structure that lies in altered (faintly altered) cells. A ground that two pictures
of one model share has no structure and so no say: patches of 15 % of the side reach 0.09, of 25 % 0.22;
another motif on the very same ground 0.6 and more (median)."""
_SAME_ALTERED, _OTHER_ALTERED = 0.25, 0.45
"""Up to a quarter of altered cells it is the same picture, edited; from 45 % on another one."""
_SAME_MEDIAN, _OTHER_MEDIAN = 5.0, 8.0
"""Median difference of all covered cells: 0.5-3 in benign copies."""
_SAME_CORRELATION = 0.80
"""Correlation of fine structure where cells are not altered."""
_MOST_AROUND = 0.25
"""Up to a quarter of a file may lie around the picture, as in a screenshot with its frame."""
_SAMPLES = 64
"""Parts to a side in which what surrounds the picture is looked at."""
_FEWEST_CELLS = 64
"""A copy covering less than a sixteenth of the picture decides nothing."""
_FEWEST_STEPS = 16
"""Cells with structure needed: a plain ground matches every other one."""


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
    places = list(_placements(digest, rgb, geometry))
    fits = [
        fit(reference, placed, linear, shift)
        for linear, shift, placed in places
        if placed.covered.sum() >= _FEWEST_CELLS
    ]
    if not fits:
        return _undecided(_TOO_LITTLE)
    best = max(fits, key=lambda fitted: fitted.rank)
    outcome, why = _judge(best)
    if outcome is Outcome.CONTRADICTS and len(fits) < len(places):
        return _undecided(_TOO_LITTLE)  # the right place may be one of those that show too little
    matches = outcome is Outcome.SUPPORTS
    around, against = _around(best, np.array([digest.width, digest.height], float), rgb)
    detail = _reading(best, digest, (frames.width, frames.height), around=around, matches=matches)
    if matches and against > _MOST_AROUND:
        outcome = Outcome.INCONCLUSIVE
        why = f"the picture is there, but {around:.0%} of this file lies around it"
    return Evidence(claim=CLAIM, channel="digest", outcome=outcome, reason=why, detail=detail)


def _undecided(reason: str) -> Evidence:
    return Evidence(claim=CLAIM, channel="digest", outcome=Outcome.INCONCLUSIVE, reason=reason)


def altered_heatmap(reading: DigestReading) -> NDArray[np.float64]:
    """(32, 32) in 0..1: how much each cell of the released picture differs; 1 is twice the threshold."""
    return np.clip(np.array(reading.difference) / (2 * ALTERED), 0, 1)


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


def _judge(best: Fit) -> tuple[Outcome, str | None]:
    if (best.structure > 0).sum() < _FEWEST_STEPS:
        return Outcome.INCONCLUSIVE, "what the copy shows is too plain to tell pictures apart"
    same = (
        best.altered <= _SAME_ALTERED
        and best.median <= _SAME_MEDIAN
        and best.correlation >= _SAME_CORRELATION
        and best.structure_beyond(ALTERED) <= _SAME_STRUCTURE
        and best.structure_beyond(_FAINT) <= _SAME_FAINT
    )
    if same:
        return Outcome.SUPPORTS, None
    other = (
        best.altered >= _OTHER_ALTERED
        or best.median >= _OTHER_MEDIAN
        or best.correlation < _SAME_CORRELATION
        or best.structure_beyond(ALTERED) >= _OTHER_STRUCTURE
    )
    if other:
        return Outcome.CONTRADICTS, "the pixels show another picture than the one the manifest signs"
    return Outcome.INCONCLUSIVE, "much of the picture differs: an edited copy, or another picture like it"


def _around(best: Fit, released: NDArray[np.float64], rgb: NDArray[np.float32]) -> tuple[float, float]:
    """Shares of the copy that lie around the picture: all of it, and what counts against a match.

    Counted against it is what lies beyond the box around the picture, and what a turn leaves in the
    corners of that box unless it is one plain ground.
    """
    height, width = rgb.shape[:2]
    middles = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    x, y = np.meshgrid(middles * width - 0.5, middles * height - 0.5)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    places = points @ best.linear.T + best.shift + 0.5
    outside = ((places < 0) | (places > released)).any(axis=1)
    if not outside.any():
        return 0.0, 0.0
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * released - 0.5 - best.shift
    box = corners @ np.linalg.inv(best.linear).T
    beyond = ((points < box.min(axis=0)) | (points > box.max(axis=0))).any(axis=1)
    lab = to_lab(area_means(rgb, _SAMPLES, _SAMPLES)).reshape(-1, 3)
    varied = np.abs(lab - np.median(lab[outside], axis=0)).sum(axis=1) > _FAINT
    return float(outside.mean()), float((outside & (beyond | varied)).mean())


def _reading(
    best: Fit, digest: VisualDigest, size: tuple[int, int], *, around: float, matches: bool
) -> DigestReading:
    width, height = size
    corners = best.linear @ np.array([[-0.5, width - 0.5], [-0.5, height - 0.5]]) + best.shift[:, None] + 0.5
    released = np.array([digest.width, digest.height], float)
    low = np.clip(corners.min(axis=1) / released, 0, 1)
    high = np.clip(corners.max(axis=1) / released, 0, 1)
    back = np.linalg.inv(best.linear)
    mirrored = bool(np.linalg.det(back) < 0)
    turn = float(np.degrees(np.arctan2(-back[1, 0], back[0, 0] * (-1 if mirrored else 1))))
    return DigestReading(
        matches=matches,
        score=best.correlation,
        altered=tuple(tuple(row) for row in best.altered_cells.tolist()),
        difference=tuple(tuple(round(float(cell), 2) for cell in row) for row in best.difference),
        altered_fraction=best.altered,
        kept=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        crop_fraction=float(np.prod(high - low)),
        around_fraction=around,
        rotation=turn,
        mirrored=mirrored,
        scale=(float(np.hypot(*back[:, 0])), float(np.hypot(*back[:, 1]))),
        notes=_notes(best),
    )


def _notes(best: Fit) -> tuple[str, ...]:
    notes = []
    if abs(best.brightness) > 0.03:
        notes.append("brighter" if best.brightness > 0 else "darker")
    if abs(np.log(best.contrast)) > 0.12:
        notes.append("more contrast" if best.contrast > 1 else "less contrast")
    if best.grayed:
        notes.append("in gray")
    return tuple(notes)
