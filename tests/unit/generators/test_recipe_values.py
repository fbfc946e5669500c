"""Requests, recipes and the finish as values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import finish
from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord, StageRecord, WeightFile
from generators.request import MAX_SEED, GenerationRequest, consecutive_seeds
from provenance.canonical import canonical_bytes
from provenance.errors import InputError, IntegrityError


def recipe(seed: int = 1, **config) -> Recipe:
    return Recipe(
        model=ModelRecord(
            ref="bundled:emoji",
            revision=None,
            pipeline="StableDiffusionPipeline",
            weights=(WeightFile(path="unet/a.safetensors", size=8, sha256="0" * 64),),
        ),
        seed=seed,
        scheduler=SchedulerRecord(name="DDIMScheduler", config=config),
        steps=20,
        guidance_scale=2.5,
        width=512,
        height=512,
        hooks=(StageRecord(name="h", version="1", parameters={"b": 1, "a": [1, None]}),),
        finish=(finish.record(),),
        options={},
        environment=Environment(
            python="3.11", libraries={"torch": "2"}, device="cpu", dtype="float32", threads=1
        ),
        batch_size=4,
        batch_index=3,
    )


@given(st.integers(0, MAX_SEED), st.dictionaries(st.text(), st.none() | st.booleans() | st.floats(0, 1)))
def test_recipes_survive_canonical_json(seed: int, config: dict) -> None:
    import json

    before = recipe(seed, **config) if all(k.isidentifier() for k in config) else recipe(seed)
    after = Recipe.from_json(json.loads(before.canonical()))
    assert after == before
    assert after.digest == before.digest
    assert canonical_bytes(json.loads(before.canonical())) == before.canonical()


def test_every_part_of_a_recipe_is_in_its_digest() -> None:
    assert len({recipe().digest, recipe(seed=2).digest, recipe(eta=0.0).digest}) == 3


@pytest.mark.parametrize(
    "change", [{"schema_version": 2}, {"seed_2": 1}, {"model": {}}, {"hooks": 3}, {"finish": [1]}]
)
def test_malformed_recipes_are_one_error(change: dict) -> None:
    with pytest.raises(IntegrityError) as caught:
        Recipe.from_json({**recipe().to_json(), **change})
    assert caught.value.code == "recipe.malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": ()},
        {"seeds": (-1,)},
        {"seeds": (2**53,)},
        {"seeds": tuple(range(1001))},
        {"width": 0},
        {"height": 100_000},
        {"num_inference_steps": 0},
        {"guidance_scale": float("nan")},
        {"num_frames": 0},
    ],
)
def test_requests_out_of_range(change: dict) -> None:
    with pytest.raises(InputError) as caught:
        GenerationRequest(**{"prompt": "x", "seeds": (1,), **change})
    assert caught.value.code == "request.out-of-range"


def test_consecutive_seeds() -> None:
    assert consecutive_seeds(7, 4) == (7, 8, 9, 10)


def test_the_finish_is_a_function_of_pixels_and_seed() -> None:
    small = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    first = finish.enlarge(small, width=128, height=128, seed=5)
    assert first.shape == (128, 128, 3)
    assert np.array_equal(first, finish.enlarge(small, width=128, height=128, seed=5))
    assert not np.array_equal(first, finish.enlarge(small, width=128, height=128, seed=6))


def test_a_flat_ground_gets_texture_a_mark_can_hide_in() -> None:
    flat = np.full((32, 32, 3), 128, np.uint8)
    deviation = finish.enlarge(flat, width=128, height=128, seed=1)[..., 0].std()
    assert 2 < deviation < 5
