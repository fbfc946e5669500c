"""Clips to learn from: as many frames as asked for, evenly over the clip, small enough to hold many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.codecs import resize
from provenance.errors import InputError
from provenance.media import Frames, is_clip
from provenance.video.container import ClipLimits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Asset

_LIMITS = ClipLimits(max_seconds=120.0, max_frames=3_600, max_side=4_096)
"""Of one clip to learn from; longer ones are cut by whoever has them."""
_SIDE = 512
"""Pixels of the longer side that frames are reduced to, more than any model here reads."""


def read_clip(asset: Asset, frames: int, *, where: str) -> NDArray[np.uint8]:
    """(frames, H, W, 3) uint8, from the first frame of the clip to its last.

    Args:
        asset: of a clip.
        frames: how many.
        where: name of the file, for errors.

    Raises:
        InputError: ``train.not-a-clip``, ``train.short-clip``, or as ``ClipReader``.
    """
    if not is_clip(asset.mime):
        raise InputError(
            "train.not-a-clip",
            "motion is learned from clips, and this is none",
            where=where,
            hint="export the animation as an MP4 or WebM clip",
        )
    from provenance.video.reader import ClipReader  # noqa: PLC0415 - PyAV, only for clips

    with ClipReader(asset.content, asset.mime, _LIMITS) as reader:
        count = sum(1 for _ in reader.frames())
    if count < frames:
        what = f"the clip has {count} frames, and {frames} are to be learned from"
        raise InputError("train.short-clip", what, where=where, hint=f"--frames {max(count, 2)}")
    wanted = set(np.linspace(0, count - 1, frames).round().astype(int).tolist())
    with ClipReader(asset.content, asset.mime, _LIMITS) as reader:
        kept = [_small(frame.rgb) for number, frame in enumerate(reader.frames()) if number in wanted]
    return np.stack(kept)


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    scale = _SIDE / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(resize(Frames(pixels=rgb[None]), *size).pixels[0], np.uint8)
