"""Comparing two drawings: digests, distances, and what changed between two recipes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord, StageRecord, WeightFile
from generators.replay import PERCEPTUAL_DB, changes, distance
from generators.starting_points import pixels_digest
from provenance.media import Frames

RECIPE = Recipe(
    model=ModelRecord(
        ref="test:1",
        revision=None,
        pipeline="Test",
        weights=(WeightFile(path="unet/a.safetensors", size=3, sha256="aa" * 32),),
    ),
    seed=1,
    scheduler=SchedulerRecord(name="DDIMScheduler", config={"eta": 0.0, "list": [1, 2]}),
    steps=5,
    guidance_scale=1.5,
    width=8,
    height=8,
    hooks=(),
    finish=(StageRecord(name="grain", version="1", parameters={"b": 1, "a": 2}),),
    options={},
    environment=Environment(
        python="3.11", libraries={"torch": "2.4"}, device="cpu", dtype="float32", threads=1
    ),
    batch_size=4,
    batch_index=2,
)
PIXELS = arrays(np.uint8, (1, 4, 5, 3))


def frames(pixels, **more) -> Frames:
    return Frames(pixels=np.array(pixels), **more)


@given(PIXELS, PIXELS)
def test_digests_are_equal_exactly_where_pixels_are(one, other):
    assert (pixels_digest(frames(one)) == pixels_digest(frames(other))) == bool((one == other).all())


def test_shape_depth_and_transparency_are_part_of_the_digest():
    flat = np.zeros((1, 4, 6, 3), np.uint8)
    others = [
        frames(flat),
        frames(flat.reshape(1, 6, 4, 3)),
        frames(flat.astype(np.uint16)),
        frames(flat[..., :1]),
        frames(flat, alpha=np.zeros((1, 4, 6), np.uint8)),
        frames(flat.reshape(2, 2, 6, 3)),
    ]
    assert len({pixels_digest(one) for one in others}) == len(others)


@given(PIXELS, st.integers(0, 59), st.integers(1, 255))
def test_one_sample_apart(pixels, place, step):
    other = pixels.copy()
    old = int(other.flat[place])
    other.flat[place] = (old + step) % 256
    apart = abs(int(other.flat[place]) - old)
    far = distance(frames(pixels), frames(other))
    assert far.largest == apart
    assert far.psnr == pytest.approx(10 * math.log10(255**2 / (apart**2 / pixels.size)))
    assert far.invisible == (far.psnr >= PERCEPTUAL_DB)


def test_equal_pictures_have_no_psnr_and_other_sizes_no_distance():
    picture = frames(np.zeros((1, 4, 5, 3), np.uint8))
    assert distance(picture, picture).psnr is None
    assert distance(picture, picture).invisible
    assert distance(picture, frames(np.zeros((1, 5, 4, 3), np.uint8))) is None
    assert distance(picture, frames(np.zeros((2, 4, 5, 3), np.uint8))) is None


def test_depth_does_not_count_as_a_difference():
    shallow = np.full((1, 4, 5, 3), 128, np.uint8)
    far = distance(frames(shallow), frames(shallow.astype(np.uint16) * 257))
    assert far.largest == pytest.approx(0, abs=1e-9)


def test_a_recipe_that_was_stored_and_read_has_not_changed():
    again = Recipe.from_json({**RECIPE.to_json()})
    assert changes(RECIPE, again) == ()
    turned = StageRecord(name="grain", version="1", parameters={"a": 2, "b": 1})
    assert changes(RECIPE, dataclasses.replace(RECIPE, finish=(turned,))) == ()


def test_what_changed_is_named_by_its_path():
    environment = dataclasses.replace(RECIPE.environment, threads=2, libraries={"torch": "2.5", "numpy": "2"})
    weights = (WeightFile(path="unet/a.safetensors", size=3, sha256="bb" * 32),)
    now = dataclasses.replace(
        RECIPE,
        environment=environment,
        batch_size=1,
        model=dataclasses.replace(RECIPE.model, weights=weights),
        scheduler=SchedulerRecord(name="DDIMScheduler", config={"eta": 1.0, "list": [1, 3]}),
    )
    found = {change.what: str(change) for change in changes(RECIPE, now)}
    assert found["environment.threads"] == "environment.threads: 1 then, 2 now"
    assert found["environment.libraries.torch"] == "environment.libraries.torch: 2.4 then, 2.5 now"
    assert found["environment.libraries.numpy"] == "environment.libraries.numpy: nothing then, 2 now"
    assert set(found) == {
        "environment.threads",
        "environment.libraries.torch",
        "environment.libraries.numpy",
        "batch_size",
        "model.weights.unet/a.safetensors",
        "scheduler.config.eta",
        "scheduler.config.list",
    }


def test_a_changed_configuration_is_named_and_one_that_is_not_on_record_is_not():
    def with_settings(digit: str) -> Recipe:
        settings = (WeightFile(path="vae/config.json", size=3, sha256=digit * 64),)
        return dataclasses.replace(RECIPE, model=dataclasses.replace(RECIPE.model, settings=settings))

    (change,) = changes(with_settings("a"), with_settings("b"))
    assert (change.what, change.now) == ("model.settings.vae/config.json", "b" * 64)
    assert changes(with_settings("a"), with_settings("a")) == ()
    assert changes(RECIPE, with_settings("a")) == ()
    assert Recipe.from_json(with_settings("a").to_json()) == with_settings("a")
