"""What a picture was made from is named in its manifest, by the flow that makes pictures."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest

from generators.request import GenerationRequest
from guard.generate import approve, generate
from guard.ingredients import start_ingredients
from provenance.codecs import decode
from provenance.errors import InputError
from provenance.manifest.ingredient import Kind
from provenance.media import Frames


def start(frames: int = 1) -> Frames:
    pixels = np.random.default_rng(0).integers(0, 256, (frames, 64, 64, 3), dtype=np.uint8)
    return Frames(pixels=pixels)


def test_the_picture_a_request_starts_from_is_kept_sample_for_sample() -> None:
    (ingredient,) = start_ingredients(GenerationRequest(prompt="x", seeds=(1,), init=start()))
    assert (ingredient.kind, ingredient.title) == (Kind.PICTURE, "input")
    assert ingredient.asset is not None
    assert decode(ingredient.asset).shows(start())
    assert start_ingredients(GenerationRequest(prompt="x", seeds=(1,))) == ()
    assert start_ingredients(GenerationRequest(prompt="x", seeds=(1,), init=start(frames=2))) == ()


def test_it_is_an_ingredient_of_the_released_picture(tools, simulator, tmp_path) -> None:
    request = GenerationRequest(prompt="a lighthouse", seeds=(7,), model="simulated:1", init=start())
    (released,) = generate(approve(request, tools), simulator, tools, folder=tmp_path)
    titles = [ingredient.title for ingredient in released.signed.reading.ingredients]
    assert titles == ["Photograph simulator", "input"]


def test_a_model_of_clips_is_refused_before_it_draws(tools, simulator, tmp_path) -> None:
    clips = copy.copy(simulator)
    clips.info = dataclasses.replace(simulator.info, kind="video")
    request = GenerationRequest(prompt="a lighthouse", seeds=(7,), model="simulated:1")
    with pytest.raises(InputError) as caught:
        list(generate(approve(request, tools), clips, tools, folder=tmp_path))
    assert caught.value.code == "generate.clip"
