"""An adapter changes every layer it names, or it is refused: a part of it that has no layer is no detail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generators.diffusers_adapter import DiffusersGenerator
from generators.registry import load
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


def drawn(model: DiffusersGenerator, folder: Path, tensors: dict[str, torch.Tensor]) -> np.ndarray:
    path = folder / "adapter.safetensors"
    save_file(tensors, path)
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
