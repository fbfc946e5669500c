"""Real diffusers pipelines with random weights, one for each family, small enough to run in a moment.

Every part is built from configuration, saved as safetensors and read back like anybody's folder; what they
draw is noise, but how they are called, what they refuse and what they return is that of the large ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = ("judge", "nurse", "cat", "dog", "red", "blue", "a", "of", "portrait", "tench", "shark")
"""What the tokenizers know; all other words are one token each, "<unk>"."""
WIDTH = 16
"""Of every text and cross-attention layer."""


def tokenizer(limit: int = 16) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = ("<pad>", "<begin>", "<end>", "<unk>", *WORDS)
    words = Tokenizer(models.WordLevel({name: n for n, name in enumerate(names)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="<begin> $A <end>", special_tokens=[("<begin>", 1), ("<end>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        bos_token="<begin>",
        eos_token="<end>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=limit,
    )


def clip_text(*, projected: bool = False, limit: int = 16) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=20,
        hidden_size=WIDTH,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=limit,
        projection_dim=WIDTH,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def clip_vision(*, projected: bool = True, side: int = 32) -> Any:
    from transformers import CLIPVisionConfig, CLIPVisionModel, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=side,
        patch_size=side // 2,
        projection_dim=WIDTH,
    )
    return (CLIPVisionModelWithProjection if projected else CLIPVisionModel)(config)


def image_processor() -> Any:
    from transformers import CLIPImageProcessorPil

    return CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def t5(width: int = WIDTH) -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(vocab_size=20, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2))


def autoencoder(channels: int = 4, **changes: Any) -> Any:
    """Eight pixels to a latent, as the large ones have."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        layers_per_block=0,
        latent_channels=channels,
        norm_num_groups=2,
        mid_block_add_attention=False,
        sample_size=64,
        **changes,
    )


def unet(**changes: Any) -> Any:
    from diffusers import UNet2DConditionModel

    config = {
        "sample_size": 4,
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "mid_block_type": None,
        "up_block_types": ("UpBlock2D", "UpBlock2D"),
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**{**config, **changes})


def _diffusers(name: str) -> Any:
    import diffusers

    return getattr(diffusers, name)


def _ddim() -> Any:
    return _diffusers("DDIMScheduler")(
        steps_offset=1, clip_sample=False, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012
    )


def _flow(**changes: Any) -> Any:
    return _diffusers("FlowMatchEulerDiscreteScheduler")(**changes)


