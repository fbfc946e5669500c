"""Clips of a motion model are drawn again exactly, with everything that was asked of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from simulators.tiny_motion import build_motion

from generators.registry import load
from generators.replay import Likeness
from generators.request import GenerationRequest
from guard.generate import approve, generate
from guard.repeatable import find
from guard.replay import deciding, replay
from provenance.errors import InputError
from provenance.media import Frames


@pytest.fixture(scope="module")
def moving(tmp_path_factory, tiny_folder):
    return load(f"dir:{build_motion(tmp_path_factory.mktemp('m') / 'video', tiny_folder)}", threads=1)


def again(home, released, moving, **how):
    found = find(str(released.path), home.records())
    return replay(found, deciding(home), load=lambda _ref, _threads: moving, **how)


def test_shared_noise_and_given_frames_come_back_with_the_request(home, tools, moving, tmp_path) -> None:
    start = Frames(pixels=np.full((1, 32, 32, 3), 120, np.uint8))
    request = GenerationRequest(
        prompt="a cook moving left",
        seeds=(4,),
        num_frames=8,
        num_inference_steps=2,
        init=start,
        options={"shared_noise": 0.5},
    )
    (released,) = generate(approve(request, tools), moving, tools, folder=tmp_path)
    recipe = find(str(released.path), home.records()).recipe
    assert {hook.name for hook in recipe.hooks} == {"shared-noise", "given-frames"}
    assert again(home, released, moving, inputs={"init": start}).likeness is Likeness.EXACT
    with pytest.raises(InputError) as other:
        again(home, released, moving)
    assert other.value.code == "replay.inputs"


def test_a_model_that_always_shares_noise_is_drawn_again(home, tools, moving, tmp_path) -> None:
    sharing = dataclasses.replace(moving, card=dataclasses.replace(moving.card, shared_noise=0.3))
    request = GenerationRequest(prompt="a cook", seeds=(5,), num_frames=8, num_inference_steps=2)
    (released,) = generate(approve(request, tools), sharing, tools, folder=tmp_path)
    assert again(home, released, sharing).likeness is Likeness.EXACT
    assert again(home, released, moving).likeness is not Likeness.EXACT
