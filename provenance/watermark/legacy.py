"""dwtDct and dwtDctSvd, read and written as the invisible-watermark package does, without that package.

Its decoder reads what is written here, and what it writes is read here with the same bits. They have no key
and no check: anybody can write, copy and remove them, a decoder returns bits for any picture, and a crop, a
resize or a strong JPEG ends them. They are here to be recognised, compared with and replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.errors import InputError
from provenance.watermark import legacy_dct, legacy_svd
from provenance.watermark.legacy_plane import SIDE, add, bands, sums_of, vote
from provenance.watermark.methods import MethodReading
from provenance.watermark.rgb import require_rgb

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from provenance.watermark.methods import MethodOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a block carries its bit.

    Attributes:
        decisions: (H, W, 3) RGB → (blocks,), what each block says.
        change: sums over 2 × 2 pixels of U, bits → what to add to them, (4, 4, blocks).
    """

    decisions: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
    change: Callable[[NDArray[np.uint16], NDArray[np.bool_]], NDArray[np.int16] | NDArray[np.float32]]


RULES = {
    "dwtDct": Rule(decisions=legacy_dct.decisions, change=legacy_dct.change),
    "dwtDctSvd": Rule(decisions=legacy_svd.decisions, change=legacy_svd.change),
}
_LEAST_PIXELS = 256 * 256
"""The package refuses smaller pictures."""
_PAYLOAD_BITS = 64


def embed(pixels: NDArray[np.uint8], bits: NDArray[np.bool_], rule: str) -> NDArray[np.uint8]:
    """A copy of (H, W, 3) RGB ``pixels`` with ``bits`` in it, over and over.

    Args:
        pixels: left as they are.
        bits: (n,), with n from 1 to the number of whole 8 × 8 blocks.
        rule: a name in ``RULES``.

    Raises:
        InputError: ``watermark.legacy-picture`` when it is not 8-bit RGB, ``watermark.capacity-exceeded``
            when it is smaller than 256 × 256 pixels or has fewer blocks than there are bits.
    """
    _check(pixels, len(bits))
    message, made = np.asarray(bits, np.bool_), pixels.copy()
    for top, band in bands(made):
        first = top // SIDE * (made.shape[1] // SIDE)  # the message goes on where the last band ended
        add(band, RULES[rule].change(sums_of(band), np.roll(message, -first)))
    return made


def decode(pixels: NDArray[np.uint8], n: int, rule: str) -> NDArray[np.bool_]:
    """The ``n`` bits that the blocks of (H, W, 3) RGB ``pixels`` vote for, marked or not.

    Raises:
        InputError: as ``embed``.
    """
    _check(pixels, n)
    return vote(np.concatenate([RULES[rule].decisions(band) for _, band in bands(pixels)]), n)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyMethod:
    """One of the two under the protocol of ``methods``."""

    name: str
    payload_bits: int = _PAYLOAD_BITS

    @property
    def identity(self) -> str:
        """See ``Method.identity``; the encoder is ours, the format is theirs."""
        return f"invisible-watermark {self.name}, our encoder"

    def embed(self, pixels: NDArray[np.uint8], bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """See ``Method.embed``."""
        return embed(pixels, bits, self.name)

    def decode(self, pixels: NDArray[np.uint8]) -> MethodReading:
        """See ``Method.decode``; no bits from a copy that is too small to hold them."""
        if _blocks(pixels) < self.payload_bits or _pixels(pixels) < _LEAST_PIXELS:
            return MethodReading(bits=None)
        return MethodReading(bits=decode(pixels, self.payload_bits, self.name))


def load_dct(options: MethodOptions) -> LegacyMethod:
    """``dwtDct``, by default with 64 bits."""
    return LegacyMethod(name="dwtDct", payload_bits=options.payload_bits or _PAYLOAD_BITS)


def load_svd(options: MethodOptions) -> LegacyMethod:
    """``dwtDctSvd``, by default with 64 bits."""
    return LegacyMethod(name="dwtDctSvd", payload_bits=options.payload_bits or _PAYLOAD_BITS)


def _check(pixels: NDArray[np.uint8], n: int) -> None:
    require_rgb(pixels)
    if n < 1:
        raise ValueError("there must be at least one bit")
    if _pixels(pixels) < _LEAST_PIXELS or _blocks(pixels) < n:
        raise InputError(
            "watermark.capacity-exceeded",
            f"{pixels.shape[1]}x{pixels.shape[0]} is too small for {n} bits of this mark",
            hint=f"it needs {_LEAST_PIXELS} pixels (256 x 256) and a block of 8 x 8 for each bit",
        )


def _pixels(pixels: NDArray[np.uint8]) -> int:
    return int(pixels.shape[0]) * int(pixels.shape[1])


def _blocks(pixels: NDArray[np.uint8]) -> int:
    return int(pixels.shape[0]) // SIDE * (int(pixels.shape[1]) // SIDE)