def stable_diffusion(name: str) -> Any:
    return _diffusers(name)(
        vae=autoencoder(),
        text_encoder=clip_text(),
        tokenizer=tokenizer(),
        unet=unet(),
        scheduler=_ddim(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def latent_consistency(name: str) -> Any:
    return _diffusers(name)(
        vae=autoencoder(),
        text_encoder=clip_text(),
        tokenizer=tokenizer(),
        unet=unet(time_cond_proj_dim=8),
        scheduler=_diffusers("LCMScheduler")(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl(name: str) -> Any:
    times = 6 * 8
    return _diffusers(name)(
        vae=autoencoder(),
        text_encoder=clip_text(),
        tokenizer=tokenizer(),
        text_encoder_2=clip_text(projected=True),
        tokenizer_2=tokenizer(),
        unet=unet(
            cross_attention_dim=2 * WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=WIDTH + times,
            transformer_layers_per_block=1,
            use_linear_projection=True,
        ),
        scheduler=_ddim(),
        add_watermarker=False,
    )


def stable_diffusion_3(name: str) -> Any:
    channels = 16 if "Inpaint" in name else 4
    transformer = _diffusers("SD3Transformer2DModel")(
        sample_size=4,
        patch_size=2,
        in_channels=channels,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=2 * WIDTH,
        caption_projection_dim=16,
        pooled_projection_dim=2 * WIDTH,
        out_channels=channels,
        pos_embed_max_size=16,
    )
    return _diffusers(name)(
        transformer=transformer,
        scheduler=_flow(),
        vae=autoencoder(channels, shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip_text(projected=True),
        tokenizer=tokenizer(),
        text_encoder_2=clip_text(projected=True),
        tokenizer_2=tokenizer(),
        text_encoder_3=t5(2 * WIDTH),
        tokenizer_3=tokenizer(512),
    )


def flux(name: str, *, guidance: bool = True) -> Any:
    transformer = _diffusers("FluxTransformer2DModel")(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guidance,
    )
    return _diffusers(name)(
        scheduler=_flow(),
        vae=autoencoder(shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip_text(),
        tokenizer=tokenizer(),
        text_encoder_2=t5(),
        tokenizer_2=tokenizer(512),
        transformer=transformer,
    )


def pixart(name: str) -> Any:
    transformer = _diffusers("PixArtTransformer2DModel")(
        sample_size=8,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=2,
        caption_channels=WIDTH,
        cross_attention_dim=16,
        in_channels=4,
        out_channels=8,
        norm_num_groups=1,
        use_additional_conditions=False,
    )
    return _diffusers(name)(
        tokenizer=tokenizer(512),
        text_encoder=t5(),
        vae=autoencoder(),
        transformer=transformer,
        scheduler=_diffusers("DPMSolverMultistepScheduler")(),
    )


def dit(name: str) -> Any:
    transformer = _diffusers("DiTTransformer2DModel")(
        sample_size=4,
        num_layers=1,
        patch_size=2,
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_embeds_ada_norm=1000,
    )
    return _diffusers(name)(
        transformer=transformer,
        vae=autoencoder(),
        scheduler=_diffusers("DDIMScheduler")(),
    )


CLASSES = {"0": "tench, Tinca tinca", "2": "great white shark, white shark"}
"""Of the tiny DiT, in the form of ImageNet's; diffusers reads them from the index but does not write them."""


def _prior() -> Any:
    import torch

    prior = _diffusers("PriorTransformer")(
        num_attention_heads=2, attention_head_dim=8, embedding_dim=WIDTH, num_layers=1, num_embeddings=16
    )
    prior.clip_std = torch.nn.Parameter(torch.ones(1, WIDTH))  # untrained it is 0: all pictures would be one
    return prior


def kandinsky(name: str) -> Any:
    return _diffusers(name)(
        unet=unet(
            in_channels=9 if "Inpaint" in name else 4,
            out_channels=8,
            addition_embed_type="image",
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            up_block_types=("ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"),
            encoder_hid_dim=WIDTH,
            encoder_hid_dim_type="image_proj",
            resnet_time_scale_shift="scale_shift",
            class_embed_type=None,
        ),
        scheduler=_diffusers("DDPMScheduler")(variance_type="learned_range", clip_sample=False),
        movq=_diffusers("VQModel")(
            block_out_channels=(32,) * 4,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            norm_num_groups=8,
            norm_type="spatial",
            num_vq_embeddings=12,
            vq_embed_dim=4,
        ),
        prior_prior=_prior(),
        prior_image_encoder=clip_vision(),
        prior_text_encoder=clip_text(projected=True),
        prior_tokenizer=tokenizer(),
        prior_scheduler=_diffusers("UnCLIPScheduler")(
            variance_type="fixed_small_log", prediction_type="sample", num_train_timesteps=1000
        ),
        prior_image_processor=image_processor(),
    )


def deepfloyd(name: str) -> Any:
    larger = name == "IFSuperResolutionPipeline"
    changes: dict[str, Any] = {"class_embed_type": "timestep"} if larger else {}
    noising = {"image_noising_scheduler": _diffusers("DDPMScheduler")()} if larger else {}
    return _diffusers(name)(
        tokenizer=tokenizer(512),
        text_encoder=t5(),
        unet=unet(
            sample_size=64 if larger else 16,
            in_channels=6 if larger else 3,
            out_channels=6,
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            up_block_types=("ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"),
            encoder_hid_dim=WIDTH,
            resnet_time_scale_shift="scale_shift",
            addition_embed_type="text",
            addition_embed_type_num_heads=2,
            only_cross_attention=True,
            act_fn="gelu",
            **changes,
        ),
        scheduler=_diffusers("DDPMScheduler")(variance_type="learned_range", thresholding=True),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
        **noising,
    )


def unconditional(name: str) -> Any:
    consistency = name == "ConsistencyModelPipeline"
    schedulers = {"DDPMPipeline": "DDPMScheduler", "DDIMPipeline": "DDIMScheduler"}
    return _diffusers(name)(
        unet=_diffusers("UNet2DModel")(
            sample_size=16,
            block_out_channels=(8, 16),
            layers_per_block=1,
            down_block_types=("DownBlock2D",) * 2,
            up_block_types=("UpBlock2D",) * 2,
            norm_num_groups=4,
            num_class_embeds=3 if consistency else None,
        ),
        scheduler=_diffusers(schedulers.get(name, "CMStochasticIterativeScheduler"))(),
    )


IMAGES = {
    "StableDiffusionPipeline": stable_diffusion,
    "StableDiffusionImg2ImgPipeline": stable_diffusion,
    "StableDiffusionInpaintPipeline": stable_diffusion,
    "StableDiffusionXLPipeline": stable_diffusion_xl,
    "StableDiffusionXLImg2ImgPipeline": stable_diffusion_xl,
    "StableDiffusionXLInpaintPipeline": stable_diffusion_xl,
    "StableDiffusion3Pipeline": stable_diffusion_3,
    "StableDiffusion3Img2ImgPipeline": stable_diffusion_3,
    "StableDiffusion3InpaintPipeline": stable_diffusion_3,
    "FluxPipeline": flux,
    "FluxImg2ImgPipeline": flux,
    "FluxInpaintPipeline": flux,
    "PixArtAlphaPipeline": pixart,
    "PixArtSigmaPipeline": pixart,
    "DiTPipeline": dit,
    "KandinskyV22CombinedPipeline": kandinsky,
    "KandinskyV22Img2ImgCombinedPipeline": kandinsky,
    "KandinskyV22InpaintCombinedPipeline": kandinsky,
    "IFPipeline": deepfloyd,
    "IFSuperResolutionPipeline": deepfloyd,
    "LatentConsistencyModelPipeline": latent_consistency,
    "LatentConsistencyModelImg2ImgPipeline": latent_consistency,
    "ConsistencyModelPipeline": unconditional,
    "DDPMPipeline": unconditional,
    "DDIMPipeline": unconditional,
}
"""Pipeline class → what builds it."""


def settled(pipeline: Any) -> Any:
    """``pipeline`` with every network out of training, as one that is read from a folder."""
    import torch

    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    return pipeline


def save(name: str, folder: Path, *, seed: int = 0) -> Path:
    """Build the pipeline of this class and save it as a diffusers folder."""
    import torch
    from simulators.tiny_video_pipelines import CLIPS

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        {**IMAGES, **CLIPS}[name](name).save_pretrained(folder, safe_serialization=True)
    if name == "DiTPipeline":
        index = folder / "model_index.json"
        index.write_text(json.dumps({**json.loads(index.read_text()), "id2label": CLASSES}))
    return folder
