"""A folder that a reference model left, as a generator: the same pixels again, and nothing else accepted."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from generators import finish_whole
from generators.recipe import Recipe
from generators.reference import MODELS, ddpm, gpnn, nca, realnvp
from generators.reference.outputs import SampleRequest
from generators.reference_files import Settings, checked, kind_of
from generators.registry import load
from generators.request import AdapterRef, GenerationRequest
from provenance.errors import Error, InputError, IntegrityError
from provenance.media import Frames

PATCHES = dataclasses.asdict(gpnn.Settings(patch=5, coarsest=7, rounds=1))
SETTINGS = {
    "ddpm": Settings(kind="ddpm", shape=(1, 8, 8), depth=17, classes=("cat", "Dog"), steps=3, scale=2.0),
    "vae": Settings(kind="vae", shape=(3, 6, 6), licence="MIT"),
    "realnvp": Settings(kind="realnvp", shape=(1, 4, 4), depth=17, data_licence="CC-BY-4.0"),
    "nca": Settings(kind="nca", shape=(4, 9, 12), steps=6),
    "gpnn": Settings(kind="gpnn", shape=(3, 14, 10), patches=PATCHES),
}
KINDS = sorted(SETTINGS)


def left_by(settings: Settings, folder: Path) -> Path:
    """What a run leaves, weights at random."""
    torch.manual_seed(0)
    network = import_module(MODELS[settings.kind]).blank(settings)
    rng = torch.Generator().manual_seed(1)
    tensors = {}
    for name, value in network.state_dict().items():
        whole = value.dtype == torch.uint8
        noise = torch.rand(value.shape, generator=rng)
        tensors[name] = (255 * noise).byte() if whole else value + 0.2 * (noise - 0.5)
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(settings.to_json()))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("reference")
    return {kind: left_by(settings, root / kind) for kind, settings in SETTINGS.items()}


@pytest.fixture
def folder(tmp_path) -> Path:
    """One to damage."""
    return left_by(SETTINGS["vae"], tmp_path / "vae")


def asked(kind: str, *seeds: int, **how) -> GenerationRequest:
    return GenerationRequest(**{"prompt": "cat" if kind == "ddpm" else "", "seeds": seeds or (5,), **how})


def refused(reference: Path) -> Error:
    with pytest.raises(InputError) as caught:
        load(f"dir:{reference}", threads=1)
    assert "\n" not in caught.value.what
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_pixels_whatever_is_drawn_beside_it(kind: str, folders) -> None:
    generator = load(f"dir:{folders[kind]}", threads=1)
    before = torch.random.get_rng_state()
    three = list(generator.generate(asked(kind, 4, 5, 6)))
    (alone,) = load(f"dir:{folders[kind]}", threads=1).generate(asked(kind, 5))
    assert torch.equal(torch.random.get_rng_state(), before), "nobody else's random stream is touched"
    assert np.array_equal(three[1].frames.pixels, alone.frames.pixels)
    assert not np.array_equal(three[0].frames.pixels, alone.frames.pixels)
    assert three[1].recipe == alone.recipe


@pytest.mark.parametrize("kind", KINDS)
def test_the_recipe_says_all_that_decides_the_pixels(kind: str, folders) -> None:
    generator, settings = load(f"dir:{folders[kind]}", threads=1), SETTINGS[kind]
    (made,) = generator.generate(asked(kind, 9))
    recipe, info = made.recipe, generator.info
    assert Recipe.from_json(json.loads(recipe.canonical())) == recipe
    assert (info.id, info.kind, recipe.model.ref) == (f"dir:{kind}", "image", f"dir:{kind}")
    assert (info.licence, info.data_licence) == (settings.licence, settings.data_licence)
    assert [file.path for file in recipe.model.weights] == ["config.json", "model.safetensors"]
    assert (recipe.seed, recipe.batch_size, recipe.environment.threads) == (9, 1, 1)
    assert recipe.steps == {"ddpm": 3, "nca": 6}.get(kind, 1)
    assert recipe.guidance_scale == (3 if kind == "ddpm" else 1)
    factor = settings.factor
    assert recipe.finish == (finish_whole.record(factor),)
    _, high, wide = settings.shape
    assert min(info.width, info.height) in range(512, 512 + min(high, wide))
    assert (recipe.width, recipe.height) == (info.width, info.height) == (wide * factor, high * factor)
    assert made.frames.pixels.shape == (1, recipe.height, recipe.width, 3)
    small = made.frames.pixels[0, ::factor, ::factor]
    assert np.array_equal(finish_whole.enlarge(small, factor), made.frames.pixels[0]), (
        "squares, no in-between"
    )
    if settings.depth == 17:
        assert set(np.unique(small)) <= {round(i * 255 / 16) for i in range(17)}, "as the digits have"
        assert len(np.unique(small)) > 2
    assert str(folders[kind].parent) not in json.dumps(recipe.to_json())


def test_pixels_are_those_of_the_model_itself(folders) -> None:
    said, single = SETTINGS["realnvp"], SampleRequest(seed=7)
    network = realnvp.blank(said)
    network.load_state_dict(load_file(folders["realnvp"] / "model.safetensors"))
    (made,) = load(f"dir:{folders['realnvp']}", threads=1).generate(asked("realnvp", 7))
    expected = (realnvp.draw(network.eval(), single)[0] * 16).round() * 255 / 16
    small = made.frames.pixels[0, :: said.factor, :: said.factor, 0]
    assert np.array_equal(small, expected.round().byte().numpy())


def test_classes_are_named_in_any_case_or_by_number(folders) -> None:
    generator = load(f"dir:{folders['ddpm']}", threads=1)
    cat, dog, lower, number = (
        next(generator.generate(asked("ddpm", 1, prompt=prompt))) for prompt in ("cat", "Dog", " dog ", "1")
    )
    assert generator.info.capabilities == ("labels", "guidance", "size")
    assert [made.prompt_used for made in (cat, dog, lower, number)] == ["cat", "Dog", "Dog", "Dog"]
    assert np.array_equal(dog.frames.pixels, lower.frames.pixels)
    assert np.array_equal(dog.frames.pixels, number.frames.pixels)
    assert not np.array_equal(dog.frames.pixels, cat.frames.pixels)
    assert "og" not in json.dumps(dog.recipe.to_json()), "what was asked for is no part of a recipe"
    for prompt in ("", "a cat", "2", "-1", "①"):
        with pytest.raises(InputError) as caught:
            list(generator.generate(asked("ddpm", prompt=prompt)))
        assert caught.value.code == "request.label"
        assert caught.value.hint == "its classes are cat, Dog"


def test_guidance_steps_and_temperature_count_and_are_recorded(folders) -> None:
    for kind, plain, other, name in (
        ("ddpm", {"guidance_scale": 1}, {"guidance_scale": 40.0}, "guidance_scale"),
        ("nca", {"num_inference_steps": 2}, {"num_inference_steps": 6}, "steps"),
        ("realnvp", {}, {"options": {"temperature": 0.5}}, "options"),
    ):
        generator = load(f"dir:{folders[kind]}", threads=1)
        one, two = (next(generator.generate(asked(kind, 1, **how))) for how in (plain, other))
        assert not np.array_equal(one.frames.pixels, two.frames.pixels), kind
        assert getattr(one.recipe, name) != getattr(two.recipe, name)


def test_one_class_is_no_question(tmp_path) -> None:
    said = dataclasses.replace(SETTINGS["ddpm"], classes=("all",))
    generator = load(f"dir:{left_by(said, tmp_path / 'one')}", threads=1)
    assert generator.info.capabilities == ("size",)
    (made,) = generator.generate(asked("ddpm", prompt=""))
    assert made.recipe.guidance_scale == 1
    with pytest.raises(InputError, match="cannot honour"):
        list(generator.generate(asked("ddpm", prompt="all")))


def test_sizes_are_whole_factors_or_errors_that_name_the_nearest(folders) -> None:
    generator = load(f"dir:{folders['nca']}", threads=1)  # 12 × 9
    for how, size in (({"width": 24}, (24, 18)), ({"height": 9}, (12, 9)), ({"width": 600}, (600, 450))):
        (made,) = generator.generate(asked("nca", **how))
        assert (made.frames.width, made.frames.height) == size
    for how in ({"width": 25}, {"width": 24, "height": 24}, {"height": 8}, {"height": 8192}):
        with pytest.raises(InputError) as caught:
            list(generator.generate(asked("nca", **how)))
        assert caught.value.code == "request.size"
        assert "nearest: " in caught.value.what


FRAME = Frames(pixels=np.zeros((1, 8, 8, 3), np.uint8))
FOREIGN = {
    "negative_prompt": {"negative_prompt": "red"},
    "num_frames": {"num_frames": 2},
    "num_inference_steps": {"num_inference_steps": 7},
    "guidance_scale": {"guidance_scale": 2},
    "scheduler": {"scheduler": "ddim"},
    "init": {"init": FRAME},
    "mask": {"mask": FRAME},
    "adapters": {"adapters": (AdapterRef(ref="x"),)},
    "prompt": {"prompt": "a cat"},
    "options.temperature": {"options": {"temperature": 1}},
    "options.eta": {"options": {"eta": 1}},
}


@pytest.mark.parametrize("where", sorted(FOREIGN))
@pytest.mark.parametrize("kind", ["vae", "gpnn"])
def test_nothing_of_a_request_is_ignored(kind: str, where: str, folders) -> None:
    generator = load(f"dir:{folders[kind]}", threads=1)
    with pytest.raises(InputError) as caught:
        list(generator.generate(asked(kind, **FOREIGN[where])))
    assert (caught.value.code, caught.value.where) == ("request.unsupported", where)


class Hook:
    name, version, parameters = "h", "1", {}

    def __call__(self, **_):
        return {}


def test_hooks_and_noise_to_start_from_are_errors(folders) -> None:
    generator = load(f"dir:{folders['ddpm']}", threads=1)
    for how, where in (({"hooks": [Hook()]}, "hooks"), ({"latents": lambda noise: noise}, "latents")):
        with pytest.raises(InputError) as caught:
            list(generator.generate(asked("ddpm"), **how))
        assert (caught.value.code, caught.value.where) == ("request.unsupported", where)
    for kind, how, code in (
        ("ddpm", {"guidance_scale": 0.5}, "request.out-of-range"),
        ("realnvp", {"options": {"temperature": math.nan}}, "request.option"),
        ("realnvp", {"options": {"temperature": True}}, "request.out-of-range"),
        ("realnvp", {"options": {"temperature": "1"}}, "request.out-of-range"),
    ):
        with pytest.raises(InputError) as caught:
            list(load(f"dir:{folders[kind]}", threads=1).generate(asked(kind, **how)))
        assert caught.value.code == code


BAD = {
    "schema_version": (0, 2, True, "1", None),
    "reference": ("gan", "", 7, None, "VAE"),
    "licence": ("", 3, "x" * 201, "a\nb", "\x1b[31m", None),
    "data_licence": ([], "\u202eMIT"),
    "shape": ([3, 6], [3, 6, 10**9], [3, 0, 6], [3, -6, 6], [2, 6, 6], [3.0, 6, 6], "366", [True, 6, 6]),
    "depth": (1, 257, 10**400, 16.5, "17", None),
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_configurations_are_read_strictly(name: str, value, folder) -> None:
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(said | {name: value}))
    assert (error := refused(folder)).code == "reference.model"
    assert error.where in (name, "config.json")
    assert len(error.what) < 120, "nothing of the file is told back"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("ddpm", {"shape": [1, 8, 16]}),
        ("ddpm", {"shape": [1, 12, 12]}),
        ("ddpm", {"shape": [1, 128, 128]}),
        ("ddpm", {"steps": 10**6}),
        ("ddpm", {"scale": math.inf}),
        ("ddpm", {"scale": math.nan}),
        ("ddpm", {"scale": -1}),
        ("ddpm", {"classes": []}),
        ("ddpm", {"classes": ["a", "a"]}),
        ("ddpm", {"classes": ["a", 1]}),
        ("ddpm", {"classes": ["a", "b\x00"]}),
        ("ddpm", {"classes": [str(i) for i in range(1001)]}),
        ("nca", {"shape": [4, 71, 20]}),
        ("nca", {"shape": [4, 6, 12]}),
        ("gpnn", {"shape": [3, 7, 128]}),  # 128 × ⌈512 / 7⌉ pixels are more than a picture may have
        ("gpnn", {"ratio": 0.99}),  # would never end
        ("gpnn", {"patch": 4}),
        ("gpnn", {"coarsest": 0}),
        ("gpnn", {"rounds": 1000}),
        ("gpnn", {"alpha": 0}),
        ("gpnn", {"noise": "2"}),
        ("vae", {"classes": ["a", "b"]}),
        ("vae", {"auto_map": {"AutoModel": "code.py"}}),
    ],
)
def test_each_kind_has_its_own_fields_within_bounds(kind: str, changes: dict) -> None:
    said = SETTINGS[kind].to_json()
    assert checked(said) == SETTINGS[kind]
    with pytest.raises(InputError) as caught:
        checked(said | changes)
    assert (caught.value.code, caught.value.where) == ("reference.model", next(iter(changes)))
    for name in said:
        with pytest.raises(InputError):
            checked({key: value for key, value in said.items() if key != name})


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"reference": "vae"', "[" * 9999, '{"a":' * 9999, "\xff", "9" * 9999]
)
def test_what_is_no_configuration_is_no_reference_model(text: str, folder) -> None:
    (folder / "config.json").write_bytes(text.encode("latin-1"))
    assert kind_of(folder) is None


def test_a_folder_of_nothing_known_is_said_to_be_that(folder) -> None:
    (folder / "config.json").unlink()
    assert refused(folder).code == "weights.no-model"


def test_a_configuration_of_many_bytes_is_not_read(folder) -> None:
    said = (folder / "config.json").read_text()
    (folder / "config.json").write_text(said + " " * 2**18)
    assert kind_of(folder) is None


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda t: t.pop("decoder.0.bias"), "decoder.0.bias"),
        (lambda t: t.update(extra=torch.zeros(1)), "extra"),
        (lambda t: t.update({"x" * 5000: torch.zeros(1)}), "x" * 100),
        (lambda t: t.update({"log_scale": torch.zeros(3, 6, 7)}), "log_scale"),
        (lambda t: t.update({"log_scale": t["log_scale"].double()}), "log_scale"),
        (lambda t: t.update({"log_scale": t["log_scale"].half()}), "log_scale"),
        (lambda t: t["log_scale"].fill_(math.nan), "log_scale"),
        (lambda t: t["decoder.4.bias"].view(-1)[7].fill_(-math.inf), "decoder.4.bias"),
        (lambda t: t.clear(), "decoder.0.bias"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_named(change, where: str, folder) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    assert (error := refused(folder)).code == "reference.model"
    assert error.where == where


def header(**entry) -> bytes:
    body = json.dumps({"log_scale": {"dtype": "F32", "shape": [3, 6, 6], "data_offsets": [0, 432], **entry}})
    return struct.pack("<Q", len(body)) + body.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04N.",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 90) + b"{" + b"x" * 100,
        header(),  # the numbers are not there
        header(shape=[2**40, 2**40], data_offsets=[0, 2**63]),
        header(data_offsets=[0, 2**62]),
        header(shape=[-1]),
        header(dtype="F8_E4M3") + bytes(432),
        header(data_offsets=[400, 432]) + bytes(432),
    ],
)
def test_headers_that_lie_are_one_error(content: bytes, folder) -> None:
    (folder / "model.safetensors").write_bytes(content)
    assert refused(folder).code == "weights.not-safetensors"


def test_pickles_links_and_huge_files_are_refused(folder, tmp_path) -> None:
    weights, outside = folder / "model.safetensors", tmp_path / "elsewhere"
    weights.rename(outside)
    assert refused(folder).code == "weights.no-model"
    (folder / "model.pt").write_bytes(b"\x80\x04N.")
    assert refused(folder).code == "weights.pickle-only"
    weights.symlink_to(outside)
    assert refused(folder).code == "weights.link-outside"
    weights.unlink()
    with weights.open("wb") as file:
        file.truncate(2**26 + 1)
    assert refused(folder).code == "reference.model"


def test_numbers_that_are_no_picture_are_not_one(tmp_path) -> None:
    """Finite weights, and sums that are not."""
    folder = left_by(SETTINGS["ddpm"], tmp_path / "ddpm")
    tensors = load_file(folder / "model.safetensors")
    for value in tensors.values():
        value.fill_(3e38)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(IntegrityError) as caught:
        list(load(f"dir:{folder}", threads=1).generate(asked("ddpm")))
    assert caught.value.code == "generate.not-finite"


def test_a_changed_configuration_is_another_model(folder) -> None:
    """It decides pixels, so it counts as weights do."""
    before = load(f"dir:{folder}", threads=1).info.weights_sha256
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(said | {"depth": 17}))
    assert load(f"dir:{folder}", threads=1).info.weights_sha256 != before


def test_an_untrained_automaton_is_its_seed_on_white() -> None:
    drawn = nca.draw(nca.blank(SETTINGS["nca"]).eval(), SampleRequest(seed=0, steps=3))
    assert drawn.shape == (3, 9, 12)
    assert float(drawn.min()) == 0, "one black cell"
    assert int((drawn.mean(0) < 1).sum()) == 1


def test_guidance_of_one_is_the_sampler_without_a_classifier() -> None:
    torch.manual_seed(0)
    networks = ddpm.blank(SETTINGS["ddpm"]).eval()
    plain = ddpm.sample(
        networks.ddpm, ddpm.Schedule.cosine(3), torch.tensor([1]), shape=(1, 8, 8), seed=2, push=None
    )
    drawn = ddpm.draw(networks, SampleRequest(seed=2, steps=3, label=1))
    assert torch.equal(drawn, (plain[0] + 1) / 2)


def test_a_configuration_that_lies_elsewhere_is_not_read(folder, tmp_path) -> None:
    (tmp_path / "elsewhere").write_text('{"reference": "secret"}')
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to(tmp_path / "elsewhere")
    assert refused(folder).code == "weights.link-outside"
