"""Pictures drawn again by a model: through the autoencoder of a latent diffusion model and back.

The autoencoder keeps what its training taught it to keep, and marks are not among that. WAVES calls this
Regen-KLVAE. The bundled model's autoencoder knows emoji, so that photographs come back visibly smoother: it
shows the attack without a download and is weaker than an attacker's choice would be.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from audits.robustness.attacks import rounded

if TYPE_CHECKING:
    from audits.robustness.attacks import Picture, Transform

BUNDLED = "bundled:emoji"
_STRIDE = 8
"""Pixels a latent: sides are padded to a multiple of it."""


def autoencode(reference: str = BUNDLED) -> Transform:
    """Encode to the middle of the latent distribution and decode.

    Args:
        reference: of a model, as for ``generators.registry.load``; it loads at the first use.

    The attack raises ``ConfigurationError`` (``extra.missing``, …) where the model cannot be loaded.
    """

    def attack(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        padding = ((0, -height % _STRIDE), (0, -width % _STRIDE), (0, 0))
        drawn = _there_and_back(_autoencoder(reference), np.pad(pixels, padding, mode="edge"))
        return drawn[:height, :width].copy()

    return attack


@lru_cache(maxsize=1)
def _autoencoder(reference: str) -> Any:
    from generators.registry import load  # noqa: PLC0415 - torch and diffusers

    model = cast("Any", load(reference, threads=1)).pipeline.vae
    model.enable_tiling()  # memory by the tile, not by the picture
    return model.eval()


def _there_and_back(model: Any, pixels: Picture) -> Picture:
    import torch

    with torch.inference_mode():
        light = torch.from_numpy(pixels.astype(np.float32) / np.float32(127.5) - np.float32(1))
        latents = model.encode(light.permute(2, 0, 1)[None]).latent_dist.mode()
        drawn = model.decode(latents).sample[0].permute(1, 2, 0).numpy()
    return rounded((drawn + 1) * 127.5)
