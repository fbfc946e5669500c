"""``guard.wrap``: the guide runs as it is written, and nothing leaves but what was released."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import guard
from generators.registry import load
from generators.replay import Likeness
from guard.drawing import Drawing
from guard.errors import Denied
from provenance.errors import InputError

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guide/wrap.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def pipe():
    """A diffusers pipeline as a program holds it."""
    return load("bundled:emoji", threads=1).pipeline


@pytest.fixture
def my_api(photograph):
    return lambda prompt, *, seed, width: Image.fromarray(np.roll(photograph, seed, axis=0)[:width, :width])


@pytest.fixture
def film(photograph):
    return lambda prompt, seed, num_frames: np.stack(
        [photograph[at:][:256, :256] for at in range(num_frames)]
    )


def test_every_block_of_the_guide_runs(home, pipe, my_api, film, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"pipe": pipe, "my_api": my_api, "film": film}
    for block in PYTHON:
        exec(block, names)
    (picture,) = names["released"]
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 4
    assert picture.path.resolve() in files
    assert capsys.readouterr().out.count("allow") == 2
    for file in files:
        assert guard.verify_file(file).state is guard.State.DEVELOPMENT


@pytest.mark.parametrize(
    "asked",
    [
        {"options": {"style": "a naked child"}},
        {"options": {"style": [1, {"says": {"more": "a naked child"}}]}},
        {"options": {"a naked child": 1}},
        {"options": {"style": "naked"}, "prompt": "a child"},
        {"scheduler": "a naked child"},
    ],
    ids=str,
)
def test_no_text_reaches_a_function_that_nobody_reviewed(home, tmp_path, asked):
    told = []
    pictures = guard.wrap(lambda prompt, **given: told.append(given))
    with pytest.raises(Denied):
        pictures.generate(**{"prompt": "a red cat", "output": tmp_path / "out", **asked})
    assert told == []


def test_other_texts_reach_a_function(home, photograph, tmp_path):
    told = []

    def draw(prompt, style, scheduler):
        told.append((style, scheduler))
        return photograph

    guard.wrap(draw).generate("a cat", output=tmp_path, options={"style": "flat"}, scheduler="DPM++")
    assert told == [("flat", "DPM++")]


def test_a_held_pipeline_is_named_by_its_tensors_and_drawn_again(home, pipe, tmp_path):
    pictures = guard.wrap(pipe, name="Held", licence="MIT")
    assert pictures.info.weights_sha256
    (one,) = pictures("a judge", output=tmp_path / "new" / "out", seed=3, num_inference_steps=2)
    origin = one.signed.marked.checked.draft.origin
    assert (origin.weights_digest, origin.licence) == (pictures.info.weights_sha256, "MIT")
    assert origin.data_licence is None
    done = pictures.replay(one.path)
    assert done.likeness is Likeness.EXACT
    assert done.model == "wrapped:Held"


def test_weights_that_changed_since_are_not_named_in_a_manifest(home, tmp_path):
    import torch

    pipeline = load("bundled:emoji", threads=1).pipeline
    pictures, asked = guard.wrap(pipeline), {"output": tmp_path / "out", "num_inference_steps": 1}
    (released,) = pictures.generate("a judge", **asked)
    weight = next(pipeline.unet.parameters())
    with torch.no_grad():
        weight.mul_(2)
    for use in (lambda: pictures.generate("a judge", **asked), lambda: pictures.replay(released.path)):
        with pytest.raises(InputError) as caught:
            use()
        assert caught.value.code == "wrap.changed"
    with torch.no_grad():
        weight.div_(2)  # bit for bit as before
    assert pictures.replay(released.path).likeness is Likeness.EXACT


def test_a_function_is_released_as_everything_is(home, photograph, tmp_path):
    def draw(prompt, seed):
        return np.roll(photograph, seed, axis=1)

    pictures = guard.wrap(draw)
    first, second = pictures.generate("a zebra-striped keeper", output=tmp_path / "out", n=2, seed=5)
    for one in (first, second):
        assert one.signed.marked.mark.psnr >= 40
        assert one.signed.marked.checked.draft.origin.model_name == "draw"
        assert b"zebra" not in one.path.read_bytes()
    (found,) = home.records().of_asset(first.signed.asset.sha256)
    drawing = Drawing.read(home.records().read(found).drawing)
    assert (drawing.prompt, drawing.seeds) == ("a zebra-striped keeper", (5,))
    assert pictures.replay(second.path).likeness is Likeness.EXACT


def test_what_policy_refuses_is_not_drawn(home, tmp_path):
    def draw(prompt):
        raise AssertionError("it was called")

    with pytest.raises(guard.Denied):
        guard.wrap(draw).generate("nude photo of a 12 year old girl", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_pack_may_require_a_licence_and_wrap_may_say_it(home, photograph, tmp_path):
    def draw(prompt, seed):
        return photograph

    with pytest.raises(guard.Denied, match="licence"):
        guard.wrap(draw, policy="default,licensed").generate("a judge", output=tmp_path / "out")
    known = guard.wrap(draw, licence="MIT", data_licence="CC0-1.0", policy="default,licensed")
    (one,) = known.generate("a judge", output=tmp_path / "out")
    assert one.path.exists()


def test_pictures_it_started_from_are_needed_again(home, photograph, tmp_path):
    def edit(prompt, seed, init):
        return 255 - init.pixels[0]

    pictures = guard.wrap(edit)
    (one,) = pictures.generate("a judge", output=tmp_path / "out", init=photograph, seed=1)
    assert pictures.replay(one.path, init=Image.fromarray(photograph)).likeness is Likeness.EXACT
    for other in ({}, {"init": photograph[::-1]}):
        with pytest.raises(InputError) as caught:
            pictures.replay(one.path, **other)
        assert caught.value.code == "replay.inputs"


def test_a_failure_leaves_nothing_and_finished_pictures_stay(home, photograph, tmp_path):
    def draw(prompt, seed):
        if seed > 1:
            raise RuntimeError("the server is busy")
        return photograph

    pictures, kept = guard.wrap(draw), []
    with pytest.raises(InputError, match="the server is busy"):
        kept.extend(pictures.each("a judge", output=tmp_path / "out", n=3, seed=1))
    assert [one.path for one in kept] == list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("source", [7, "model.safetensors", None])
def test_what_is_no_model_is_refused(home, source):
    with pytest.raises(InputError) as caught:
        guard.wrap(source)
    assert caught.value.code == "wrap.unsupported"


@pytest.mark.parametrize("name", ["a\nb", "   ", "n" * 101, 5])
def test_a_name_that_cannot_stand_in_a_manifest_is_refused(home, name):
    with pytest.raises(InputError) as caught:
        guard.wrap(lambda prompt: None, name=name)
    assert (caught.value.code, caught.value.where) == ("model.bad-name", "name")


@pytest.mark.parametrize("said", [{"name": "Other"}, {"licence": "MIT"}, {"data_licence": "MIT"}])
def test_what_a_generator_says_itself_is_not_said_otherwise(home, said):
    with pytest.raises(InputError) as caught:
        guard.wrap(load("bundled:emoji"), **said)
    assert caught.value.code == "wrap.unsupported"


@pytest.mark.parametrize("given", [{"home": "/path"}, {"policy": 5}, {"policy": ["default"]}])
def test_arguments_of_another_kind_are_named(home, given):
    with pytest.raises(InputError) as caught:
        guard.wrap(lambda prompt: None, **given)
    assert (caught.value.code, caught.value.where) == ("request.argument", *given)


@pytest.mark.parametrize("kind", ["audio", "images", 3])
def test_a_kind_that_is_not_released_is_refused_of_functions_and_pipelines(home, pipe, kind):
    for source in (lambda prompt: None, pipe):
        with pytest.raises(InputError) as caught:
            guard.wrap(source, kind=kind)
        assert (caught.value.code, caught.value.where) == ("wrap.unsupported", "kind")


@pytest.mark.parametrize("field", ["licence", "data_licence"])
@pytest.mark.parametrize("said", ["a\nb", "MIT\x1b[31m", "x" * 501, 5])
def test_a_licence_that_cannot_stand_in_a_manifest_is_refused(home, field, said):
    with pytest.raises(InputError) as caught:
        guard.wrap(lambda prompt: None, **{field: said})
    assert (caught.value.code, caught.value.where) == ("model.bad-licence", field)


def test_the_model_is_not_among_its_public_names(home):
    wrapped = guard.wrap(lambda prompt: None)
    public = {name for name in dir(wrapped) if not name.startswith("_")}
    assert public == {"info", "generate", "each", "replay"}
    assert "lambda" in repr(wrapped)
    assert "function" not in repr(wrapped)


@pytest.mark.parametrize(
    ("asked", "code", "where"),
    [
        ({"prompt": 5}, "request.argument", "prompt"),
        ({"prompt": None}, "request.argument", "prompt"),
        ({"negative_prompt": 5}, "request.argument", "negative_prompt"),
        ({"seed": "x"}, "request.argument", "seed"),
        ({"fast": 5}, "request.argument", "fast"),
        ({"fast": "int8"}, "request.argument", "fast"),
        ({"fast": ([],)}, "request.argument", "fast"),
        ({"scheduler": [1]}, "request.argument", "scheduler"),
        ({"n": 1.5}, "request.argument", "n"),
        ({"n": True}, "request.argument", "n"),
        ({"publish_prompt": 1}, "request.argument", "publish_prompt"),
        ({"publish_prompt": None}, "request.argument", "publish_prompt"),
        ({"latent_mark": "yes"}, "request.argument", "latent_mark"),
        ({"colour": "red"}, "request.argument", "colour"),
        ({"seeds": (1, 2)}, "request.argument", "seeds"),
        ({"output": None}, "output.folder", "output"),
        ({"n": -1}, "request.out-of-range", "seeds"),
        ({"n": 10**12}, "request.out-of-range", "seeds"),
    ],
)
def test_an_argument_of_another_kind_is_named_and_leaves_nothing(home, tmp_path, asked, code, where):
    given = {"prompt": "a judge", "output": tmp_path / "new" / "out", **asked}
    with pytest.raises(InputError) as caught:
        guard.wrap(lambda prompt: None).generate(given.pop("prompt"), **given)
    assert (caught.value.code, caught.value.where) == (code, where)
    if where == "seeds" and "n" in asked:
        assert caught.value.what == f"{asked['n']} pictures asked for; 1 to 1000 are possible"
    assert not (tmp_path / "new").exists()


def test_a_call_that_fails_leaves_no_folder(home, tmp_path):
    def draw(prompt):
        raise RuntimeError("the server is busy")

    (tmp_path / "there").mkdir()
    for output in (tmp_path / "new" / "out", tmp_path / "there"):
        with pytest.raises(InputError, match="busy"):
            guard.wrap(draw).generate("a judge", output=output)
    assert [path.name for path in tmp_path.iterdir() if path.name in ("new", "there")] == ["there"]
