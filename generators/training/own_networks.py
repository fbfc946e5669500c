"""A latent diffusion model of one's own, untrained: 3.5 million numbers, and some for each word."""

from __future__ import annotations

from typing import Any

from diffusers import UNet2DConditionModel

from generators.training.latent_parts import autoencoder, text_encoder

_CHANNELS, _FACTOR, _WIDTH = 4, 4, 64
"""Latent channels, pixels to a latent, numbers of a word."""


def networks(side: int, words: int, longest: int) -> dict[str, Any]:
    """By their names in a diffusers pipeline; first weights are drawn from torch's own stream.

    Args:
        side: pixels to a side.
        words: in the vocabulary.
        longest: ids of a caption, its beginning and end included.
    """
    return {
        "vae": autoencoder((16, 32, 64), channels=_CHANNELS, side=side),
        "text_encoder": text_encoder(words, width=_WIDTH, longest=longest),
        "unet": _denoiser(side),
    }


def _denoiser(side: int) -> Any:
    return UNet2DConditionModel(
        sample_size=side // _FACTOR,
        in_channels=_CHANNELS,
        out_channels=_CHANNELS,
        block_out_channels=(64, 96),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )
