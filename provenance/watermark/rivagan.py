"""RivaGAN, 32 bits, from the two ONNX files in the invisible-watermark package; its code is never imported.

Weights: trained by Zhang, Xu, Cuesta-Infante and Veeramachaneni, "Robust Invisible Video Watermarking with
Attention" (arXiv:1909.01285), and exported by the package's author; MIT, as published with both. There is no
key, no check of the bits and no decision whether a mark is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from provenance.errors import ConfigurationError, InputError
from provenance.watermark.methods import MethodReading
from provenance.watermark.rgb import require_rgb
from provenance.watermark.weights import Contract, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.methods import MethodOptions
    from provenance.watermark.weights import Network

BITS = 32
_FEATURE = "RivaGAN"
_FILES = {
    "rivagan_encoder.onnx": "66bc7814fadac7d686105c8ab26c6cf2cc8e40deb83e67bb6ef5b9de9b8ece0d",
    "rivagan_decoder.onnx": "6b006690cf352fa50a91a0b6d6241dbcded0a9957969e2c0665cf9a7011b3880",
}
"""As in invisible-watermark 0.2.0."""
_PICTURE = (None, 3, 1, None, None)  # batch, BGR, frames, height, width
_ENCODER = Contract(inputs={"frame": _PICTURE, "data": (None, None)}, outputs={"output": _PICTURE})
_DECODER = Contract(inputs={"frame": _PICTURE}, outputs={"output": (None, None)})
_ONE = 0.52
"""Above this a bit is 1: the package's threshold."""
_SMALLEST = 32
"""Pixels on the shorter side; the networks' filters reach no further."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RivaGan:
    """The pair of networks.

    Attributes:
        encoder: picture and bits → picture.
        decoder: picture → bits.
    """

    encoder: Network
    decoder: Network
    name: str = "rivaGan"
    payload_bits: int = BITS

    @property
    def identity(self) -> str:
        """See ``Method.identity``."""
        return f"RivaGAN, sha256 {self.encoder.sha256[:16]} and {self.decoder.sha256[:16]}"

    def embed(self, pixels: NDArray[np.uint8], bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """See ``Method.embed``; rounds where the package cuts off."""
        _check(pixels)
        if len(bits) != BITS:
            raise ValueError(f"RivaGAN carries {BITS} bits")
        data = np.asarray(bits, np.float32)[None]
        marked = self.encoder.run(frame=_tensor(pixels), data=data)[0, ::-1, 0].transpose(1, 2, 0)
        return np.asarray(np.rint((np.clip(marked, -1, 1) + 1) * 127.5), np.uint8)

    def decode(self, pixels: NDArray[np.uint8]) -> MethodReading:
        """See ``Method.decode``."""
        _check(pixels)
        return MethodReading(bits=self.decoder.run(frame=_tensor(pixels))[0] > _ONE)


def load_method(options: MethodOptions) -> RivaGan:
    """The pair from the folder ``options.file``, or from the installed package.

    Raises:
        ConfigurationError: ``extra.missing``, ``weights.missing``, ``weights.digest``, ``weights.contract``.
    """
    folder = Path(options.file) if options.file else _installed()
    encoder, decoder = (
        load(folder / name, digest, contract, threads=options.threads, feature=_FEATURE)
        for (name, digest), contract in zip(_FILES.items(), (_ENCODER, _DECODER), strict=True)
    )
    return RivaGan(encoder=encoder, decoder=decoder)


def _installed() -> Path:
    """The package's folder, found without running any of its code."""
    found = find_spec("imwatermark")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(
            "weights.missing",
            "RivaGAN's weights come with the package invisible-watermark, which is not installed",
            hint="pip install --no-deps invisible-watermark==0.2.0",
        )
    return Path(next(iter(found.submodule_search_locations)))


def _tensor(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(1, 3 BGR, 1 frame, H, W) in -1..1."""
    frame = pixels[..., ::-1].astype(np.float32) / np.float32(127.5) - np.float32(1)
    return np.ascontiguousarray(frame.transpose(2, 0, 1)[None, :, None])


def _check(pixels: NDArray[np.uint8]) -> None:
    require_rgb(pixels)
    if min(pixels.shape[:2]) < _SMALLEST:
        raise InputError(
            "watermark.capacity-exceeded",
            f"{pixels.shape[1]}x{pixels.shape[0]} is too small for this mark",
            hint=f"it needs {_SMALLEST} pixels on the shorter side",
        )
