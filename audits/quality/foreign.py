"""Features of a network that the user has, as ONNX: the image side of CLIP, say.

One input (N, 3, S, S) float32, one output (N, D) float32. The digest is part of the name: other weights,
other features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.quality.features import resized
from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from provenance.watermark.weights import Network

SIDE = 224
"""Of the picture that a network gets which leaves it open."""
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_SPREAD = (0.26862954, 0.26130258, 0.27577711)
"""CLIP's normalisation of RGB in 0..1 (Radford et al. 2021, their preprocessing)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxFeatures:
    """An ``Extractor`` over an ONNX network.

    Attributes:
        network: as loaded.
        input: its name.
        side: of the picture it takes.
    """

    network: Network
    input: str
    side: int

    @property
    def name(self) -> str:
        """As in results."""
        return f"onnx-{self.side}px@{self.network.sha256[:12]}"

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(D,) of a picture (H, W, 3).

        Raises:
            ConfigurationError: ``weights.contract``.
        """
        values = (resized(picture, self.side) - _MEAN) / _SPREAD
        tensor = values.transpose(2, 0, 1)[None].astype(np.float32)
        made = self.network.run_named({self.input: tensor})
        if made.ndim != 2 or len(made) != 1 or not np.isfinite(made).all():
            what = f"the network gives no row of finite numbers, but an array of shape {made.shape}"
            raise ConfigurationError("weights.contract", what)
        return np.asarray(made[0], np.float64)


def load_features(path: Path, sha256: str) -> OnnxFeatures:
    """The network in ``path``, whose digest must be ``sha256``.

    Raises:
        ConfigurationError: ``extra.missing``, ``weights.missing``, ``weights.digest``, ``weights.contract``.
    """
    from provenance.watermark.weights import load  # noqa: PLC0415 - onnxruntime

    network = load(path, sha256, None, threads=1, feature="features for distances")
    (name, shape), *others = network.contract.inputs.items()
    if others or len(shape) != 4 or shape[1] not in (3, None) or shape[2] != shape[3]:
        what = f"{path.name} does not take pictures (N, 3, S, S)"
        raise ConfigurationError("weights.contract", what, where=str(path))
    return OnnxFeatures(network=network, input=name, side=shape[2] or SIDE)
