"""A change worked out at a smaller size, laid over the whole picture; what that costs in quality.

Pictures are changed in strips, so that one of 33 megapixels needs little more memory than its pixels do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from provenance.media import Frames

_STRIP = 256
"""Rows changed at once."""


def add_change(
    frames: Frames,
    change: NDArray[np.float32],
    finer: Callable[[int, int], NDArray[np.float32]] | None = None,
) -> Frames:
    """The picture with a change on every channel, rounded and clipped to its depth.

    Args:
        frames: one picture.
        change: (h, w) in steps of its depth; stretched to the picture's size where it is smaller.
        finer: what ``change`` is too small to hold: from a row and a number of rows to (rows, W).
    """
    before = frames.pixels[0]
    after = np.empty_like(before)
    depth = cv2.CV_8U if frames.depth == 8 else cv2.CV_16U
    for start in range(0, frames.height, _STRIP):
        rows = np.s_[start : start + _STRIP]
        count = min(_STRIP, frames.height - start)
        part = stretched(change, (frames.width, frames.height), start, count)
        if finer is not None:
            part = part + finer(start, count)
        channels = cv2.merge([part] * before.shape[-1])
        after[rows] = cv2.add(before[rows], channels.reshape(before[rows].shape), dtype=depth).reshape(
            before[rows].shape
        )
    return replace(frames, pixels=after[None])


def psnr(before: Frames, after: Frames) -> float:
    """Quality in dB over all channels of the pixels that are not fully transparent."""
    old, new = before.pixels[0], after.pixels[0]
    shown = None if before.alpha is None else (before.alpha[0] > 0).astype(np.uint8)
    squared = cv2.norm(old, new, cv2.NORM_L2SQR, shown)
    counted = old.shape[-1] * (before.width * before.height if shown is None else int(shown.sum()))
    peak = 255.0 if before.depth == 8 else 65535.0
    return float(20 * np.log10(peak) - 10 * np.log10(max(squared / max(counted, 1), 1e-9)))


def stretched(
    plane: NDArray[np.float32], size: tuple[int, int], start: int, count: int
) -> NDArray[np.float32]:
    """``count`` rows of a plane stretched to ``size`` (width, height), from row ``start`` on."""
    width, height = size
    if plane.shape == (height, width):
        return plane[start : start + count]
    across, down = plane.shape[1] / width, plane.shape[0] / height
    # Centres of pixels: (X + 0.5) · reduction - 0.5.
    matrix = np.array([[across, 0, across / 2 - 0.5], [0, down, (start + 0.5) * down - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(plane, matrix, (width, count), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )
