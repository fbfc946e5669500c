"""Folders that are loaded, and those that are not: other families, parts of models, cards that point away."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from simulators import tiny_pipelines
from simulators.family_requests import small

from generators.registry import load
from generators.request import GenerationRequest
from provenance.errors import ConfigurationError, InputError


def test_a_class_outside_the_table_whose_call_needs_more_is_named(tmp_path) -> None:
    combined = tiny_pipelines.kandinsky("KandinskyV22CombinedPipeline")
    combined.decoder_pipe.save_pretrained(tmp_path / "decoder")
    with pytest.raises(InputError, match="needs image_embeds, negative_image_embeds") as caught:
        load(f"dir:{tmp_path / 'decoder'}", threads=1)
    assert caught.value.code == "model.unknown-family"


@pytest.mark.parametrize(
    ("entry", "value", "code", "said"),
    [
        ("_class_name", "FooPipeline", "model.unknown-family", "diffusers has no pipeline of this name"),
        ("_class_name", "logging", "model.unknown-family", "diffusers has no pipeline of this name"),
        (
            "vae",
            ["diffusers", {"a": 1}],
            "model.not-loadable",
            "component vae has to name a class of diffusers",
        ),
        (
            "vae",
            ["diffusers", "logging"],
            "model.not-loadable",
            "component vae has to name a class of diffusers",
        ),
    ],
)
def test_an_index_names_classes(tiny_folder, tmp_path, entry: str, value, code: str, said: str) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, entry: value}))
    with pytest.raises(InputError, match=said) as caught:
        load(f"dir:{copy}", threads=1)
    assert caught.value.code == code


def test_a_failure_within_the_library_names_the_component(tiny_folder, tmp_path) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    config = copy / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_train_timesteps": "x"}))
    with pytest.raises(InputError, match=r"failed in its midst \(TypeError\)$") as caught:
        load(f"dir:{copy}", threads=1)
    assert (caught.value.code, caught.value.where) == ("model.not-loadable", "copy/scheduler")


def test_a_text_to_image_class_outside_the_table_runs_on_what_its_call_says(tmp_path) -> None:
    from diffusers import StableDiffusionPAGPipeline

    known = tiny_pipelines.stable_diffusion("StableDiffusionPipeline")
    parts = {**known.components, "unet": tiny_pipelines.unet(mid_block_type="UNetMidBlock2DCrossAttn")}
    StableDiffusionPAGPipeline(**parts, requires_safety_checker=False).save_pretrained(tmp_path / "pag")
    generator = load(f"dir:{tmp_path / 'pag'}", threads=1)
    asked = GenerationRequest(prompt="judge", seeds=(1,), width=32, height=32, num_inference_steps=2)
    first, again = (next(iter(generator.generate(asked))) for _ in range(2))
    assert first.frames.shows(again.frames)
    assert first.recipe.model.pipeline == "StableDiffusionPAGPipeline"
    assert {"text", "negative_prompt", "guidance", "step_hooks", "latents"} <= set(
        generator.info.capabilities
    )


def test_a_model_card_leads_to_no_other_repository(tmp_path) -> None:
    name = "KandinskyV22CombinedPipeline"
    folder = tiny_pipelines.save(name, tmp_path / "two-stages")
    (folder / "README.md").write_text("---\nprior:\n- somebody/else\n---\n")
    (made,) = load(f"dir:{folder}", threads=1).generate(small(name))
    assert np.ptp(made.frames.pixels) > 0
    assert {file.path.split("/")[0] for file in made.recipe.model.weights} >= {"prior_prior", "unet", "movq"}


def test_a_package_that_a_family_needs_is_named_before_anything_is_loaded(monkeypatch) -> None:
    from generators import loading_adapter

    loading_adapter.require_packages("WanVACEPipeline")
    monkeypatch.setattr(loading_adapter, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match="ftfy") as caught:
        loading_adapter.require_packages("WanVACEPipeline")
    assert caught.value.code == "model.missing-package"
    loading_adapter.require_packages("StableDiffusionPipeline")


def test_another_commit_that_is_here_is_named(tmp_path, monkeypatch) -> None:
    import huggingface_hub

    here, asked = "b" * 40, "a" * 40
    (tmp_path / "models--org--tiny" / "snapshots" / here).mkdir(parents=True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        load(f"hf:org/tiny@{asked}", threads=1)
    assert caught.value.code == "model.not-local"
    assert here in (caught.value.hint or "")


def test_a_model_of_clips_says_so_in_its_info(tmp_path) -> None:
    generator = load(f"dir:{tiny_pipelines.save('AnimateDiffPipeline', tmp_path / 'clips')}", threads=1)
    assert generator.info.kind == "video"
    assert {"frames", "fps", "size", "text", "step_hooks"} <= set(generator.info.capabilities)
    assert "init" not in generator.info.capabilities
