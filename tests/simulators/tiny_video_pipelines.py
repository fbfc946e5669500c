"""The clips among ``simulators.tiny_pipelines``."""

from __future__ import annotations

from typing import Any

from simulators.tiny_pipelines import (
    WIDTH,
    _ddim,
    _diffusers,
    _flow,
    autoencoder,
    clip_text,
    clip_vision,
    image_processor,
    t5,
    tokenizer,
    unet,
)


def wan(name: str) -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    shape: dict[str, Any] = {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": 36 if name == "WanImageToVideoPipeline" else 16,
        "out_channels": 16,
        "text_dim": WIDTH,
        "freq_dim": 16,
        "ffn_dim": 16,
        "num_layers": 1,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "rope_max_seq_len": 32,
    }
    transformer = _diffusers("WanTransformer3DModel")
    extra: dict[str, Any] = {}
    if name == "WanVACEPipeline":
        transformer = _diffusers("WanVACETransformer3DModel")
        shape |= {"vace_layers": [0], "vace_in_channels": 96}
    if name == "WanImageToVideoPipeline":
        shape |= {"image_dim": WIDTH}
        extra = {"image_encoder": clip_vision(projected=False), "image_processor": image_processor()}
    encoder = UMT5Config(vocab_size=20, d_model=WIDTH, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    return _diffusers(name)(
        tokenizer=tokenizer(512),
        text_encoder=UMT5EncoderModel(encoder),
        vae=_diffusers("AutoencoderKLWan")(
            base_dim=4,
            z_dim=16,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
        ),
        transformer=transformer(**shape),
        scheduler=_flow(shift=7.0),
        **extra,
    )


def ltx(name: str) -> Any:
    vae = _diffusers("AutoencoderKLLTXVideo")(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        decoder_inject_noise=(False,) * 5,
        timestep_conditioning=False,
    )
    return _diffusers(name)(
        transformer=_diffusers("LTXVideoTransformer3DModel")(
            in_channels=8,
            out_channels=8,
            num_attention_heads=2,
            attention_head_dim=8,
            cross_attention_dim=16,
            num_layers=1,
            caption_channels=WIDTH,
        ),
        vae=vae,
        scheduler=_flow(),
        text_encoder=t5(),
        tokenizer=tokenizer(512),
    )


def cogvideo(name: str) -> Any:
    pictures = name == "CogVideoXImageToVideoPipeline"
    return _diffusers(name)(
        tokenizer=tokenizer(512),
        text_encoder=t5(),
        vae=_diffusers("AutoencoderKLCogVideoX")(
            down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4,
            block_out_channels=(4, 4, 4, 4),
            latent_channels=4,
            layers_per_block=1,
            norm_num_groups=2,
            temporal_compression_ratio=4,
        ),
        transformer=_diffusers("CogVideoXTransformer3DModel")(
            num_attention_heads=2,
            attention_head_dim=16,
            in_channels=8 if pictures else 4,
            out_channels=4,
            time_embed_dim=2,
            text_embed_dim=WIDTH,
            num_layers=1,
            sample_width=4,
            sample_height=4,
            sample_frames=9,
            max_text_seq_length=226,
            use_rotary_positional_embeddings=True,
        ),
        scheduler=_diffusers("CogVideoXDDIMScheduler")(),
    )


def hunyuan(name: str) -> Any:
    from transformers import LlamaConfig, LlamaModel

    llama = LlamaConfig(
        vocab_size=20,
        hidden_size=WIDTH,
        intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return _diffusers(name)(
        text_encoder=LlamaModel(llama),
        tokenizer=tokenizer(1024),
        transformer=_diffusers("HunyuanVideoTransformer3DModel")(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=10,
            num_layers=1,
            num_single_layers=1,
            num_refiner_layers=1,
            text_embed_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            rope_axes_dim=(2, 4, 4),
            guidance_embeds=True,
        ),
        vae=_diffusers("AutoencoderKLHunyuanVideo")(
            latent_channels=4,
            block_out_channels=(4, 4, 4, 4),
            layers_per_block=1,
            norm_num_groups=2,
        ),
        scheduler=_flow(shift=7.0),
        text_encoder_2=clip_text(limit=77),
        tokenizer_2=tokenizer(77),
    )


def animatediff(name: str) -> Any:
    return _diffusers(name)(
        vae=autoencoder(),
        text_encoder=clip_text(),
        tokenizer=tokenizer(),
        unet=unet(mid_block_type="UNetMidBlock2DCrossAttn"),
        motion_adapter=_diffusers("MotionAdapter")(
            block_out_channels=(8, 16),
            motion_layers_per_block=1,
            motion_num_attention_heads=2,
            motion_norm_num_groups=4,
            motion_max_seq_length=32,
            use_motion_mid_block=False,
        ),
        scheduler=_ddim(),
    )


def stable_video(name: str) -> Any:
    return _diffusers(name)(
        vae=_diffusers("AutoencoderKLTemporalDecoder")(
            down_block_types=("DownEncoderBlock2D",) * 4,
            block_out_channels=(32,) * 4,
            latent_channels=4,
        ),
        image_encoder=clip_vision(side=224),  # the pipeline scales to this size, whatever the encoder has
        unet=_diffusers("UNetSpatioTemporalConditionModel")(
            sample_size=4,
            in_channels=8,
            out_channels=4,
            block_out_channels=(32, 32),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
            up_block_types=("UpBlockSpatioTemporal", "UpBlockSpatioTemporal"),
            cross_attention_dim=WIDTH,
            num_attention_heads=(2, 2),
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=24,
            num_frames=3,
        ),
        scheduler=_diffusers("EulerDiscreteScheduler")(
            prediction_type="v_prediction",
            timestep_type="continuous",
            use_karras_sigmas=True,
            sigma_min=0.002,
            sigma_max=700.0,
            timestep_spacing="leading",
            steps_offset=1,
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
        ),
        feature_extractor=image_processor(),
    )


CLIPS = {
    "WanPipeline": wan,
    "WanImageToVideoPipeline": wan,
    "WanVACEPipeline": wan,
    "WanVideoToVideoPipeline": wan,
    "LTXPipeline": ltx,
    "LTXImageToVideoPipeline": ltx,
    "CogVideoXPipeline": cogvideo,
    "CogVideoXImageToVideoPipeline": cogvideo,
    "HunyuanVideoPipeline": hunyuan,
    "AnimateDiffPipeline": animatediff,
    "StableVideoDiffusionPipeline": stable_video,
}
"""Pipeline class → what builds it."""
