"""From pixels to the plane in which the tile stands out: whitened luma.

What the picture itself shows is noise to the decoder. Three steps take most of it away: the local mean
goes, local contrast is made even (an edge must not outweigh a field of sky), and the spectrum is
whitened against its own smooth envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import scipy.fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Frames

_WEIGHTS = np.array([[0.299, 0.587, 0.114]], np.float32)
"""BT.601 luma: what JPEG keeps at full resolution (JFIF)."""
_STRIP = 256
"""Rows whose channels are held as floating point at once."""
LONGEST_SIDE = 1100
"""Larger pictures are read and weighed at this size: the mark is laid relative to the picture's size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Luma:
    """A picture at the size at which marks are read and weighed.

    Attributes:
        plane: (h, w) float32 luma in 0..255; where nothing shows (alpha 0) it is the mean of what does.
        shown: (h, w) float32 in 0..1, how much of each pixel shows; None for all of it.
        reduction: (horizontal, vertical) size of ``plane`` relative to the picture; at most 1.
    """

    plane: NDArray[np.float32]
    shown: NDArray[np.float32] | None
    reduction: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Whitened:
    """A copy made ready for reading.

    Attributes:
        plane: (h, w) float32, whitened luma.
        reduction: (horizontal, vertical) size of ``plane`` relative to the copy's pixels; at most 1.
    """

    plane: NDArray[np.float32]
    reduction: tuple[float, float]


def reduced(frames: Frames) -> Luma:
    """The luma of a picture, at most ``LONGEST_SIDE`` on its longer side.

    Pixels are reduced before anything else is made of them: a picture of 33 megapixels needs no more
    memory here than one of a single megapixel.
    """
    pixels, shown = frames.pixels[0], None
    if frames.alpha is not None and not frames.alpha[0].all():
        visible = (frames.alpha[0] > 0).astype(np.uint8)
        pixels = cv2.bitwise_and(pixels, pixels, mask=visible)
        shown = _smaller(visible * np.uint8(255)).astype(np.float32) / np.float32(255)
    plane = _luma(np.asarray(_smaller(pixels)).reshape(*_size(pixels), -1), frames.depth)
    if shown is not None and shown.any():
        # Hidden pixels are 0, so each mean over the plane is short of what does not show of it.
        plane += (float(plane.sum()) / float(shown.sum())) * (1 - shown)
    reduction = (plane.shape[1] / frames.width, plane.shape[0] / frames.height)
    return Luma(plane=plane, shown=shown, reduction=reduction)


def luma_of(frames: Frames) -> NDArray[np.float32]:
    """(H, W) luma in 0..255, in full size. Where nothing shows (alpha 0) it is the mean of what does."""
    luma = np.empty((frames.height, frames.width), np.float32)
    for start in range(0, frames.height, _STRIP):
        rows = np.s_[start : start + _STRIP]
        luma[rows] = _luma(frames.pixels[0][rows], frames.depth)
    if frames.alpha is not None:
        hidden = frames.alpha[0] == 0
        if hidden.any() and not hidden.all():
            luma[hidden] = luma[~hidden].mean()
    return luma


def whiten_picture(frames: Frames) -> Whitened:
    """The plane that everything is read from."""
    luma = reduced(frames)
    return Whitened(plane=whiten(luma.plane).plane, reduction=luma.reduction)


def whiten(luma: NDArray[np.float32]) -> Whitened:
    """As ``whiten_picture``, of luma that is there already."""
    height, width = luma.shape
    smaller = _smaller(luma)
    reduction = (smaller.shape[1] / width, smaller.shape[0] / height)
    return Whitened(plane=_flatten_spectrum(_even_contrast(smaller)), reduction=reduction)


def smooth(plane: NDArray[np.float32], box: int) -> NDArray[np.float32]:
    """Two passes of a box: near a Gaussian of 0.4 times its side, at a third of the cost."""
    return np.asarray(cv2.blur(cv2.blur(plane, (box, box)), (box, box)))


def deviation_of(residue: NDArray[np.float32], box: int) -> NDArray[np.float32]:
    """Local standard deviation of a plane without local mean."""
    variance = smooth(residue * residue, box)
    # Running sums may end a little below zero where there is nothing.
    return np.asarray(cv2.sqrt(cv2.max(variance, 0.0, dst=variance), dst=variance))


def _luma(pixels: NDArray[np.integer], depth: int) -> NDArray[np.float32]:
    values = pixels.astype(np.float32)
    if depth == 16:
        values /= 257.0  # 65535 / 255
    luma = values[..., 0] if pixels.shape[-1] == 1 else cv2.transform(values, _WEIGHTS)
    return np.ascontiguousarray(luma, np.float32)


def _size(plane: NDArray[np.generic]) -> tuple[int, int]:
    """(h, w) at which a plane is worked with."""
    height, width = plane.shape[:2]
    factor = min(1.0, LONGEST_SIDE / max(height, width))
    return max(round(height * factor), 1), max(round(width * factor), 1)


def _smaller(plane: NDArray[Any]) -> NDArray[Any]:
    height, width = _size(plane)
    if (height, width) == plane.shape[:2]:
        return plane
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA))


def _even_contrast(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    even = cv2.subtract(luma, smooth(luma, 11))
    deviation = deviation_of(even, 13)
    flat = deviation < 0.25
    even /= cv2.add(deviation, 2.0, dst=deviation)
    np.clip(even, -2.2, 2.2, out=even)
    even[flat] = 0  # clipped or constant: rounding noise, no mark
    return np.asarray(even, np.float32)


def _flatten_spectrum(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    shape = tuple(scipy.fft.next_fast_len(side, real=True) for side in plane.shape)
    spectrum = scipy.fft.rfft2(plane, shape)
    power = spectrum.real**2
    power += spectrum.imag**2
    most = 3.0 / np.sqrt(np.maximum(power, 1e-18))  # the gain that takes a line to three times the envelope
    # The envelope is smoothed in the log domain so that lines, the mark's own among them, barely move it.
    power += 1e-3 * power.mean() + 1e-12
    level = cv2.blur(cv2.log(power, dst=power), (13, 13), borderType=cv2.BORDER_REFLECT)
    level *= -0.5
    spectrum *= np.minimum(cv2.exp(level, dst=level), most, out=level)
    flat = scipy.fft.irfft2(spectrum, shape, overwrite_x=True)
    return np.ascontiguousarray(flat[: plane.shape[0], : plane.shape[1]], np.float32)
