"""A pipeline in memory: its digest is of its tensors, and it draws as the same folder does."""

from __future__ import annotations

import numpy as np
import pytest

from generators.registry import load
from generators.request import GenerationRequest


def hold(pipeline):
    from generators.held_adapter import hold as held

    return held(pipeline, ref="wrapped:tiny", name="tiny", licence="MIT", data_licence="unknown")


@pytest.fixture(scope="module")
def pipeline(tiny_folder):
    return load(f"dir:{tiny_folder}").pipeline


def test_the_digest_follows_the_tensors_and_nothing_else(pipeline, tiny_folder):
    import torch

    held = hold(pipeline)
    assert held.info.weights_sha256 == hold(load(f"dir:{tiny_folder}").pipeline).info.weights_sha256
    assert [file.path for file in held.model.weights] == [
        "tensors/text_encoder",
        "tensors/unet",
        "tensors/vae",
    ]
    weight = next(pipeline.unet.parameters())
    before = weight.detach().clone()
    try:
        with torch.no_grad():
            weight[(0,) * weight.ndim] += 1
        changed = hold(pipeline)
    finally:
        with torch.no_grad():
            weight.copy_(before)
    assert changed.info.weights_sha256 != held.info.weights_sha256
    differing = {one.path for one in set(changed.model.weights) ^ set(held.model.weights)}
    assert differing == {"tensors/unet"}


def test_half_precision_has_a_digest_of_its_own(tiny_folder):
    import torch

    pipeline = load(f"dir:{tiny_folder}").pipeline
    whole = hold(pipeline).info.weights_sha256
    half = hold(pipeline.to(torch.bfloat16)).info.weights_sha256
    assert half != whole


def test_it_draws_what_the_folder_draws(pipeline, tiny):
    def draw(generator):
        request = GenerationRequest(prompt="judge", seeds=(4,), num_inference_steps=2)
        return next(iter(generator.generate(request)))

    held, loaded = draw(hold(pipeline)), draw(tiny)
    assert np.array_equal(held.frames.pixels, loaded.frames.pixels)
    assert held.recipe.model.ref == "wrapped:tiny"


def test_it_says_what_it_was_told_and_no_more(pipeline):
    info = hold(pipeline).info
    assert (info.name, info.licence, info.data_licence) == ("tiny", "MIT", "unknown")
    assert "text" in info.capabilities
