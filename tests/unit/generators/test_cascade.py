"""The learnt finish: sizes, grain, exact repetition, the way back, and old recipes finished as they were."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generators import cascade_adapter, finish, finishes
from generators.cascade_adapter import LearnedFinish
from generators.pinned import listed, pinned_file
from generators.recipe import StageRecord
from generators.request import GenerationRequest
from generators.super_resolution_adapter import SuperResolution
from provenance.digest_grid import area_means
from provenance.errors import ConfigurationError, InputError, IntegrityError


def network(strength: float = 0.02) -> SuperResolution:
    """Random, small, and not without effect."""
    torch.manual_seed(0)
    made = SuperResolution(width=8, blocks=1).eval().requires_grad_(requires_grad=False)
    torch.nn.init.normal_(made.last.weight, std=strength)
    return made


@pytest.fixture(scope="module")
def learnt() -> LearnedFinish:
    return LearnedFinish(network=network(), weights_sha256="ab" * 32)


@pytest.fixture
def small(photograph: np.ndarray) -> np.ndarray:
    return np.rint(area_means(photograph.astype(np.float32), 64, 64)).astype(np.uint8)


@pytest.mark.parametrize("side", [64, 100, 256, 512, 600])
def test_every_size_comes_out_as_asked(learnt: LearnedFinish, small: np.ndarray, side: int) -> None:
    made = learnt.enlarge(small[:32, :32], width=side, height=side, seed=3)
    assert made.shape == (side, side, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(made, learnt.enlarge(small[:32, :32], width=side, height=side, seed=3))
    assert [w.code for w in learnt.warnings(width=side, height=side)] == ["generate.enlarged"] * (side > 512)


def test_grain_is_that_of_the_seed_and_there_on_flat_ground(learnt: LearnedFinish) -> None:
    flat = np.full((16, 16, 3), 120, np.uint8)
    one, two = (learnt.enlarge(flat, width=64, height=64, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one, two)
    plain = LearnedFinish(network=network(0.0), weights_sha256="")
    texture = plain.enlarge(flat, width=64, height=64, seed=1)[..., 0].std()
    assert 1.5 < texture < 2 * finish.GRAIN


def test_the_way_back_is_taken_through_the_network(learnt: LearnedFinish, small: np.ndarray) -> None:
    large = learnt.enlarge(small, width=256, height=256, seed=4)
    back = learnt.reduce(large.astype(np.float32) / 255, side=64) * 255
    plain = area_means(large.astype(np.float32), 64, 64)
    assert np.mean((back - small) ** 2) < np.mean((plain - small) ** 2) / 2
    assert np.sqrt(np.mean((back - small) ** 2)) < 3


def test_the_weights_are_those_that_were_published(tmp_path: Path) -> None:
    folder, name = tmp_path / "sr", cascade_adapter.WEIGHTS
    folder.mkdir()
    with pytest.raises(ConfigurationError) as missing:
        pinned_file(folder, name)
    assert missing.value.code == "weights.not-installed"
    save_file(SuperResolution().state_dict(), folder / name)
    listed(folder, licence="Apache-2.0")
    found = pinned_file(folder, name)
    assert (
        cascade_adapter.read(found.path, found.sha256).record().parameters["weights_sha256"] == found.sha256
    )
    told = json.loads((folder / "weights.json").read_text())
    assert told == {"licence": "Apache-2.0", "weights": {name: found.sha256}}
    save_file({"first.weight": torch.zeros(1)}, folder / name)
    with pytest.raises(IntegrityError) as changed:
        pinned_file(folder, name)
    assert changed.value.code == "weights.changed"
    with pytest.raises(InputError) as foreign:
        cascade_adapter.read(folder / name, "")
    assert foreign.value.code == "weights.not-safetensors"


def test_a_recipe_names_how_its_picture_is_finished_again() -> None:
    assert finishes.asked_again((finish.record(),)) == {"finish": "lanczos-unsharp-grain-1"}
    learnt = LearnedFinish(network=network(), weights_sha256="")
    assert finishes.asked_again((learnt.record(),)) == {"finish": "super-resolution-1"}
    foreign = StageRecord(name="of a plugin", version="1", parameters={})
    assert finishes.asked_again(()) == finishes.asked_again((foreign,)) == {}
    with pytest.raises(InputError) as unknown:
        finishes.finish_named("super-resolution-0")
    assert unknown.value.code == "request.finish"


@pytest.fixture
def cascade(tiny, learnt: LearnedFinish, monkeypatch: pytest.MonkeyPatch):
    """The tiny model with the learnt finish, as a card would say."""
    monkeypatch.setattr(cascade_adapter, "learned", lambda: learnt)
    defaults = dataclasses.replace(tiny.defaults, finished_size=128, finish=finishes.LEARNED)
    return dataclasses.replace(tiny, defaults=defaults)


def test_a_model_of_two_stages_says_so_and_repeats_exactly(cascade) -> None:
    request = GenerationRequest(prompt="a judge", seeds=(5,), num_inference_steps=2)
    (one,), (again,) = list(cascade.generate(request)), list(cascade.generate(request))
    assert one.frames.pixels.shape == (1, 128, 128, 3)
    assert np.array_equal(one.frames.pixels, again.frames.pixels)
    (stage,) = one.recipe.finish
    assert (stage.name, stage.version) == ("super-resolution", "1")
    assert stage.parameters["weights_sha256"] == "ab" * 32
    assert one.warnings == ()


def test_a_picture_of_old_is_finished_as_it_was(cascade) -> None:
    old = dataclasses.replace(cascade, defaults=dataclasses.replace(cascade.defaults, finish=finishes.PLAIN))
    request = GenerationRequest(prompt="a judge", seeds=(5,), num_inference_steps=2)
    (then,) = old.generate(request)
    again = dataclasses.replace(request, options=finishes.asked_again(then.recipe.finish))
    (now,) = cascade.generate(again)
    assert np.array_equal(then.frames.pixels, now.frames.pixels)
    assert then.recipe == now.recipe


def test_models_that_are_not_enlarged_take_no_finish(tiny) -> None:
    request = GenerationRequest(prompt="a judge", seeds=(5,), options={"finish": finishes.PLAIN})
    with pytest.raises(InputError) as refused:
        list(tiny.generate(request))
    assert refused.value.code == "request.unsupported"


def test_a_mark_in_the_noise_is_looked_for_behind_both_stages(cascade) -> None:
    from generators.inversion import Limits
    from generators.latents_adapter import DiffusersInverter

    (made,) = cascade.generate(GenerationRequest(prompt="a judge", seeds=(5,), num_inference_steps=2))
    info = dataclasses.replace(cascade.info, width=128, height=128)
    inverter = DiffusersInverter(
        generator=dataclasses.replace(cascade, info=info), steps=2, limits=Limits(iterations=2)
    )
    assert inverter.invert(made.frames).values.shape == (4, 16, 16)
