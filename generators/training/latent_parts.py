"""Parts that latent diffusion models have in common whatever they learn from, untrained.

First weights are drawn from torch's own stream.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTextConfig, CLIPTextModel


def autoencoder(widths: tuple[int, ...], *, channels: int, side: int) -> Any:
    """A ``diffusers.AutoencoderKL`` without attention.

    Args:
        widths: of the layers, from full resolution downwards, half of it each.
        channels: of the latents.
        side: pixels to a side.
    """
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=8,
        sample_size=side,
        mid_block_add_attention=False,
    )
    with torch.no_grad():
        # Start with little latent noise: at the default deviation of 1 nothing gets through at first.
        model.quant_conv.weight[channels:] *= 0.1
        model.quant_conv.bias[channels:] = -6
    return model


def text_encoder(words: int, *, width: int, longest: int) -> Any:
    """Two transformer layers over a vocabulary of ``words``, whose ids 0 and 1 are begin and end.

    Args:
        words: in the vocabulary.
        width: numbers of a word.
        longest: ids of a caption, its beginning and end included.
    """
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=words,
            hidden_size=width,
            intermediate_size=2 * width,
            projection_dim=width,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=longest,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )
