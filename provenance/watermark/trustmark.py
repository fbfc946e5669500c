"""TrustMark from local ONNX files, as its authors publish them: ``encoder_Q.onnx``, ``decoder_Q.onnx``.

Bui, Agarwal, Collomosse: "TrustMark: Universal Watermarking for Arbitrary Resolution Images",
arXiv:2311.18297. Names, ranges and steps: github.com/adobe/trustmark, rust/src/lib.rs, image_processing.rs.
One step is left out: where only the square in the middle is marked, their code softens its border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark import trustmark_code
from provenance.watermark.foreign import (
    SIDE,
    added,
    digests,
    listed_files,
    needed,
    only,
    optional,
    reduced,
    unlike,
)
from provenance.watermark.methods import MethodReading
from provenance.watermark.rgb import require_rgb
from provenance.watermark.weights import Contract, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.methods import MethodOptions
    from provenance.watermark.weights import Network

_STRENGTH = {"Q": 0.95, "B": 0.95, "C": 0.95, "P": 0.95 * 1.25}
"""Variant → factor of the residual; 0.95 is what its authors call normal."""
_MOST = 0.2
"""Of the residual, in the networks' -1..1."""
_DECODER_SIDE = {"Q": 256, "B": 256, "C": 256, "P": 224}
_ELONGATED = 2.0
"""Beyond this ratio of its sides only the square in the middle is used; variant P always does so."""
_COVER, _MESSAGE = "onnx::Concat_0", "onnx::Gemm_1"
"""The encoder's inputs, as they are called in the published files."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrustMark:
    """61 bits under BCH_5, which tells whether a mark is there (wrongly for 1 of 8,500 random words).

    Attributes:
        variant: Q, B, C or P, from the files' names.
        encoder: picture and 100 bits → marked picture; None to read only.
        decoder: picture → 100 logits.
    """

    variant: str
    encoder: Network | None
    decoder: Network
    name: str = "trustmark"
    payload_bits: int = trustmark_code.BCH_5.payload

    @property
    def identity(self) -> str:
        """See ``Method.identity``."""
        return f"TrustMark {self.variant}, {digests(self.encoder, self.decoder)}"

    def embed(self, pixels: NDArray[np.uint8], bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """See ``Method.embed``."""
        require_rgb(pixels)
        word = trustmark_code.encode(tuple(int(bit) for bit in bits), trustmark_code.BCH_5)
        rows, columns = self._seen(pixels)
        small = reduced(pixels[rows, columns], SIDE) * 2 - 1
        message = np.array([word], np.float32)
        marked = needed(self.encoder, self.name).run_named({_COVER: small, _MESSAGE: message})
        residual = np.clip((marked - small) * np.float32(_STRENGTH[self.variant]), -_MOST, _MOST)
        out = pixels.copy()
        out[rows, columns] = added(pixels[rows, columns], residual / 2)
        return out

    def decode(self, pixels: NDArray[np.uint8]) -> MethodReading:
        """See ``Method.decode``; ``raw`` has the bits before correction."""
        found = trustmark_code.decode(tuple(int(bit) for bit in self.raw(pixels)))
        if found is None:
            return MethodReading(bits=None, present=False)
        if found[0] is not trustmark_code.BCH_5:
            return MethodReading(bits=None)  # another schema's word, or chance: theirs are weaker
        return MethodReading(bits=np.array(found[1], np.bool_), present=True)

    def raw(self, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(100,) payload, parity and schema as the network sees them, in any picture."""
        require_rgb(pixels)
        rows, columns = self._seen(pixels)
        small = reduced(pixels[rows, columns], _DECODER_SIDE[self.variant]) * 2 - 1
        return np.asarray(self.decoder.run(image=small)[0] >= 0)

    def _seen(self, pixels: NDArray[np.uint8]) -> tuple[slice, slice]:
        height, width = pixels.shape[:2]
        side = min(height, width)
        if max(height, width) <= _ELONGATED * side and self.variant != "P":
            return slice(0, height), slice(0, width)
        top, left = (height - side) // 2, (width - side) // 2
        return slice(top, top + side), slice(left, left + side)


def load_method(options: MethodOptions) -> TrustMark:
    """TrustMark from the list of digests ``options.file``.

    Raises:
        InputError: ``watermark.method`` without a file.
        ConfigurationError: ``extra.missing``, ``weights.missing``, ``weights.digest``, ``weights.contract``.
    """
    listed = listed_files(options, "trustmark")
    decoder = only(listed, "decoder_")
    variant = decoder.stem.rpartition("_")[2]
    if variant not in _STRENGTH:
        raise unlike(decoder, "its name must end in the variant's letter, as published: decoder_Q.onnx")
    picture, side = (None, 3, SIDE, SIDE), _DECODER_SIDE[variant]
    writing = Contract(inputs={_COVER: picture, _MESSAGE: (None, 100)}, outputs={"image": picture})
    reading = Contract(inputs={"image": (None, 3, side, side)}, outputs={"output": (None, 100)})
    return TrustMark(
        variant=variant,
        encoder=optional(listed, f"encoder_{variant}.onnx", writing, options),
        decoder=load(decoder, listed[decoder], reading, threads=options.threads, feature="TrustMark"),
    )
