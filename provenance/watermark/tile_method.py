"""Our own mark under the protocol of ``methods``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.watermark.interface import ALGORITHM, WatermarkReading, detect, embed
from provenance.watermark.key import PAYLOAD_SIZES
from provenance.watermark.methods import MethodReading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.methods import MethodOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMethod:
    """The keyed tile, at the quality that releases use.

    Attributes:
        key: written and looked for; its first payload size is the one that is written.
    """

    key: WatermarkKey
    name: str = "tile"
    identity: str = ALGORITHM

    @property
    def payload_bits(self) -> int:
        """See ``Method.payload_bits``."""
        return 8 * self.key.payload_sizes[0]

    def embed(self, pixels: NDArray[np.uint8], bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """See ``Method.embed``."""
        marked = embed(_frames(pixels), np.packbits(bits).tobytes(), self.key)
        return np.asarray(marked.frames.pixels[0], np.uint8)

    def decode(self, pixels: NDArray[np.uint8]) -> MethodReading:
        """See ``Method.decode``; the score is -log10 of the bound on p."""
        found = detect(_frames(pixels), [self.key])
        reading = found.detail
        if not isinstance(reading, WatermarkReading):
            return MethodReading(bits=None)
        return MethodReading(
            bits=None if reading.payload is None else _bits(reading.payload),
            present=found.outcome is Outcome.SUPPORTS,
            score=-reading.log10_p,
        )


def load(options: MethodOptions) -> TileMethod:
    """The tile with ``options.key``, for payloads of ``options.payload_bits`` where they are asked for.

    Raises:
        InputError: ``watermark.method`` without a key, ``watermark.payload-size`` for bits other than
            64 and 128.
    """
    if options.key is None:
        raise InputError("watermark.method", "the tile is written and read with a key; none was given")
    if not options.payload_bits:
        return TileMethod(key=options.key)
    size, left = divmod(options.payload_bits, 8)
    if left or size not in PAYLOAD_SIZES:
        raise InputError(
            "watermark.payload-size",
            f"the tile does not carry {options.payload_bits} bits",
            hint="ask for 64 or 128",
        )
    return TileMethod(key=replace(options.key, payload_sizes=(size,)))


def _frames(pixels: NDArray[np.uint8]) -> Frames:
    return Frames(pixels=np.array(pixels)[None])


def _bits(payload: bytes) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(payload, np.uint8)).astype(np.bool_)
