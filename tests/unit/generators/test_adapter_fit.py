"""An adapter is laid over as it was trained, every layer of it, or it is refused.

The libraries go on without what they have no layer for, and without a strength that they did not read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from peft.utils.other import get_pattern_key
from safetensors.torch import save_file

from generators.diffusers_adapter import DiffusersGenerator
from generators.lora_strength import as_trained
from generators.registry import bundled_folder, load, parse
from generators.request import AdapterRef, GenerationRequest
from provenance.errors import InputError

QUERY = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
_OF_TEXT_ENCODERS = ("lora_linear_layer.down", "lora_linear_layer.up")


@pytest.fixture(scope="module")
def model() -> DiffusersGenerator:
    found = load("bundled:emoji", threads=1)
    assert isinstance(found, DiffusersGenerator)
    return found


def factors(layer: str, width: int = 128) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {
        f"{layer}.lora_A.weight": torch.randn(2, width, generator=rng),
        f"{layer}.lora_B.weight": torch.randn(width, 2, generator=rng) / 10,
    }


def drawn(
    model: DiffusersGenerator, folder: Path, tensors: dict[str, torch.Tensor], said: object = None
) -> np.ndarray:
    path = folder / "adapter.safetensors"
    save_file(tensors, path, None if said is None else {"lora_adapter_metadata": json.dumps(said)})
    request = GenerationRequest(
        prompt="a fox",
        seeds=(1,),
        num_inference_steps=2,
        width=128,
        height=128,
        adapters=(AdapterRef(ref=str(path)),),
    )
    return next(iter(model.generate(request))).frames.pixels


def test_one_that_fits_changes_the_picture(model: DiffusersGenerator, tmp_path: Path) -> None:
    plain = drawn(model, tmp_path, {name: 0 * value for name, value in factors(f"unet.{QUERY}").items()})
    assert (drawn(model, tmp_path, factors(f"unet.{QUERY}")) != plain).any()


@pytest.mark.parametrize("surplus", ["unet.mid_block.attentions.7.to_q", "text_encoder_9.to_q", "to_nothing"])
def test_layers_that_the_model_does_not_have_are_said(
    surplus: str, model: DiffusersGenerator, tmp_path: Path
) -> None:
    """Beside some that it has, where the libraries go on without them."""
    with pytest.raises(InputError) as refused:
        drawn(model, tmp_path, factors(f"unet.{QUERY}") | factors(surplus))
    assert refused.value.code == "adapter.does-not-fit"
    assert not any(model.pipeline.get_list_adapters().values())


def test_a_strength_that_only_the_header_says_counts(model: DiffusersGenerator, tmp_path: Path) -> None:
    """As the library lays over a file that it opens itself."""
    tensors = factors(f"unet.{QUERY}")
    path = tmp_path / "theirs.safetensors"
    said = {"unet.r": 2, "unet.lora_alpha": 16, "unet.target_modules": [QUERY]}
    save_file(tensors, path, {"format": "pt", "lora_adapter_metadata": json.dumps(said)})
    theirs = diffusers.DiffusionPipeline.from_pretrained(bundled_folder(parse("bundled:emoji")))
    theirs.load_lora_weights(str(tmp_path), weight_name=path.name, use_safetensors=True, adapter_name="a")
    layer = theirs.unet.get_submodule(QUERY)
    assert layer.scaling == {"a": 8.0}
    folded = {**tensors, f"unet.{QUERY}.lora_B.weight": 8 * tensors[f"unet.{QUERY}.lora_B.weight"]}
    strong = drawn(model, tmp_path, tensors, said)
    assert (strong == drawn(model, tmp_path, folded)).all()
    assert (strong != drawn(model, tmp_path, tensors)).any()
    own = {**said, "unet.alpha_pattern": {QUERY: 2}}
    assert (drawn(model, tmp_path, tensors, own) == drawn(model, tmp_path, tensors)).all()


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"unet.lora_alpha": "much"},
        {"unet.lora_alpha": 10**400},
        {"unet.lora_alpha": float("nan")},
        {"unet.lora_alpha": True},
        {"unet.lora_alpha": "16"},
        {"unet.lora_alpha": 8, "unet.r": 8},
        {"unet.lora_alpha": 2, "unet.r": 2, "unet.rank_pattern": {QUERY: 4}},
        {"unet.lora_alpha": 1, "unet.alpha_pattern": {"(a+)+": 2}},
        {"unet.lora_alpha": 1, "unet.alpha_pattern": [1]},
    ],
)
def test_a_strength_that_is_none_is_refused(said: object, model: DiffusersGenerator, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        drawn(model, tmp_path, factors(f"unet.{QUERY}"), said)
    assert refused.value.code == "adapter.does-not-fit"


@pytest.mark.parametrize(
    "layout", [("lora.down", "lora.up"), ("lora_linear_layer.down", "lora_linear_layer.up")]
)
def test_the_strength_counts_in_the_layouts_of_training_scripts(layout: tuple[str, str]) -> None:
    down, up = factors(QUERY).values()
    named = {f"unet.{QUERY}.{layout[0]}.weight": down, f"unet.{QUERY}.{layout[1]}.weight": up}
    strong = as_trained(named, json.dumps({"unet.r": 2, "unet.lora_alpha": 32}))
    assert [bool((value == named[name]).all()) for name, value in strong.items()] == [True, False]
    torch.testing.assert_close(strong[f"unet.{QUERY}.{layout[1]}.weight"], 16 * up)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ("lora_unet_mid_block", {"unet.lora_alpha": 32}),
        (f"unet.{QUERY}", {"lora_alpha": 32}),
        (f"unet.{QUERY}", {"unet.lora_alpha": 32, "text_encoder.lora_alpha": 32}),
    ],
)
def test_a_strength_that_reaches_no_layer_is_refused(layer: str, said: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="layers that it has not"):
        as_trained(factors(layer), json.dumps(said))


@pytest.mark.parametrize(
    ("patterns", "strength"),
    [
        ({"to_q": 16, "attn1.to_q": 4}, 8),
        ({"attn1.to_q": 4, "to_q": 16}, 2),
        ({"^attn1.to_q": 16}, 1),
        ({f"^{QUERY}": 16}, 8),
        ({"o_q": 16}, 1),
    ],
)
def test_the_first_pattern_that_means_a_layer_counts(patterns: dict[str, int], strength: float) -> None:
    """As PEFT's ``get_pattern_key``, which they are written for."""
    said = {"unet.r": 2, "unet.lora_alpha": 2, "unet.alpha_pattern": patterns}
    tensors, up = factors(f"unet.{QUERY}"), f"unet.{QUERY}.lora_B.weight"
    assert patterns.get(get_pattern_key(list(patterns), QUERY), 2) / 2 == strength
    torch.testing.assert_close(as_trained(tensors, json.dumps(said))[up], strength * tensors[up])


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        (
            {"lora_unet_x.lora_down.weight": torch.ones(2, 128)},
            "the other half of lora_unet_x.lora_down.weight",
        ),
        ({f"unet.{QUERY}.lora_A.weight": torch.ones(2, 64)}, "of other sizes than this model's layers"),
        ({f"unet.{QUERY}.lora_B.weight": torch.ones(128, 3)}, "of other sizes than this model's layers"),
        ({f"unet.{QUERY}.lora_A.weight": torch.ones(2, 128, dtype=torch.int8)}, "holds int8 numbers"),
    ],
)
def test_the_refusal_names_what_is_wrong(
    tensors: dict[str, torch.Tensor], why: str, model: DiffusersGenerator, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=re.escape(why)) as refused:
        drawn(model, tmp_path, factors(f"unet.{QUERY}") | tensors)
    assert refused.value.code == "adapter.does-not-fit"


