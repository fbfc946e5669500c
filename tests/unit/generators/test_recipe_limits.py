"""What an edited recipe may not bring to a library: numbers that no run has, and things that are none."""

from __future__ import annotations

import dataclasses

import pytest

from generators.recipe import AdapterRecord, Environment, ModelRecord, Recipe, SchedulerRecord, StageRecord
from generators.recipe_limits import plausible

ENVIRONMENT = Environment(python="3", libraries={}, device="cpu", dtype="float32", threads=2)
RECIPE = Recipe(
    model=ModelRecord(ref="bundled:emoji", revision=None, pipeline="P", weights=()),
    seed=7,
    scheduler=SchedulerRecord(name="DDIMScheduler", config={}),
    steps=20,
    guidance_scale=2.5,
    width=512,
    height=512,
    hooks=(),
    finish=(),
    options={},
    environment=ENVIRONMENT,
    batch_size=4,
    batch_index=3,
)
NO_COUNT = (-1, "x", True, 2.0, None, float("nan"), 2**70)
NO_MEASURE = ("x", True, float("nan"), float("inf"), [1], 10**400)


def test_what_runs_write_is_plausible() -> None:
    for change in ({}, {"steps": 0}, {"guidance_scale": 0}, {"frames": 16, "fps": 8.0}):
        assert plausible(dataclasses.replace(RECIPE, **change))


@pytest.mark.parametrize("name", ["seed", "steps", "width", "height", "frames", "batch_size", "batch_index"])
def test_counts_are_whole_and_in_range(name: str) -> None:
    assert not any(plausible(dataclasses.replace(RECIPE, **{name: value})) for value in NO_COUNT)


@pytest.mark.parametrize("threads", [*NO_COUNT, 0, 4097])
def test_threads_are_as_many_as_a_machine_has(threads) -> None:
    environment = dataclasses.replace(ENVIRONMENT, threads=threads)
    assert not plausible(dataclasses.replace(RECIPE, environment=environment))


@pytest.mark.parametrize("value", NO_MEASURE)
def test_measures_are_finite_numbers(value) -> None:
    adapter = AdapterRecord(method="lora", sha256="0" * 64, scale=value, training_sha256=None)
    for change in ({"guidance_scale": value}, {"fps": value}, {"adapters": (adapter,)}):
        assert not plausible(dataclasses.replace(RECIPE, **change))


def test_names_are_texts_and_mappings_are_mappings() -> None:
    stages = [
        StageRecord(name=5, version="1", parameters={}),
        StageRecord(name="x", version="1", parameters=[]),
    ]
    for change in ({"options": [1]}, *({part: (one,)} for part in ("hooks", "finish") for one in stages)):
        assert not plausible(dataclasses.replace(RECIPE, **change))
