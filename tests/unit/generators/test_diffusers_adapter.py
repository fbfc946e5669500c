"""The adapter on a real, tiny pipeline: repeatability, recipes, refusals, warnings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from generators.calling_adapter import pictures_of
from generators.interface import Generation, Generator
from generators.recipe import Recipe
from generators.registry import load
from generators.request import GenerationRequest
from provenance.errors import InputError, IntegrityError


def ask(**changes) -> GenerationRequest:
    base = GenerationRequest(prompt="a portrait of a judge", seeds=(7,), num_inference_steps=2)
    return dataclasses.replace(base, **changes)


def one(generator: Generator, **changes) -> Generation:
    (result,) = generator.generate(ask(**changes))
    return result


class Recorder:
    """A step hook that doubles latents at the first step, or only watches."""

    name, version = "recorder", "1"

    def __init__(self, factor: float = 1.0) -> None:
        self.parameters = {"factor": factor}
        self.steps: list[int] = []

    def __call__(self, *, step, timestep, tensors):
        self.steps.append(step)
        return {"latents": tensors["latents"] * self.parameters["factor"]}


def test_same_seed_same_pixels_other_seed_other_pixels(tiny: Generator) -> None:
    first, again, other = one(tiny), one(tiny), one(tiny, seeds=(8,))
    assert np.array_equal(first.frames.pixels, again.frames.pixels)
    assert first.recipe == again.recipe
    assert not np.array_equal(first.frames.pixels, other.frames.pixels)
    assert first.frames.pixels.shape == (1, 32, 32, 3)
    assert first.frames.pixels.dtype == np.uint8


def test_each_seed_is_its_own_picture_whatever_stands_beside_it(tiny: Generator) -> None:
    alone = one(tiny, seeds=(8,))
    _, beside = tiny.generate(ask(seeds=(7, 8)))
    assert np.abs(alone.frames.pixels.astype(int) - beside.frames.pixels.astype(int)).max() <= 1


def test_recipe_records_batch_threads_and_versions(tiny_folder) -> None:
    generator = load(f"dir:{tiny_folder}", threads=1)
    batched = dataclasses.replace(generator, defaults=dataclasses.replace(generator.defaults, batch=2))
    recipes = [result.recipe for result in batched.generate(ask(seeds=(1, 2, 3)))]
    assert [(r.batch_size, r.batch_index, r.seed) for r in recipes] == [(2, 0, 1), (2, 1, 2), (1, 0, 3)]
    environment = recipes[0].environment
    assert environment.threads == 1
    assert environment.dtype == "float32"
    assert {"torch", "diffusers", "transformers", "numpy", "pillow"} == set(environment.libraries)


def test_recipe_holds_neither_prompt_nor_path_and_survives_a_round_trip(tiny: Generator, tiny_folder) -> None:
    recipe = one(tiny, prompt="a portrait of a detective").recipe
    text = recipe.canonical().decode()
    assert "detective" not in text
    assert str(tiny_folder.parent) not in text
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert recipe.scheduler.name == "PNDMScheduler" or recipe.scheduler.config["steps_offset"] == 1
    assert {file.path.split("/")[0] for file in recipe.model.weights} == {"unet", "vae", "text_encoder"}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"options": {"eta": 0.0, "no_such_thing": 1}}, "options.no_such_thing"),
        ({"options": {"generator": 1}}, "options.generator"),
        ({"num_frames": 2}, "num_frames"),
        ({"fps": 8.0}, "num_frames"),
    ],
)
def test_what_cannot_be_honoured_is_refused(tiny: Generator, changes, where) -> None:
    with pytest.raises(InputError) as caught:
        one(tiny, **changes)
    assert (caught.value.code, caught.value.where) == ("request.unsupported", where)


def test_init_picture_is_refused_by_a_text_model(tiny: Generator) -> None:
    with pytest.raises(InputError, match="cannot honour"):
        one(tiny, init=one(tiny).frames)


def test_options_of_the_models_call_are_passed_and_recorded(tiny: Generator) -> None:
    assert one(tiny, options={"eta": 0.5}).recipe.options == {"eta": 0.5}


def test_size_in_blocks_of_eight(tiny: Generator) -> None:
    assert one(tiny, width=40, height=24).frames.pixels.shape == (1, 24, 40, 3)
    with pytest.raises(InputError) as caught:
        one(tiny, width=36)
    assert caught.value.code == "request.size"


def test_unknown_scheduler_lists_the_known_ones(tiny: Generator) -> None:
    with pytest.raises(InputError) as caught:
        one(tiny, scheduler="fastest")
    assert "euler" in (caught.value.hint or "")


def test_chosen_scheduler_is_on_record_and_does_not_stick(tiny: Generator) -> None:
    assert one(tiny, scheduler="euler").recipe.scheduler.name == "EulerDiscreteScheduler"
    assert one(tiny).recipe.scheduler.name == "DDIMScheduler"


def test_long_prompts_are_cut_with_a_warning(tiny: Generator) -> None:
    result = one(tiny, prompt="judge " * 30)
    assert result.prompt_used == " ".join(["judge"] * 14)
    assert [w.code for w in result.warnings] == ["prompt.truncated"]
    assert "16 tokens" in result.warnings[0].message


def test_words_outside_the_tokenizer_are_named(tiny: Generator) -> None:
    (warning,) = one(tiny, prompt="a portrait of a quasar").warnings
    assert warning.code == "prompt.unknown-words"
    assert "quasar" in warning.message


def test_hooks_see_every_step_change_pixels_and_are_recorded(tiny: Generator) -> None:
    watching, doubling = Recorder(), Recorder(factor=2.0)
    (plain,) = tiny.generate(ask())
    (watched,) = tiny.generate(ask(), hooks=(watching,))
    (doubled,) = tiny.generate(ask(), hooks=(doubling,))
    assert watching.steps == [0, 1]
    assert np.array_equal(plain.frames.pixels, watched.frames.pixels)
    assert not np.array_equal(plain.frames.pixels, doubled.frames.pixels)
    assert [(h.name, h.parameters) for h in doubled.recipe.hooks] == [("recorder", {"factor": 2.0})]


def test_numbers_that_are_no_picture_are_refused(tiny: Generator) -> None:
    with pytest.raises(IntegrityError) as caught:
        list(tiny.generate(ask(), hooks=(Recorder(factor=float("nan")),)))
    assert caught.value.code == "generate.not-finite"


def test_what_the_library_refuses_is_one_line(tiny: Generator) -> None:
    with pytest.raises(InputError) as caught:
        one(tiny, options={"clip_skip": [1]})
    assert (caught.value.code, caught.value.where) == ("generate.failed", "options.clip_skip")
    assert "\n" not in caught.value.what


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"clip_skip": 500}, r"the library failed in its midst \(IndexError\)$"),
        ({"timesteps": [1, 2, 3]}, r"scheduler class DDIMScheduler's .* using the correct scheduler\.$"),
    ],
)
def test_what_is_said_of_an_option_holds_nothing_of_python(tiny: Generator, options, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        one(tiny, options=options)
    assert caught.value.where == f"options.{next(iter(options))}"


def test_words_are_not_repeated_by_errors(tiny: Generator) -> None:
    class Refusing:
        unet = tiny.pipeline.unet

        def __call__(self, prompt):
            raise ValueError(f"nothing can be made of {prompt}")

    for given in ("a secret castle", ["a secret castle"]):
        with pytest.raises(InputError) as caught:
            pictures_of(Refusing(), {"prompt": given})
        assert "secret" not in caught.value.what
    with pytest.raises(InputError, match=r"nothing can be made of 5$"):
        pictures_of(Refusing(), {"prompt": 5})


def test_info_says_what_is_known(tiny: Generator) -> None:
    assert isinstance(tiny, Generator)
    assert tiny.info.id == "dir:tiny"
    assert (tiny.info.width, tiny.info.height, tiny.info.licence) == (32, 32, "unknown")
    assert {"text", "step_hooks", "guidance"} <= set(tiny.info.capabilities)
    assert len(tiny.info.weights_sha256) == 64
