"""Models of other packages: a real distribution on the path, and what goes wrong in one."""

from __future__ import annotations

import sys
import textwrap

import pytest

from generators.plugins import PluginModel, plugins
from generators.registry import available, load
from generators.request import GenerationRequest
from provenance.errors import ConfigurationError, InputError

CODE = """
import numpy as np
from generators.interface import Generation, GeneratorInfo
from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord
from provenance.media import Frames

INFO = GeneratorInfo(
    id="whatever", name="Plain grounds", kind="image", width=16, height=16, licence="MIT",
    data_licence="CC0-1.0", weights_sha256="0" * 64, capabilities=("text",),
)

class Grounds:
    info = INFO

    def __init__(self, threads):
        self.threads = threads

    def generate(self, request, hooks=(), *, latents=None):
        for index, seed in enumerate(request.seeds):
            if request.prompt == "break":
                raise ZeroDivisionError("inside the package\\nmore")
            if request.prompt.startswith("a castle"):
                raise ValueError(f"cannot draw {request.prompt}")
            if request.prompt == "lie":
                yield "a picture"
            if request.prompt == "less" and index:
                return
            pixels = np.full((1, 16, 16, 3), seed % 256, np.uint8)
            recipe = Recipe(
                model=ModelRecord(ref=INFO.id, revision=None, pipeline="Grounds", weights=()),
                seed=seed, scheduler=SchedulerRecord(name="none", config={}), steps=1, guidance_scale=1.0,
                width=16, height=16, hooks=(), finish=(), options={},
                environment=Environment(python="3", libraries={}, device="cpu", dtype="uint8", threads=1),
                batch_size=1, batch_index=0,
            )
            yield Generation(frames=Frames(pixels=pixels), recipe=recipe, prompt_used=request.prompt)

def load(*, threads, online):
    return Grounds(threads)

def fails(*, threads, online):
    raise KeyError("weights")

def no_generator(*, threads, online):
    return 7
"""
ENTRIES = """
[mediaguard.generators]
grounds = grounds_model:load
fails = grounds_model:fails
seven = grounds_model:no_generator
gone = grounds_model:absent
nowhere = no_such_module_anywhere:load
"""


def install(folder, name="grounds-model", module="grounds_model", entries=ENTRIES):
    (folder / f"{module}.py").write_text(textwrap.dedent(CODE))
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(entries)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with models, as pip leaves it."""
    install(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("grounds_model", None)


def ask(prompt="a ground", seeds=(3, 4)) -> GenerationRequest:
    return GenerationRequest(prompt=prompt, seeds=seeds, model="plugin:grounds")


def test_a_package_offers_a_model_and_nothing_of_it_is_imported_to_list_it(installed):
    assert PluginModel(ref="plugin:grounds", distribution="grounds-model 1.2") in plugins()
    assert "plugin:grounds (grounds-model 1.2)" in available()
    assert "grounds_model" not in sys.modules


def test_its_model_draws_under_the_reference_it_was_asked_for_by(installed):
    generator = load("plugin:grounds", threads=1)
    assert generator.info.id == "plugin:grounds"
    assert generator.info.data_licence == "CC0-1.0"
    made = list(generator.generate(ask()))
    assert [int(one.frames.pixels[0, 0, 0, 0]) for one in made] == [3, 4]


@pytest.mark.parametrize("name", ["fails", "gone", "nowhere"])
def test_what_its_loader_raises_is_one_error_that_names_the_package(installed, name):
    with pytest.raises(ConfigurationError) as caught:
        load(f"plugin:{name}")
    assert (caught.value.code, caught.value.where) == ("plugin.failed", "grounds-model 1.2")
    assert "\n" not in caught.value.what


def test_what_it_raises_while_drawing_is_the_same_error(installed):
    with pytest.raises(ConfigurationError, match=r"ZeroDivisionError: inside the package$") as caught:
        list(load("plugin:grounds").generate(ask("break")))
    assert caught.value.code == "plugin.failed"


def test_an_error_that_repeats_the_prompt_is_not_quoted(installed):
    with pytest.raises(ConfigurationError, match=r"ValueError$") as caught:
        list(load("plugin:grounds").generate(ask("a castle of glass")))
    assert "castle" in str(caught.value.__cause__)


@pytest.mark.parametrize("prompt", ["lie", "less"])
def test_what_keeps_no_promise_of_a_generator_is_refused(installed, prompt):
    with pytest.raises(ConfigurationError) as caught:
        list(load("plugin:grounds").generate(ask(prompt)))
    assert caught.value.code == "plugin.not-a-generator"


def test_a_loader_that_returns_no_generator_is_refused(installed):
    with pytest.raises(ConfigurationError, match="int") as caught:
        load("plugin:seven")
    assert caught.value.code == "plugin.not-a-generator"


def test_a_name_that_two_packages_use_is_nobodys(installed, tmp_path):
    entries = "[mediaguard.generators]\ngrounds = other_grounds:load\n"
    install(tmp_path, name="other-grounds", module="other_grounds", entries=entries)
    with pytest.raises(ConfigurationError, match=r"grounds-model 1\.2, other-grounds 1\.2") as caught:
        load("plugin:grounds")
    assert caught.value.code == "plugin.ambiguous"


def test_a_name_nobody_offers(installed):
    with pytest.raises(InputError, match="no installed package") as caught:
        load("plugin:absent")
    assert "plugin:grounds" in caught.value.hint
