"""VideoSeal and PixelSeal on single pictures, from local ONNX files.

Fernandez and others: "Video Seal: Open and Efficient Video Watermarking", arXiv:2412.09492. Their authors
publish TorchScript, which is code; docs/guide/legacy-marks.md says how to export the two networks. Sizes,
ranges and signs: github.com/facebookresearch/videoseal, docs/using_wam_jit.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark.foreign import (
    SIDE,
    added,
    digests,
    listed_files,
    needed,
    only,
    optional,
    reduced,
)
from provenance.watermark.methods import MethodReading
from provenance.watermark.rgb import require_rgb
from provenance.watermark.weights import Contract, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.methods import MethodOptions
    from provenance.watermark.weights import Network

_BITS = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seal:
    """VideoSeal or PixelSeal on single pictures: 256 bits, no check of them.

    Attributes:
        name: ``videoseal`` or ``pixelseal``.
        encoder: (1, 3, 256, 256) RGB in 0..1 and bits → what to add to it; None to read only.
        decoder: the same picture → a logit nobody uses and one for each bit.
    """

    name: str
    encoder: Network | None
    decoder: Network
    payload_bits: int = _BITS

    @property
    def identity(self) -> str:
        """See ``Method.identity``."""
        return f"{self.name}, {digests(self.encoder, self.decoder)}"

    def embed(self, pixels: NDArray[np.uint8], bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """See ``Method.embed``."""
        require_rgb(pixels)
        if len(bits) != _BITS:
            raise ValueError(f"{self.name} carries {_BITS} bits")
        message = np.asarray(bits, np.float32)[None]
        residual = needed(self.encoder, self.name).run(imgs=reduced(pixels, SIDE), msgs=message)
        return added(pixels, residual)

    def decode(self, pixels: NDArray[np.uint8]) -> MethodReading:
        """See ``Method.decode``."""
        require_rgb(pixels)
        return MethodReading(bits=self.decoder.run(imgs=reduced(pixels, SIDE))[0, 1:] > 0)


def load_videoseal(options: MethodOptions) -> Seal:
    """VideoSeal; as ``load_trustmark``, with the files ``embedder.onnx`` and ``detector.onnx``."""
    return _seal(options, "videoseal")


def load_pixelseal(options: MethodOptions) -> Seal:
    """PixelSeal; as ``load_videoseal``."""
    return _seal(options, "pixelseal")


def _seal(options: MethodOptions, name: str) -> Seal:
    listed = listed_files(options, name)
    detector = only(listed, "detector")
    picture = (None, 3, SIDE, SIDE)
    writing = Contract(inputs={"imgs": picture, "msgs": (None, _BITS)}, outputs={"residual": picture})
    reading = Contract(inputs={"imgs": picture}, outputs={"preds": (None, 1 + _BITS)})
    return Seal(
        name=name,
        encoder=optional(listed, "embedder.onnx", writing, options),
        decoder=load(detector, listed[detector], reading, threads=options.threads, feature=name),
    )
