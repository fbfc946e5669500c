"""The noise a pipeline starts from, handed in from outside, and the way from a picture back to it."""

from __future__ import annotations

import numpy as np
import pytest

from generators import finish
from generators.inversion import Limits
from generators.recipe import StageRecord
from generators.request import GenerationRequest
from provenance.errors import InputError
from provenance.media import Frames

REQUEST = GenerationRequest(prompt="portrait of a judge", seeds=(3, 9), num_inference_steps=2)
RECORD = StageRecord(name="test", version="1", parameters={"sign": "as drawn"})


def test_noise_handed_in_unchanged_gives_the_same_pixels(tiny):
    plain = list(tiny.generate(REQUEST))
    again = list(tiny.generate(REQUEST, latents=lambda noise: (noise, RECORD)))
    for one, other in zip(plain, again, strict=True):
        assert one.frames.shows(other.frames)
        assert one.recipe.hooks == ()
        assert other.recipe.hooks == (RECORD,)


def test_changed_noise_changes_the_picture_and_every_picture_is_asked(tiny):
    shapes = []

    def turned(noise: np.ndarray) -> tuple[np.ndarray, StageRecord]:
        shapes.append(noise.shape)
        return -noise, RECORD

    plain = list(tiny.generate(REQUEST))
    turned_over = list(tiny.generate(REQUEST, latents=turned))
    assert shapes == [(4, 16, 16)] * 2
    assert not any(one.frames.shows(other.frames) for one, other in zip(plain, turned_over, strict=True))


def test_a_request_that_starts_from_a_picture_takes_no_noise(tiny):
    start = Frames(pixels=np.zeros((1, 32, 32, 3), np.uint8))
    request = GenerationRequest(prompt="a judge", seeds=(1,), init=start)
    with pytest.raises(InputError) as refused:
        list(tiny.generate(request, latents=lambda noise: (noise, RECORD)))
    assert refused.value.code == "request.unsupported"


def test_a_picture_is_followed_back_through_the_autoencoder(tiny):
    """Random weights decode to little, but what they decode to leads back to the latent it came from."""
    import torch

    from generators.latents_adapter import DiffusersInverter, encode

    latent = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(1))
    config = tiny.pipeline.vae.config
    with torch.no_grad():
        decoded = tiny.pipeline.vae.decode(latent / config.scaling_factor, return_dict=False)[0]
    pixels = (decoded[0].permute(1, 2, 0).numpy() + 1) / 2
    rough = encode(tiny.pipeline, pixels)
    refined = encode(tiny.pipeline, pixels, refinements=40)
    assert rough.shape == refined.shape == latent.shape

    def error(found: torch.Tensor) -> float:
        with torch.no_grad():
            again = tiny.pipeline.vae.decode(found / config.scaling_factor, return_dict=False)[0]
        return float((again - decoded).square().mean())

    assert error(refined) < error(rough) / 2
    inverter = DiffusersInverter(generator=tiny, steps=2, limits=Limits(iterations=3))
    noise = inverter.invert(Frames(pixels=np.zeros((1, 48, 40, 3), np.uint8)))
    assert noise.values.shape == (4, 16, 16)
    assert noise.residual >= 0


def test_enlarging_is_taken_back(photograph):
    from provenance.digest_grid import area_means

    small = np.rint(area_means(photograph.astype(np.float32), 128, 128)).astype(np.uint8)
    large = finish.enlarge(small, width=512, height=512, seed=4)
    back = finish.reduce(large.astype(np.float32) / 255, side=128) * 255
    plain = area_means(large.astype(np.float32), 128, 128)
    assert np.sqrt(np.mean((back - small) ** 2)) < 3
    assert np.mean((back - small) ** 2) < np.mean((plain - small) ** 2) / 4
