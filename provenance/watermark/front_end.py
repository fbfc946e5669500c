"""From pixels to the plane in which the tile stands out: whitened luma.

What the picture itself shows is noise to the decoder. Three steps take most of it away: the local mean
goes, local contrast is made even (an edge must not outweigh a field of sky), and the spectrum is
whitened against its own smooth envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import scipy.fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Frames

_WEIGHTS = np.array([[0.299, 0.587, 0.114]], np.float32)
"""BT.601 luma: what JPEG keeps at full resolution (JFIF)."""
LONGEST_SIDE = 1100
"""Larger copies are read at this size: the mark is laid relative to the picture's size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Whitened:
    """A copy made ready for reading.

    Attributes:
        plane: (h, w) float32, whitened luma.
        reduction: (horizontal, vertical) size of ``plane`` relative to the copy's pixels; at most 1.
    """

    plane: NDArray[np.float32]
    reduction: tuple[float, float]


def luma_of(frames: Frames) -> NDArray[np.float32]:
    """(H, W) luma in 0..255. Where nothing shows (alpha 0) it is the mean of what does."""
    pixels = frames.pixels[0].astype(np.float32)
    if frames.depth == 16:
        pixels /= 257.0  # 65535 / 255
    luma = pixels[..., 0] if frames.is_gray else cv2.transform(pixels, _WEIGHTS)
    luma = np.ascontiguousarray(luma, np.float32)
    if frames.alpha is not None:
        hidden = frames.alpha[0] == 0
        if hidden.any() and not hidden.all():
            luma[hidden] = luma[~hidden].mean()
    return luma


def whiten(luma: NDArray[np.float32]) -> Whitened:
    """The plane that everything is read from."""
    height, width = luma.shape
    factor = min(1.0, LONGEST_SIDE / max(height, width))
    if factor < 1:
        size = (round(width * factor), round(height * factor))
        luma = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    reduction = (luma.shape[1] / width, luma.shape[0] / height)
    return Whitened(plane=_flatten_spectrum(_even_contrast(luma)), reduction=reduction)


def _even_contrast(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    residue = luma - cv2.GaussianBlur(luma, (0, 0), 4.5)
    deviation = cv2.sqrt(cv2.GaussianBlur(residue * residue, (0, 0), 5))
    even = np.clip(residue / (deviation + 2.0), -2.2, 2.2)
    even[deviation < 0.25] = 0  # clipped or constant: rounding noise, no mark
    return np.asarray(even, np.float32)


def _flatten_spectrum(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    shape = tuple(scipy.fft.next_fast_len(side, real=True) for side in plane.shape)
    spectrum = scipy.fft.rfft2(plane, shape)
    power = spectrum.real**2 + spectrum.imag**2
    # The envelope is smoothed in the log domain so that lines, the mark's own among them, barely move it.
    level = cv2.blur(cv2.log(power + 1e-3 * power.mean() + 1e-12), (13, 13), borderType=cv2.BORDER_REFLECT)
    gain = cv2.exp(-0.5 * level)
    strength = np.sqrt(power) * gain
    gain *= np.minimum(1, 3.0 / np.maximum(strength, 1e-9))
    flat = scipy.fft.irfft2(spectrum * gain, shape)
    return np.ascontiguousarray(flat[: plane.shape[0], : plane.shape[1]], np.float32)
