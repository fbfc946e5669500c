"""A copy laid wherever it could lie in the released picture; ``digest_compare`` chooses where they agree.

By the geometry of the mark found in it (``provenance.tile_places``), or as the whole picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import Canvas, Placement, area_means, to_lab
from provenance.tile_places import tile_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.digest_grid import Placed, View
    from provenance.digest_planes import Reference
    from provenance.watermark.interface import Geometry

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
    for linear, shifts in tile_places(geometry, view.size, reference.released):
        canvas = Canvas(view, reference.released, linear)
        for shift in shifts:
            placement = Placement(linear=linear, shift=shift)
            yield placement, canvas.place(placement)


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
