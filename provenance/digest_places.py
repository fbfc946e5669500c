"""A copy laid wherever it could lie in the released picture; ``digest_compare`` chooses where they agree.

By the geometry of the mark found in it (``provenance.tile_places``), or as the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass
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

_RIM = 0.01
"""Share of the picture's sides up to which what lies beyond them may still be the picture."""
_MOST_VARIED = 0.01
"""Share of what lies around that may differ from its ground: specks, and no line of text."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What lies around the picture in a copy.

    Attributes:
        share: of the copy's area.
        against: the share that counts against a match: what lies beyond the box around the picture, and
            what a turn leaves in the corners of that box unless it is one plain ground.
        plain: it is one plain ground, as far as it can be told from the picture's rim.
    """

    share: float = 0.0
    against: float = 0.0
    plain: bool = True


def around(placement: Placement, reference: Reference, view: View) -> Around:
    """What of the copy lies around the picture."""
    width, height = view.size
    released = np.array(reference.released, float)
    middles = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    x, y = np.meshgrid(middles * width - 0.5, middles * height - 0.5)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    places = points @ placement.linear.T + placement.shift + 0.5
    outside = ((places < 0) | (places > released)).any(axis=1)
    if not outside.any():
        return Around()
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * released - 0.5 - placement.shift
    box = corners @ np.linalg.inv(placement.linear).T
    beyond = ((points < box.min(axis=0)) | (points > box.max(axis=0))).any(axis=1)
    lab = to_lab(area_means(view.rgb, _SAMPLES, _SAMPLES)).reshape(-1, 3)
    varied = np.abs(lab - np.median(lab[outside], axis=0)).sum(axis=1) > _PLAIN
    cell = np.abs(placement.linear) @ (width / _SAMPLES, height / _SAMPLES) / 2 + _RIM * released
    clear = ((places < -cell) | (places > released + cell)).any(axis=1)
    return Around(
        share=float(outside.mean()),
        against=float((outside & (beyond | varied)).mean()),
        plain=not clear.any() or float(varied[clear].mean()) <= _MOST_VARIED,
    )