def test_a_header_that_is_no_table_is_named(model: DiffusersGenerator, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its header says of its strength is no table"):
        drawn(model, tmp_path, factors(f"unet.{QUERY}"), [])


@pytest.mark.parametrize("half", ["lora_A", "lora_B"])
@pytest.mark.parametrize("beside", [{}, {"unet.nothing.lora_A.weight": torch.ones(2, 128)}])
def test_half_of_a_layer_is_refused(
    half: str, beside: dict[str, torch.Tensor], model: DiffusersGenerator, tmp_path: Path
) -> None:
    """The libraries leave the other half empty: what is drawn would be chance."""
    keys = factors(f"unet.{QUERY.replace('to_q', 'to_k')}")
    halves = {name: value for name, value in keys.items() if half in name}
    with pytest.raises(InputError) as refused:
        drawn(model, tmp_path, factors(f"unet.{QUERY}") | halves | beside)
    assert refused.value.code == "adapter.does-not-fit"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unet.zzz.lora_A.weight", torch.ones(4)),
        ("unet.magnitude.lora_A.weight", torch.ones(2, 4)),
        (f"unet.{QUERY}.lora_alpha", torch.tensor(4.0)),
        ("unet.nothing.lora_B.bias", torch.ones(4)),
        ("unet.nolayer.lora_magnitude_vector", torch.ones(4)),
        (f"unet.{QUERY.replace('to_q', 'to_k')}.lora_A.weight", torch.ones(2, 128, dtype=torch.complex64)),
    ],
)
def test_a_tensor_that_no_layer_takes_is_refused_whatever_its_name_and_shape(
    name: str, value: torch.Tensor, model: DiffusersGenerator, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refused:
        drawn(model, tmp_path, factors(f"unet.{QUERY}") | {name: value})
    assert refused.value.code == "adapter.does-not-fit"
    assert str(refused.value).rstrip().endswith(tuple("abcdefghijklmnopqrstuvwxyz)."))


def test_a_strength_beyond_all_numbers_is_the_adapters_fault(
    model: DiffusersGenerator, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refused:
        drawn(model, tmp_path, factors(f"unet.{QUERY}"), {"unet.lora_alpha": 1e39})
    assert refused.value.code == "adapter.not-finite"


def test_the_layout_of_older_libraries_is_read(model: DiffusersGenerator, tmp_path: Path) -> None:
    down, up = factors(QUERY).values()
    layer = f"unet.{QUERY.replace('to_q', 'processor.to_q_lora')}"
    older = {f"{layer}.down.weight": down, f"{layer}.up.weight": up}
    assert (drawn(model, tmp_path, older) == drawn(model, tmp_path, factors(f"unet.{QUERY}"))).all()


def test_what_the_library_would_leave_out_of_a_dora_is_said(
    model: DiffusersGenerator, tmp_path: Path
) -> None:
    down, up = factors(QUERY).values()
    layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    kohya = {
        f"{layer}.lora_down.weight": down,
        f"{layer}.lora_up.weight": up,
        f"{layer}.alpha": torch.tensor(2.0),
    }
    assert (drawn(model, tmp_path, kohya) == drawn(model, tmp_path, factors(f"unet.{QUERY}"))).all()
    with pytest.raises(InputError, match="no layer for 1 of its 3 tensors") as refused:
        drawn(model, tmp_path, {**kohya, f"{layer}.dora_scale": torch.ones(128, 1)})
    assert refused.value.code == "adapter.does-not-fit"
