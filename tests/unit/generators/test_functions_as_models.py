"""Functions that return pictures: what counts as a picture, what they are given, what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

import guard
from generators.function import FunctionGenerator
from generators.interface import Generator, GeneratorInfo
from generators.pictures import pictures_from
from generators.request import GenerationRequest
from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.media import Frames

INFO = GeneratorInfo(
    id="wrapped:test",
    name="test",
    kind="image",
    width=8,
    height=8,
    licence="unknown",
    data_licence="unknown",
    weights_sha256="",
    capabilities=("text",),
)
GROUND = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


def made(function, **asked):
    asked = {"prompt": "a ground", "seeds": (1, 2), "model": "wrapped:test", **asked}
    return list(FunctionGenerator(info=INFO, function=function).generate(GenerationRequest(**asked)))


@pytest.mark.parametrize(
    "picture",
    [
        GROUND,
        Image.fromarray(GROUND),
        GROUND.astype(np.float32) / 255,
        [GROUND],
        (Image.fromarray(GROUND),),
        GROUND[None],
        type("Output", (), {"images": [Image.fromarray(GROUND)]})(),
    ],
    ids=["array", "image", "floats", "list", "tuple", "batch", "output"],
)
def test_one_picture_in_many_forms(picture):
    (frames,) = pictures_from(picture)
    assert np.array_equal(frames.pixels[0], GROUND)


def test_grey_deep_and_transparent_pictures_keep_what_they_have():
    grey, deep = GROUND[..., 0], GROUND[..., 0].astype(np.uint16) * 257
    assert pictures_from(grey)[0].is_gray
    assert pictures_from(Image.fromarray(grey))[0].is_gray
    assert pictures_from(deep)[0].depth == 16
    seen = np.dstack([GROUND, grey])
    for picture in (seen, Image.fromarray(seen)):
        (frames,) = pictures_from(picture)
        assert np.array_equal(frames.alpha[0], grey)
        assert frames.pixels.shape == (1, 6, 8, 3)
    palette = Image.fromarray(GROUND).convert("P")
    assert pictures_from(palette)[0].pixels.shape == (1, 6, 8, 3)


def test_the_callers_array_stays_its_own():
    mine = GROUND.copy()
    (frames,) = pictures_from(mine)
    mine[:] = 0
    assert np.array_equal(frames.pixels[0], GROUND)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "picture.png",
        7,
        GROUND.astype(np.int32),
        GROUND * 1.0,
        np.zeros((3, 2)),
        np.zeros((0, 4, 3)),
    ],
    ids=["none", "empty", "path", "number", "integers", "0 to 255 as floats", "fine", "no rows"],
)
def test_what_is_no_picture_is_refused(value):
    if isinstance(value, np.ndarray) and value.shape == (3, 2):
        assert pictures_from(value)[0].pixels.shape == (1, 3, 2, 1)
        return
    with pytest.raises(InputError) as caught:
        pictures_from(value)
    assert caught.value.code == "wrap.no-picture"


def test_pictures_whose_file_is_damaged_or_gone_are_no_pictures(tmp_path):
    file = tmp_path / "half.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[:4000])
    with Image.open(file) as half, pytest.raises(InputError) as caught:
        pictures_from(half)
    assert caught.value.code == "wrap.no-picture"


def test_deep_pillow_modes_are_read_as_arrays_are_and_never_cut_off():
    bright = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    (frames,) = pictures_from(Image.fromarray(bright))
    assert frames.pixels[0, :, :, 0].tolist() == np.rint(bright * 255).astype(int).tolist()
    with pytest.raises(InputError) as caught:
        pictures_from(Image.fromarray((bright * 65535).astype(np.int32)))
    assert caught.value.code == "wrap.no-picture"


def test_numbers_that_are_none_are_no_picture():
    with pytest.raises(IntegrityError) as caught:
        pictures_from(np.full((4, 4, 3), np.nan))
    assert caught.value.code == "generate.not-finite"


def test_a_function_is_given_what_it_has_parameters_for():
    calls = []

    def draw(prompt, seed, width=4, *, guidance_scale=1.0):
        calls.append((prompt, seed, width, guidance_scale))
        return GROUND

    assert isinstance(FunctionGenerator(info=INFO, function=draw), Generator)
    first, second = made(draw, width=8, guidance_scale=3.0)
    assert calls == [("a ground", 1, 8, 3.0), ("a ground", 2, 8, 3.0)]
    assert (first.recipe.seed, second.recipe.seed) == (1, 2)
    assert first.recipe.model.ref == "wrapped:test"
    assert first.warnings == ()
    with pytest.raises(InputError) as caught:
        made(draw, num_inference_steps=5)
    assert (caught.value.code, caught.value.where) == ("request.unsupported", "num_inference_steps")


def test_a_function_of_any_arguments_is_given_all():
    seen = {}

    def draw(prompt, **given):
        seen.update(given)
        return GROUND

    made(draw, seeds=(5,), options={"style": "flat"}, init=Frames(pixels=GROUND[None].copy()))
    assert (seen["seed"], seen["style"], seen["init"].width) == (5, "flat", 8)


@pytest.mark.parametrize("name", ["prompt", "seed", "width", "negative_prompt", "scheduler"])
def test_an_option_takes_the_place_of_no_field(name):
    with pytest.raises(InputError) as caught:
        made(lambda prompt, **given: GROUND, options={name: 8})
    assert (caught.value.code, caught.value.where) == ("request.option", name)


def clip(function, **asked):
    video = FunctionGenerator(info=replace(INFO, kind="video"), function=function)
    return list(video.generate(GenerationRequest(prompt="a ground", seeds=(1,), **asked)))


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 0, -1, 241, "8"])
def test_a_rate_that_nobody_may_ask_for_is_none(rate):
    with pytest.raises(InputError) as caught:
        clip(lambda prompt, fps=rate: [GROUND, GROUND])
    assert caught.value.code == "video.no-rate"


def test_a_function_keeps_to_the_size_it_was_given():
    (one,) = made(lambda prompt, width: GROUND, seeds=(1,), width=8)
    assert one.frames.width == 8
    with pytest.raises(InputError) as caught:
        made(lambda prompt, width: GROUND, width=16)
    assert (caught.value.code, caught.value.where) == ("request.size", "width")
    assert len(clip(lambda prompt, num_frames: [GROUND] * 3, num_frames=3, fps=8)) == 1
    with pytest.raises(InputError) as caught:
        clip(lambda prompt, num_frames: [GROUND] * 2, num_frames=3, fps=8)
    assert (caught.value.code, caught.value.where) == ("request.size", "num_frames")


def test_a_function_without_a_seed_is_told_on():
    (one,) = made(lambda prompt: GROUND, seeds=(9,))
    assert [warned.code for warned in one.warnings] == ["generate.no-seed"]


def test_several_pictures_of_one_call_are_a_batch():
    found = made(lambda prompt, seed: [GROUND, GROUND + np.uint8(seed)])
    places = [(one.recipe.seed, one.recipe.batch_index, one.recipe.batch_size) for one in found]
    assert places == [(1, 0, 2), (1, 1, 2), (2, 0, 2), (2, 1, 2)]


def test_what_a_function_raises_is_one_line_without_the_prompt():
    def fails(prompt):
        raise RuntimeError(f"no server draws {prompt}\x1b[31m\nmore")

    with pytest.raises(InputError, match=r"its function raised RuntimeError$") as caught:
        made(fails, prompt="a secret castle")
    assert caught.value.code == "generate.failed"
    assert "secret" in str(caught.value.__cause__)
    assert "secret" not in f"{caught.value} {caught.value.where} {caught.value.hint}"

    def greedy(prompt):
        raise MemoryError

    with pytest.raises(ConfigurationError) as caught:
        made(greedy)
    assert caught.value.code == "generate.out-of-memory"


def test_what_has_to_be_waited_for_is_no_function_that_draws():
    async def draw(prompt):
        return GROUND

    async def draw_some(prompt):
        yield GROUND

    class Drawing:
        async def __call__(self, prompt):
            return GROUND

    for one in (draw, draw_some, partial(draw), Drawing()):
        with pytest.raises(InputError, match="async def") as caught:
            guard.wrap(one, name="later")
        assert caught.value.code == "wrap.unsupported"
    with pytest.raises(InputError, match="async def"):  # and no warning that nobody awaited it
        made(draw)


def test_hooks_and_latent_marks_are_refused():
    request = GenerationRequest(prompt="x", seeds=(1,))
    with pytest.raises(InputError) as caught:
        list(
            FunctionGenerator(info=INFO, function=lambda prompt: GROUND).generate(
                request, latents=lambda n: n
            )
        )
    assert caught.value.where == "latents"


@pytest.mark.parametrize("value", [object(), float("nan"), [float("inf")], {"a": {1}}, 2**60, b"x"])
def test_an_option_that_no_recipe_can_hold_is_refused_by_name(value):
    with pytest.raises(InputError) as refused:
        made(lambda prompt, style: GROUND, options={"style": value})
    assert (refused.value.code, refused.value.where) == ("request.option", "style")
    with pytest.raises(InputError) as no_mapping:
        made(lambda prompt: GROUND, options=[value])
    assert no_mapping.value.code == "request.option"


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_an_option_that_is_not_finite_is_called_so(value):
    with pytest.raises(InputError, match=r"^the option is not a finite number$"):
        made(lambda prompt, style: GROUND, options={"style": value})


@pytest.mark.parametrize("width", ["wide", object(), float("nan"), True, 512.5, 10**400])
def test_a_number_that_is_none_is_refused(width):
    with pytest.raises(InputError) as refused:
        made(lambda prompt, width: GROUND, width=width)
    assert refused.value.code == "request.out-of-range"


def test_a_failure_that_cannot_even_be_read_is_still_one_line():
    class Unreadable(Exception):
        def __str__(self):
            raise RuntimeError

    def fails(prompt):
        raise Unreadable

    with pytest.raises(InputError) as refused:
        made(fails)
    assert refused.value.code == "generate.failed"
    assert "Unreadable" in refused.value.what
