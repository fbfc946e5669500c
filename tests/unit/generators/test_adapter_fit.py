"""An adapter is laid over as it was trained, every layer of it, or it is refused.

The libraries go on without what they have no layer for, and without a strength that they did not read.
"""

from __future__ import annotations

import json
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generators.diffusers_adapter import DiffusersGenerator
from generators.registry import bundled_folder, load, parse
from generators.request import AdapterRef, GenerationRequest
from provenance.errors import InputError

QUERY = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"


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
        {"unet.lora_alpha": 1, "unet.alpha_pattern": {"(a+)+": 2}},
        {"unet.lora_alpha": 1, "unet.alpha_pattern": [1]},
    ],
)
def test_a_strength_that_is_none_is_refused(said: object, model: DiffusersGenerator, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        drawn(model, tmp_path, factors(f"unet.{QUERY}"), said)
    assert refused.value.code == "adapter.does-not-fit"


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
