"""Samplers run backwards: exact where that is possible, refused where it is not, reported in any case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.inversion import ROBUST, Limits, LinearStep, solve, walk_back
from provenance.errors import InputError

SAMPLERS = {
    "DDIMScheduler": 1.5,
    "EulerDiscreteScheduler": 1.0,
    "DPMSolverMultistepScheduler": 1.5,
    "UniPCMultistepScheduler": 1.0,
}
"""With the guidance each is run with: of either kind, one step and several, one with and one without."""


@pytest.fixture(scope="module")
def small(tiny):
    """The tiny pipeline with a model of one block that listens to the prompt: it is evaluated very often."""
    import torch
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8,),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",),
        mid_block_type=None,
        up_block_types=("UpBlock2D",),
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
    ).eval()
    parts = {**tiny.pipeline.components, "unet": unet}
    pipeline = StableDiffusionPipeline(**parts, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _pipeline(pipeline, name: str, **config: object):
    import diffusers

    base = diffusers.DDIMScheduler(steps_offset=1, clip_sample=False).config
    pipeline.scheduler = getattr(diffusers, name).from_config(base, **config)
    return pipeline


def _noise(seed: int = 3, shape: tuple[int, ...] = (1, 4, 16, 16)):
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


ASKED = {"prompt": "portrait of a judge", "num_inference_steps": 4, "guidance_scale": 1.5}


@pytest.mark.parametrize(("name", "guidance"), SAMPLERS.items())
def test_known_prompt_gives_the_noise_back(small, name, guidance):
    from generators.inversion_adapter import invert, run

    pipeline, noise = _pipeline(small, name), _noise(shape=(1, 4, 8, 8))
    asked = {
        **ASKED,
        "guidance_scale": guidance,
    }  # four steps: a multistep sampler needs them for its history
    latent = run(pipeline, noise, asked)
    assert float((latent - noise).norm() / noise.norm()) > 1, "the sampler moved it"
    scheduler = pipeline.scheduler
    found, report = invert(pipeline, latent, asked)
    assert float((found - noise).norm() / noise.norm()) < 1e-5
    assert report.converged
    assert report.exact
    assert report.worst <= 1e-6
    assert report.scheduler == name
    assert type(pipeline.scheduler) is type(scheduler), "the pipeline keeps its sampler"
    if report.closure is not None:  # multistep: run forwards again
        assert report.closure < 1e-5


def test_one_evaluation_a_step_is_faster_and_says_that_it_is_not_exact(small):
    from generators.inversion_adapter import invert, run

    pipeline, noise = _pipeline(small, "DDIMScheduler"), _noise()
    latent = run(pipeline, noise, ASKED)
    rough, told = invert(pipeline, latent, ASKED, ROBUST)
    exact, _ = invert(pipeline, latent, ASKED)
    assert told.evaluations == 4
    assert not told.converged
    assert told.worst > 1e-3
    assert float((rough - noise).norm()) > 100 * float((exact - noise).norm())


@pytest.mark.parametrize(
    ("name", "config", "asked"),
    [
        ("DDPMScheduler", {}, {}),
        ("EulerAncestralDiscreteScheduler", {}, {}),
        ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}, {}),
        ("DDIMScheduler", {}, {"eta": 0.5}),
        ("DDIMScheduler", {"thresholding": True}, {}),
        ("HeunDiscreteScheduler", {}, {}),
    ],
)
def test_what_cannot_be_run_backwards_is_refused(tiny, name, config, asked):
    from generators.inversion_adapter import invert

    pipeline = _pipeline(tiny.pipeline, name, **config)
    scheduler = pipeline.scheduler
    with pytest.raises(InputError) as refused:
        invert(pipeline, _noise(), {**ASKED, **asked})
    assert refused.value.code == "inversion.scheduler"
    assert pipeline.scheduler is scheduler


def test_packed_flow_matching_latents_come_back():
    from generators.inversion_adapter import invert, run

    pipeline = _flux()
    noise = _noise(shape=(1, 64, 16))
    asked = {
        "prompt": "portrait of a judge",
        "num_inference_steps": 6,
        "height": 32,
        "width": 32,
        "max_sequence_length": 8,
    }
    latent = run(pipeline, noise, asked)
    assert float((latent - noise).norm() / noise.norm()) > 0.2, "the sampler moved it"
    found, report = invert(pipeline, latent, asked)
    assert float((found - noise).norm() / noise.norm()) < 1e-5
    assert report.converged
    rough, _ = invert(pipeline, latent, asked, ROBUST)
    assert float((rough - noise).norm() / noise.norm()) > 1e-3


def test_video_latents_come_back():
    from generators.inversion_adapter import invert, run

    pipeline = _wan()
    noise = _noise(shape=(1, 4, 2, 8, 8))
    asked = {
        "prompt": "portrait of a judge",
        "num_inference_steps": 4,
        "height": 32,
        "width": 32,
        "num_frames": 5,
        "guidance_scale": 1.0,
        "max_sequence_length": 8,
    }
    latent = run(pipeline, noise, asked)
    found, report = invert(pipeline, latent, asked)
    assert float((found - noise).norm() / noise.norm()) < 1e-4
    assert report.converged


def _flux():
    import torch
    from diffusers import (
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        FluxPipeline,
        FluxTransformer2DModel,
    )

    torch.manual_seed(0)
    clip, words, t5 = _encoders()
    pipeline = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            block_out_channels=(8, 16),
            latent_channels=4,
            norm_num_groups=4,
            sample_size=32,
            shift_factor=0.1,
        ).eval(),
        text_encoder=clip,
        tokenizer=words,
        text_encoder_2=t5,
        tokenizer_2=words,
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
        ).eval(),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _wan():
    import torch
    from diffusers import (
        AutoencoderKLWan,
        FlowMatchEulerDiscreteScheduler,
        WanPipeline,
        WanTransformer3DModel,
    )

    torch.manual_seed(0)
    _, words, t5 = _encoders()
    pipeline = WanPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=AutoencoderKLWan(
            base_dim=3,
            z_dim=4,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
        ).eval(),
        text_encoder=t5,
        tokenizer=words,
        transformer=WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=4,
            out_channels=4,
            text_dim=16,
            freq_dim=16,
            ffn_dim=16,
            num_layers=1,
            cross_attn_norm=True,
            rope_max_seq_len=32,
        ).eval(),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _encoders():
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    from generators.training.emoji_export import build_tokenizer
    from generators.training.emoji_labels import vocabulary

    words = len(vocabulary())
    shape = {"vocab_size": words, "hidden_size": 16, "intermediate_size": 16, "projection_dim": 16}
    clip = CLIPTextModel(
        CLIPTextConfig(
            **shape,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=16,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )
    t5 = T5EncoderModel(T5Config(vocab_size=words, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2))
    return clip.eval(), build_tokenizer(), t5.eval()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(-1.4, 1.4))
def test_any_smooth_model_is_inverted_in_plain_numbers(seed, count, bend):
    """The walk back needs no framework: here the model is a matrix and a sine, on numpy arrays."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(12, 12)) / 12
    steps = [LinearStep(timestep=float(i), keep=0.95, push=-0.3) for i in range(count)]

    def model(latent):
        return matrix @ latent + bend * np.sin(latent)

    start = random.normal(size=12)
    latent = start
    for step in steps:
        latent = step.keep * latent + step.push * model(latent)
    walk = walk_back(latent, steps, Limits(tolerance=1e-12, iterations=200))
    query = next(walk)
    try:
        while True:
            query = walk.send(model(query.latent))
    except StopIteration as stopped:
        found, told = stopped.value
    assert [step.timestep for step in told] == [step.timestep for step in steps]
    assert all(step.converged for step in told)
    np.testing.assert_allclose(found, start, atol=1e-9)


def test_acceleration_solves_what_the_plain_iteration_cannot():
    """g(x) = -3x + 4 has the fixed point 1 and throws every plain iterate further away from it."""
    point, told = solve(lambda x: -3 * x + 4, np.zeros(5), Limits(tolerance=1e-10, passes=12))
    assert told.converged
    assert told.evaluations < 12
    np.testing.assert_allclose(point, np.ones(5), atol=1e-8)


def test_what_does_not_converge_is_reported_as_such():
    _, told = solve(lambda x: x + 1, np.zeros(5), Limits(passes=6))
    assert not told.converged
    assert told.residual > 1e-3


@pytest.mark.parametrize("wrong", [{"tolerance": 0.0}, {"iterations": 0}, {"memory": -1}, {"passes": 0}])
def test_limits_are_held(wrong):
    with pytest.raises(ValueError, match="positive"):
        Limits(**wrong)
