"""Undo crop, turn and scale with the pixel mark's geometry, before a picture is followed back to its noise.

A latent mark counts numbers by their place: it outlives compression, but not a picture that lies a few
pixels elsewhere. The tile in the pixels says where the picture lies, up to whole tiles. So the copy is laid
back onto a canvas of the released size, in each of the few places where it fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.digest_grid import opaque_rgb
from provenance.media import Frames
from provenance.tile_places import corners, tile_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.watermark.interface import Geometry

_MOST_PLACES = 2
"""Every place costs an inversion."""
_LARGEST = 1.25
"""A copy is at most this much larger than the picture on the canvas; a screenshot with its frame."""


def placed(frames: Frames, geometry: Geometry, size: tuple[int, int]) -> list[Frames]:
    """``frames`` laid onto a canvas wherever its tile fits; what is missing repeats the edge.

    Args:
        frames: the copy, one frame.
        geometry: of the mark found in it.
        size: at which the picture was released.
    """
    rgb = opaque_rgb(frames)
    released = np.array(size, float)
    found = sorted(_places(rgb.shape[1::-1], geometry, released), key=lambda place: place[0])
    return [_laid(rgb, affine, size) for _, affine in found[:_MOST_PLACES]]


def _places(
    copy: tuple[int, ...], geometry: Geometry, released: NDArray[np.float64]
) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """(rank, (2, 3) affine from the copy's pixels to the canvas), in any order.

    What covers much of the picture and sticks out little ranks lowest, which is best: where several fit, the
    copy is more often most of the picture than a small piece of it.
    """
    width, height = copy
    for linear, shifts in tile_places(geometry, copy, tuple(released)):
        low, high = corners(linear, copy)
        if (high - low > _LARGEST * released).any() and not _turned(linear):
            continue
        covered = abs(np.linalg.det(linear)) * width * height / released.prod()
        for shift in shifts:
            out = np.maximum(0, -(low + shift)) + np.maximum(0, high + shift - released)
            yield float((out / released).sum() - min(covered, 1.0)), np.column_stack([linear, shift])


def _turned(linear: NDArray[np.float64]) -> bool:
    """Turned by other than quarters: the box around the copy is larger than the copy."""
    sizes = np.sort(np.abs(linear), axis=1)
    return bool((sizes[:, 0] > 0.02 * sizes[:, 1]).any())


def _laid(rgb: NDArray[np.float32], affine: NDArray[np.float64], size: tuple[int, int]) -> Frames:
    flags = cv2.INTER_CUBIC if abs(np.linalg.det(affine[:, :2])) >= 1 else cv2.INTER_AREA
    canvas = cv2.warpAffine(rgb, affine, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Frames(pixels=np.clip(np.rint(canvas * 255), 0, 255).astype(np.uint8)[None])
