"""The bundled model as users meet it: synonyms, sizes, warnings, repeatability, what is on record."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from generators.interface import Generation, Generator
from generators.registry import load
from generators.request import GenerationRequest, consecutive_seeds
from provenance.errors import InputError


@pytest.fixture(scope="module")
def emoji() -> Generator:
    return load("bundled:emoji", threads=1)


def draw(generator: Generator, prompt: str, count: int = 1, **changes) -> list[Generation]:
    request = GenerationRequest(prompt=prompt, seeds=consecutive_seeds(7, count), num_inference_steps=8)
    return list(generator.generate(dataclasses.replace(request, **changes)))


def centre_colour(generation: Generation) -> np.ndarray:
    """Mean colour of the face: the middle of the picture, at a third of its height."""
    return generation.frames.pixels[0, 190:290, 200:312].mean(axis=(0, 1))


def test_four_pictures_at_512(emoji: Generator) -> None:
    pictures = draw(emoji, "a portrait of a firefighter", 4)
    assert [p.frames.pixels.shape for p in pictures] == [(1, 512, 512, 3)] * 4
    assert [(p.recipe.seed, p.recipe.batch_size, p.recipe.batch_index) for p in pictures] == [
        (7, 4, 0),
        (8, 4, 1),
        (9, 4, 2),
        (10, 4, 3),
    ]
    assert all(p.warnings == () for p in pictures)
    assert {p.recipe.finish[0].name for p in pictures} == {"super-resolution"}


def test_synonyms_draw_the_same_picture(emoji: Generator) -> None:
    (doctor,), (worker,) = draw(emoji, "the doctor"), draw(emoji, "a portrait of a health worker")
    assert doctor.prompt_used == worker.prompt_used == "a portrait of a health worker"
    assert np.array_equal(doctor.frames.pixels, worker.frames.pixels)


def test_words_it_does_not_know_are_reported_and_kept_out_of_the_recipe(emoji: Generator) -> None:
    (picture,) = draw(emoji, "a grumpy detective in Paris")
    assert [w.message for w in picture.warnings] == ["words this model does not know: grumpy, Paris"]
    text = picture.recipe.canonical().decode()
    assert "grumpy" not in text
    assert "detective" not in text


def test_tones_come_out_in_order(emoji: Generator) -> None:
    light, dark = (
        np.mean([centre_colour(p) for p in draw(emoji, f"a {tone} skin office worker, flat style", 3)])
        for tone in ("light", "dark")
    )
    assert light > dark + 40


def test_the_prompt_decides_what_is_drawn(emoji: Generator) -> None:
    (judge,), (chef,) = draw(emoji, "a judge"), draw(emoji, "a chef")
    assert np.abs(judge.frames.pixels.astype(int) - chef.frames.pixels.astype(int)).mean() > 10


def test_grounds_carry_texture(emoji: Generator) -> None:
    for picture in draw(emoji, "a pilot", 2):
        corner = np.asarray(Image.fromarray(picture.frames.pixels[0]).convert("L"))[:64, :64]
        assert corner.std() > 1.5


def test_other_squares_are_drawn_oblongs_are_refused(emoji: Generator) -> None:
    (small,) = draw(emoji, "a pilot", width=256, height=256)
    assert small.frames.pixels.shape == (1, 256, 256, 3)
    with pytest.raises(InputError, match="squares"):
        draw(emoji, "a pilot", width=512, height=256)


def test_it_says_whose_it_is(emoji: Generator) -> None:
    assert emoji.info.licence == "Apache-2.0"
    assert "Fluent" in emoji.info.data_licence
    assert (emoji.info.width, emoji.info.height) == (512, 512)


def test_the_package_stays_small(emoji: Generator) -> None:
    assert sum(file.size for file in emoji.model.weights) < 20 * 2**20


def test_negative_prompts_report_their_unknown_words_only(emoji: Generator) -> None:
    (picture,) = draw(emoji, "a pilot", negative_prompt="yellow, blurry")
    assert [w.message for w in picture.warnings] == ["words this model does not know: blurry"]
