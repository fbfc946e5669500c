"""A latent diffusion model of one's own, untrained: 3.5 million numbers, and some for each word."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

_CHANNELS, _FACTOR, _WIDTH = 4, 4, 64
"""Latent channels, pixels to a latent, numbers of a word."""


def networks(side: int, words: int, longest: int) -> dict[str, Any]:
    """By their names in a diffusers pipeline; first weights are drawn from torch's own stream.

    Args:
        side: pixels to a side.
        words: in the vocabulary.
        longest: ids of a caption, its beginning and end included.
    """
    vae, text_encoder = _autoencoder(side), _text_encoder(words, longest)
    return {"vae": vae, "text_encoder": text_encoder, "unet": _denoiser(side)}


def _autoencoder(side: int) -> Any:
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 64),
        layers_per_block=1,
        latent_channels=_CHANNELS,
        norm_num_groups=8,
        sample_size=side,
        mid_block_add_attention=False,
    )
    with torch.no_grad():
        # Start with little latent noise: at the default deviation of 1 nothing gets through at first.
        vae.quant_conv.weight[_CHANNELS:] *= 0.1
        vae.quant_conv.bias[_CHANNELS:] = -6
    return vae


def _text_encoder(words: int, longest: int) -> Any:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=words,
            hidden_size=_WIDTH,
            intermediate_size=2 * _WIDTH,
            projection_dim=_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=longest,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )


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
