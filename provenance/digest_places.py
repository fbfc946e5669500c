"""Where a copy could lie in the released picture, by the geometry of the mark found in it.

A mark tells turn, mirror image and scale, and a crop up to whole tiles: so there are a few places, and
``provenance.digest_compare`` finds the one where copy and picture agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import Canvas, Placement, area_means, to_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.digest_grid import Placed, View
    from provenance.digest_planes import Reference
    from provenance.watermark.interface import Geometry

_MOST_TILES = 16
"""Places tried in each direction: all that the finest tile of a 16:9 picture leaves open; bounds the work on
copies with absurd geometry."""
_FINEST = 0.99
"""Pixels to a sample below which no finer tile is laid (``provenance.watermark.fine_tile``)."""
_SAMPLES = 64
"""Parts to a side in which what surrounds the picture is looked at."""
_PLAIN = 10.0
"""|ΔL*| + |Δa*| + |Δb*| up to which the corners of a turned picture count as one ground."""


def whole(reference: Reference, view: View) -> Placement:
    """The copy as the whole picture, upright, whatever its size."""
    stretch = np.array(reference.released, float) / view.size
    return Placement(linear=np.diag(stretch), shift=(stretch - 1) / 2)


def marked_places(reference: Reference, view: View, geometry: Geometry) -> Iterator[tuple[Placement, Placed]]:
    """Every place that the mark's ``geometry`` leaves open, with the copy laid there on the coarse grid."""
    width, height = view.size
    released = np.array(reference.released, float)
    for spread in geometry.spreads:
        scale = spread * np.sqrt(released.prod()) / 512
        if spread < 1 and scale < _FINEST:
            continue
        linear = scale * np.array(geometry.matrix)
        canvas = Canvas(view, reference.released, linear)
        corners = linear @ np.array([[0, width, 0, width], [0, 0, height, height]])
        for shift in _shifts(corners, scale * np.array(geometry.offset), scale * geometry.period, released):
            placement = Placement(linear=linear, shift=shift)
            yield placement, canvas.place(placement)


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


def around(placement: Placement, reference: Reference, view: View) -> tuple[float, float]:
    """Shares of the copy that lie around the picture: all of it, and what counts against a match.

    Counted against it is what lies beyond the box around the picture, and what a turn leaves in the
    corners of that box unless it is one plain ground.
    """
    width, height = view.size
    released = np.array(reference.released, float)
    middles = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    x, y = np.meshgrid(middles * width - 0.5, middles * height - 0.5)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    places = points @ placement.linear.T + placement.shift + 0.5
    outside = ((places < 0) | (places > released)).any(axis=1)
    if not outside.any():
        return 0.0, 0.0
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * released - 0.5 - placement.shift
    box = corners @ np.linalg.inv(placement.linear).T
    beyond = ((points < box.min(axis=0)) | (points > box.max(axis=0))).any(axis=1)
    lab = to_lab(area_means(view.rgb, _SAMPLES, _SAMPLES)).reshape(-1, 3)
    varied = np.abs(lab - np.median(lab[outside], axis=0)).sum(axis=1) > _PLAIN
    return float(outside.mean()), float((outside & (beyond | varied)).mean())
