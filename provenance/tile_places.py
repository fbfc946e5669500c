"""Where a copy could lie in the released picture or frame, by the geometry of a tile mark found in it.

A mark tells turn, mirror image and scale, and a crop up to whole tiles: so there are a few places, whole
tiles apart. Digests of pictures and clips and latent marks try them, each by its own measure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.watermark.interface import Geometry

    Vector = NDArray[np.float64]

_MOST_TILES = 16
"""Places tried in each direction: all that the finest tile of a 16:9 picture leaves open; bounds the work on
copies with absurd geometry."""
_FINEST = 0.99
"""Pixels to a sample below which no finer tile is laid (``provenance.watermark.fine_tile``)."""
_SLACK = 0.04
"""Share of the picture by which a copy may stick out: a shift found roughly, or a thin border."""


def tile_places(
    geometry: Geometry, copy: tuple[int, ...], released: tuple[int, ...]
) -> Iterator[tuple[Vector, tuple[Vector, ...]]]:
    """(linear, shifts) for each size of tile: released pixel = linear @ copy pixel + one of the shifts.

    Args:
        geometry: of the mark found in the copy.
        copy: (width, height) of the copy, in pixels.
        released: (width, height) of the released picture, in pixels.
    """
    sides = np.array(released, float)
    for spread in geometry.spreads:
        scale = spread * float(np.sqrt(sides.prod())) / 512
        if spread < 1 and scale < _FINEST:
            continue
        linear = scale * np.array(geometry.matrix)
        shifts = _shifts(
            corners(linear, copy), scale * np.array(geometry.offset), scale * geometry.period, sides
        )
        yield linear, tuple(shifts)


def corners(linear: Vector, copy: tuple[int, ...]) -> tuple[Vector, Vector]:
    """(low, high) of the box around a copy of (width, height) that was turned and scaled by ``linear``."""
    width, height = copy
    ends = linear @ np.array([[0, width, 0, width], [0, 0, height, height]])
    return ends.min(axis=1), ends.max(axis=1)


def _shifts(box: tuple[Vector, Vector], first: Vector, period: float, released: Vector) -> Iterator[Vector]:
    """All places, whole tiles apart, where the copy lies within the picture or (bordered) around it."""
    low, high = box
    # The copy's box [low, high] + shift must lie inside [0, released], or contain it.
    ends = np.stack([-low, released - high])
    least, most = ends.min(axis=0) - _SLACK * released, ends.max(axis=0) + _SLACK * released
    begin, end = np.ceil((least - first) / period), np.floor((most - first) / period)
    for column in np.arange(begin[0], end[0] + 1)[:_MOST_TILES]:
        for row in np.arange(begin[1], end[1] + 1)[:_MOST_TILES]:
            yield first + period * np.array([column, row])
