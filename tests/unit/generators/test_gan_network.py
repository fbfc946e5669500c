"""The GAN's network against arithmetic written down a second time, and its files against damage."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.signal import convolve2d, correlate2d

from generators.gan_conditions import read_conditions
from generators.gan_loading_adapter import architecture, build
from generators.registry import load
from generators.request import GenerationRequest
from generators.stylegan2_adapter import Architecture, Layer, StyleGAN2, ToRGB, doubled, setup_filter
from provenance.errors import InputError

SHAPE = Architecture(z=6, condition=3, embedded=5, mapping=(8, 7), channels=(6, 5, 4))
FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def network(shape: Architecture = SHAPE, seed: int = 0) -> StyleGAN2:
    """Random everywhere, so that nothing is hidden by a zero."""
    torch.manual_seed(seed)
    model = StyleGAN2(shape).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith(("bias", "noise_strength", "w_avg")):
                value.copy_(torch.randn(value.shape))
    return model


def linear(layer: torch.nn.Module, x: np.ndarray, rate: float = 1.0) -> np.ndarray:
    weight, bias = layer.weight.double().numpy(), layer.bias.double().numpy()
    return x @ weight.T * rate / math.sqrt(weight.shape[1]) + bias * rate


def lrelu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x) * math.sqrt(2)


def naive_layer(layer: Layer, x: np.ndarray, w: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """One picture: the kernel is modulated and demodulated, then applied, as the paper writes it."""
    kernel = layer.weight.double().numpy() * linear(layer.affine, w)[None, :, None, None]
    kernel = kernel / np.sqrt((kernel**2).sum((1, 2, 3), keepdims=True) + 1e-8)
    maps = []
    for weights, bias in zip(kernel, layer.bias.double().numpy(), strict=True):
        total = 0
        for plane, k in zip(x, weights, strict=True):
            if layer.up:
                spaced = np.zeros((2 * len(plane) - 1,) * 2)
                spaced[::2, ::2] = plane
                total = total + convolve2d(np.pad(convolve2d(spaced, k), 1), 4 * FIR, mode="valid")
            else:
                total = total + correlate2d(plane, k, mode="same")
        maps.append(lrelu(total + noise * float(layer.noise_strength) + bias))
    return np.stack(maps)


@pytest.mark.parametrize("up", [False, True])
@torch.no_grad()
def test_a_layer_is_the_papers_arithmetic_picture_by_picture(up: bool) -> None:
    torch.manual_seed(1)
    layer = Layer(3, 4, 7, 10 if up else 5, up=up)
    layer.noise_strength.fill_(0.7)
    layer.bias.normal_()
    x, w = torch.randn(2, 3, 5, 5), torch.randn(2, 7)
    noise = torch.randn(2, 1, *layer.noise_const.shape)
    for given in (noise, None):
        found = layer(x, w, given).numpy()
        for i in range(2):
            one = (noise[i, 0] if given is not None else layer.noise_const).double().numpy()
            expected = naive_layer(layer, x[i].double().numpy(), w[i].double().numpy(), one)
            assert np.abs(found[i] - expected).max() < 1e-4


@torch.no_grad()
def test_colours_are_modulated_and_not_demodulated() -> None:
    torch.manual_seed(2)
    layer = ToRGB(4, 7, 3)
    x, w = torch.randn(1, 4, 3, 3), torch.randn(1, 7)
    styles = linear(layer.affine, w[0].double().numpy()) / 2
    expected = np.einsum("oi,ihw->ohw", layer.weight[:, :, 0, 0].double().numpy() * styles, x[0].double())
    assert np.abs(layer(x, w)[0].numpy() - expected).max() < 1e-5


def test_doubling_is_zeros_between_and_the_filter() -> None:
    x = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    spaced = np.zeros((8, 8))
    spaced[::2, ::2] = x[0, 0].numpy()
    expected = convolve2d(np.pad(spaced, (2, 1)), 4 * FIR, mode="valid")
    assert np.abs(doubled(x, setup_filter())[0, 0].numpy() - expected).max() < 1e-6
    assert torch.allclose(
        doubled(torch.ones(1, 2, 6, 6), setup_filter())[:, :, 2:-2, 2:-2], torch.ones(1, 2, 8, 8)
    )


@torch.no_grad()
def test_the_mapping_normalises_both_halves_and_slows_its_learning() -> None:
    model = network()
    z, c = torch.randn(1, 6), torch.tensor([[0.0, 1.0, 0.0]])
    halves = z[0].double().numpy(), linear(model.mapping.embed, c[0].double().numpy())
    x = np.concatenate([half / np.sqrt((half**2).mean() + 1e-8) for half in halves])
    for layer in (model.mapping.fc0, model.mapping.fc1):
        x = lrelu(linear(layer, x, rate=0.01))
    w = model.mapping(z, c)
    assert np.abs(w[0].numpy() - x).max() < 1e-4
    mean = model.mapping.w_avg
    assert torch.allclose(model.mapping.truncated(w, 0.3), mean + 0.3 * (w - mean))


def test_names_are_those_of_published_files() -> None:
    names = set(network().state_dict())
    conv = {
        "weight",
        "bias",
        "affine.weight",
        "affine.bias",
        "noise_strength",
        "noise_const",
        "resample_filter",
    }
    rgb = {"weight", "bias", "affine.weight", "affine.bias"}
    expected = {"mapping.w_avg"} | {
        f"mapping.{part}.{kind}" for part in ("embed", "fc0", "fc1") for kind in ("weight", "bias")
    }
    for side, convs in ((4, ("conv1",)), (8, ("conv0", "conv1")), (16, ("conv0", "conv1"))):
        expected |= {f"synthesis.b{side}.{c}.{n}" for c in convs for n in conv}
        expected |= {f"synthesis.b{side}.torgb.{n}" for n in rgb} | {f"synthesis.b{side}.resample_filter"}
    assert names == expected | {"synthesis.b4.const"}


@pytest.mark.parametrize(
    "shape",
    [
        SHAPE,
        Architecture(z=4, condition=0, embedded=0, mapping=(4,) * 8, channels=(4, 4)),
        Architecture(z=3, condition=2, embedded=4, mapping=(6,), channels=(5,), colours=1),
    ],
)
def test_the_architecture_is_read_off_the_tensors(shape: Architecture) -> None:
    model = network(shape)
    tensors = model.state_dict()
    assert architecture(tensors) == shape
    again = build(tensors)
    z, c = torch.randn(2, shape.z), torch.eye(max(shape.condition, 2))[:2, : shape.condition]
    c = c if shape.condition else None
    with torch.no_grad():
        assert torch.equal(again(z, c), model(z, c))
    bare = {name: value for name, value in tensors.items() if not name.endswith("resample_filter")}
    with torch.no_grad():
        assert torch.equal(build(bare)(z, c), model(z, c))


def damaged(change) -> dict[str, torch.Tensor]:
    tensors = {name: value.clone() for name, value in network().state_dict().items()}
    change(tensors)
    return tensors


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda t: t.pop("synthesis.b8.conv0.affine.bias"), "synthesis.b8.conv0.affine.bias"),
        (lambda t: t.pop("mapping.fc0.weight"), "mapping.fc0.weight"),
        (lambda t: t.pop("synthesis.b4.torgb.weight"), "synthesis.b4.torgb.weight"),
        (lambda t: t.pop("mapping.w_avg"), "mapping.w_avg"),
        (lambda t: t.update({"synthesis.b8.skip.weight": torch.zeros(1)}), "synthesis.b8.skip.weight"),
        (lambda t: t.update({"mapping.fc1.weight": torch.zeros(7, 9)}), "mapping.fc1.weight"),
        (lambda t: t.update({"synthesis.b16.torgb.weight": torch.zeros(0)}), "synthesis.b16.torgb.weight"),
        (lambda t: t["synthesis.b4.const"].fill_(math.nan), "synthesis.b4.const"),
        (lambda t: t["synthesis.b8.resample_filter"].fill_(1 / 16), "synthesis.b8.resample_filter"),
        (lambda t: t.clear(), "mapping.fc0.weight"),
    ],
)  # fmt: skip
def test_whatever_does_not_fit_is_one_error_that_names_it(change, where: str) -> None:
    with pytest.raises(InputError) as caught:
        build(damaged(change))
    assert (caught.value.code, caught.value.where) == ("gan.layout", where)


def test_converted_weights_draw_without_a_card(tmp_path: Path) -> None:
    """A bare file: classes are numbers, prompts are not understood."""
    path = tmp_path / "faces.safetensors"
    save_file({n: v.half().contiguous() for n, v in network().state_dict().items()}, path)
    generator = load(f"dir:{path}", threads=1)
    assert (generator.info.id, generator.info.licence) == ("dir:faces.safetensors", "unknown")
    assert generator.info.capabilities == ()
    drawn = list(generator.generate(GenerationRequest(prompt="", seeds=(1, 2))))
    assert [p.frames.pixels.shape for p in drawn] == [(1, 16, 16, 3)] * 2
    number = drawn[0].recipe.options["class"]
    (said,) = generator.generate(GenerationRequest(prompt="", seeds=(1,), options={"class": number}))
    assert np.array_equal(said.frames.pixels, drawn[0].frames.pixels)
    for wrong in ({"class": "3"}, {"class": "9" * 5000}, {"class": "-1"}, {"class": 1.5}):
        with pytest.raises(InputError) as caught:
            list(generator.generate(GenerationRequest(prompt="", seeds=(1,), options=wrong)))
        assert caught.value.code == "request.condition"
    with pytest.raises(InputError, match="cannot honour"):
        list(generator.generate(GenerationRequest(prompt="a judge", seeds=(1,))))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("G_ema.pkl", b"\x80\x04N.", "weights.pickle-only"),
        ("generator.safetensors", b"\x80\x04N.", "weights.not-safetensors"),
        ("generator.safetensors", (50).to_bytes(8, "little") + b"{" + b"x" * 80, "weights.not-safetensors"),
    ],
)
def test_pickles_and_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    for reference in (f"dir:{tmp_path / name}", f"dir:{tmp_path}"):
        (tmp_path / "card.json").write_text('{"kind": "stylegan2"}')
        with pytest.raises(InputError) as caught:
            load(reference)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"blocks": [[f"a{i}", ["yes"]] for i in range(65)]}, "65 attributes; 64"),
        ({"blocks": [["subject", [f"s{i}" for i in range(4097)]]]}, "4,097 values; 4,096"),
        ({"blocks": [["subject", ["s" * 201]]]}, "201 characters"),
        ({"blocks": [["s" * 201, ["cat"]]]}, "201 characters"),
        ({"blocks": [["subject", ["cat"]]], "things": ["s" * 201]}, "201 characters"),
        ({"blocks": [["subject", ["cat"]]], "things": "cat"}, "what its condition means"),
    ],
)
def test_what_a_card_says_of_conditions_is_bounded(conditions: dict, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_conditions(conditions)
    assert caught.value.code == "gan.card"


def test_conditions_at_their_bounds_are_read() -> None:
    names = [f"{i:0200}" for i in range(64)]
    blocks = [[name, [f"{name[:190]}{value:010}" for value in range(64)]] for name in names]
    assert read_conditions({"blocks": blocks, "things": names}).length == 4096
    assert read_conditions({"blocks": []}).length == 0


@pytest.mark.parametrize("name", ["card.json", "words.json", "training.json"])
def test_what_lies_beside_a_gan_is_read_in_its_folder_only(tmp_path: Path, name: str) -> None:
    folder, outside = tmp_path / "gan", tmp_path / name
    folder.mkdir()
    save_file(
        {n: v.contiguous() for n, v in network().state_dict().items()}, folder / "generator.safetensors"
    )
    outside.write_text('{"name": "of another folder"}')
    (folder / name).symlink_to(outside)
    with pytest.raises(InputError) as caught:
        load(f"dir:{folder}")
    assert caught.value.code == "weights.link-outside"
    (folder / name).unlink()
    (folder / name).symlink_to(folder / name)
    assert load(f"dir:{folder}").info.name == "gan"


@pytest.mark.parametrize(
    "card",
    [
        {"kind": "stylegan2", "size": "big"},
        {"kind": "stylegan2", "licence": 3},
        {"kind": "stylegan2", "conditions": {"blocks": [["tone", []]]}},
        {"kind": "stylegan2", "conditions": {"blocks": [["tone", ["a", "b"]]]}},
        {"kind": "stylegan2", "conditions": 7},
        {"kind": "stylegan2", "truncation": "much"},
        {"kind": "stylegan2", "truncation": 10**400},
        {"kind": "stylegan2", "truncation": math.inf},
        {"kind": "stylegan2", "truncation": math.nan},
        {"kind": "stylegan2", "truncation": -0.1},
        {"kind": "stylegan2", "truncation": 2.1},
        {"kind": "stylegan2", "truncation": True},
        {"kind": "stylegan2", "name": "cats\x1b[2J"},
        {"kind": "stylegan2", "name": "c" * 101},
        {"kind": "stylegan2", "name": ""},
        {"kind": "stylegan2", "licence": "MIT\nApache-2.0"},
        {"kind": "stylegan2", "data_licence": "\u202eTIM"},
        {"kind": "stylegan2", "summary": "a\rb"},
        {"kind": "stylegan2", "finish": []},
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, card: dict) -> None:
    save_file(
        {n: v.contiguous() for n, v in network().state_dict().items()}, tmp_path / "generator.safetensors"
    )
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(InputError) as caught:
        load(f"dir:{tmp_path}")
    assert caught.value.code == "gan.card"
