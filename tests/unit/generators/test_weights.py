"""Which folders may be loaded: real safetensors only, inside the folder, no foreign code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from generators.registry import load
from generators.weights import check_pinned, examine
from provenance.errors import InputError, IntegrityError


def model_folder(root: Path, **index) -> Path:
    (root / "unet").mkdir(parents=True)
    entries = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        **index,
    }
    (root / "model_index.json").write_text(json.dumps(entries))
    save_file({"w": np.zeros(4, np.float32)}, root / "unet" / "diffusion_pytorch_model.safetensors")
    return root


def refused(folder: Path, **options) -> str:
    with pytest.raises(InputError) as caught:
        examine(folder, **options)
    return caught.value.code


def test_every_weight_file_is_digested(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    before = examine(folder)
    assert [file.path for file in before.files] == ["unet/diffusion_pytorch_model.safetensors"]
    save_file({"w": np.ones(4, np.float32)}, folder / "unet" / "diffusion_pytorch_model.safetensors")
    after = examine(folder)
    assert before.files[0].sha256 != after.files[0].sha256
    assert before.sha256 != after.sha256
    with pytest.raises(IntegrityError) as caught:
        check_pinned(after, {file.path: file.sha256 for file in before.files})
    assert caught.value.code == "weights.changed"


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".pth", ".ckpt", ".pkl"])
def test_pickles_alone_are_refused_unread(tmp_path: Path, suffix: str) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / f"diffusion_pytorch_model{suffix}").write_bytes(b"\x80\x04not a safe thing.")
    assert refused(folder) == "weights.pickle-only"


def test_one_component_with_pickles_only_is_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", vae=["diffusers", "AutoencoderKL"])
    (folder / "vae").mkdir()
    (folder / "vae" / "model.bin").write_bytes(b"\x80\x04.")
    assert refused(folder) == "weights.pickle-only"


def test_pickles_beside_safetensors_are_never_listed(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "unet" / "model.bin").write_bytes(b"\x80\x04.")
    assert [file.path for file in examine(folder).files] == ["unet/diffusion_pytorch_model.safetensors"]


@pytest.mark.parametrize("component", [["my_code", "Sampler"], ["pipeline", "Unet"], ["os", "system"]])
def test_components_of_strangers_are_refused(tmp_path: Path, component: list[str]) -> None:
    assert refused(model_folder(tmp_path / "m", extra=component)) == "weights.foreign-code"


def test_custom_pipeline_class_is_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", _class_name=["pipeline", "MyPipeline"])
    assert refused(folder) == "weights.foreign-code"


@pytest.mark.parametrize(
    "content", [b"", b"short", b"version https://git-lfs.github.com/spec/v1\n", b"\xff" * 64]
)
def test_what_only_claims_to_be_safetensors_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(content)
    assert refused(folder) == "weights.not-safetensors"


def test_linked_folders_may_not_lead_out_where_no_digest_covers_them(tmp_path: Path) -> None:
    folder, outside = model_folder(tmp_path / "m"), tmp_path / "outside"
    shutil.copytree(folder / "unet", outside)
    (folder / "loop").symlink_to("loop")
    (folder / "vae").symlink_to("unet")
    assert [file.path for file in examine(folder).files] == ["unet/diffusion_pytorch_model.safetensors"]
    (folder / "vae").unlink()
    (folder / "vae").symlink_to(outside)
    assert refused(folder) == "weights.link-outside"
    assert refused(folder, links_within=tmp_path) == "weights.link-outside"


@pytest.mark.parametrize(
    "component", [[], ["diffusers"], [1, 2], [["diffusers"], "X"], ["diffusers", "X", 3]]
)
def test_a_component_is_named_by_library_and_class(tmp_path: Path, component: list) -> None:
    assert refused(model_folder(tmp_path / "m", unet=component)) == "weights.foreign-code"


def test_an_index_that_is_nested_too_deep_is_no_model(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "model_index.json").write_text("[" * 100_000)
    assert refused(folder) == "weights.no-model"


def test_links_may_not_lead_out(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "cache" / "m")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    blob = tmp_path / "cache" / "blob"
    weights.rename(blob)
    weights.symlink_to(blob)
    assert refused(folder) == "weights.link-outside"
    assert examine(folder, links_within=tmp_path / "cache").files[0].size == blob.stat().st_size


def test_no_model_here(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model_index.json").write_text("{")
    for name in ("absent", "empty", "broken"):
        assert refused(tmp_path / name) == "weights.no-model"


@pytest.mark.parametrize("name", ["n" * 300, "../other/unet", "/etc", "a b", ""])
def test_a_component_that_lies_in_no_folder_of_its_own_is_refused(tiny_folder, tmp_path, name: str) -> None:
    copy = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    index = json.loads((copy / "model_index.json").read_text())
    index[name] = ["diffusers", "UNet2DConditionModel"]
    (copy / "model_index.json").write_text(json.dumps(index))
    assert refused(copy) == "weights.missing-component"


def test_a_part_that_no_file_can_be_called_is_missing(tiny_folder, tmp_path) -> None:
    copy = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    listing = {"metadata": {}, "weight_map": {"w": f"{'n' * 300}.safetensors"}}
    (copy / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(listing))
    assert refused(copy) == "weights.missing-component"


@pytest.mark.parametrize(
    "gone", ["vae", "tokenizer", "scheduler", "unet/diffusion_pytorch_model.safetensors"]
)
def test_what_is_missing_of_a_model_is_named(tiny_folder, tmp_path, gone: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    if (copy / gone).is_dir():
        shutil.rmtree(copy / gone)
    else:
        (copy / gone).unlink()
    with pytest.raises(InputError) as caught:
        examine(copy)
    assert caught.value.code == "weights.missing-component"
    assert caught.value.where.endswith(gone.split("/")[0])


def test_a_missing_part_of_large_weights_is_named(tiny_folder, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    index = {"weight_map": {"a": "diffusion_pytorch_model.safetensors", "b": "part-2.safetensors"}}
    (copy / "unet" / "x.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError) as caught:
        examine(copy)
    assert caught.value.where.endswith("part-2.safetensors")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("diffusion_pytorch_model.safetensors.index.json", {"weight_map": {"w": "weights.bin"}}),
        ("model.safetensors.index.fp16.json", {"weight_map": {"w": "../../other/model.safetensors"}}),
        ("model.safetensors.index.json", {"weight_map": {"w": "/tmp/model.safetensors"}}),
        ("model.safetensors.index.json", {"weight_map": {"w": ["model.safetensors"]}}),
        ("adapter_config.json", {"base_model_name_or_path": "../other"}),
        ("config.json", {"transformers_weights": "weights.bin"}),
        ("config.json", {"text_config": [{"transformers_weights": "weights.bin"}]}),
        ("config.json", {"configuration_files": ["config.4.0.0.json"]}),
        ("tokenizer_config.json", {"fast_tokenizer_files": ["../../other/tokenizer.4.0.0.json"]}),
        ("model_index.json", {"_class_name": "StableDiffusionPipeline"}),
    ],
)
def test_what_would_be_loaded_is_what_was_digested(tmp_path, name: str, content: dict) -> None:
    """Libraries follow these to pickles and out of the folder, past every digest."""
    folder = model_folder(tmp_path / "m")
    (folder / "unet" / "weights.bin").write_bytes(b"PK\x03\x04")
    (folder / "unet" / name).write_text(json.dumps(content))
    assert refused(folder) == "weights.elsewhere"


def test_code_in_a_component_is_refused(tmp_path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "unet" / "modeling.py").write_text("raise SystemExit")
    assert refused(folder) == "weights.foreign-code"


def test_two_letters_are_no_library_and_class(tmp_path) -> None:
    """diffusers takes them for these."""
    assert refused(model_folder(tmp_path / "m", vae="ab")) == "weights.foreign-code"
    assert examine(model_folder(tmp_path / "n", variance_type="learned")).files


def test_a_pipeline_is_no_part_of_a_model(tiny_folder, tmp_path) -> None:
    """Its own parts would be loaded without being looked at."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    index = json.loads((copy / "model_index.json").read_text())
    index["vae"] = ["diffusers", "StableDiffusionPipeline"]
    (copy / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(InputError) as caught:
        load(f"dir:{copy}")
    assert caught.value.code == "model.not-loadable"
    assert "vae" in caught.value.what


def test_what_lies_beside_the_components_is_nobodys_configuration(tiny_folder, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    (copy / "config.json").write_text("[1]")
    (copy / "lora").mkdir()
    (copy / "lora" / "adapter_config.json").write_text('{"base_model_name_or_path": "x"}')
    assert examine(copy).files


def test_weights_in_parts_are_loaded_from_the_parts_that_were_digested(tiny_folder, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    whole = copy / "unet" / "diffusion_pytorch_model.safetensors"
    tensors, parts = load_file(whole), ("part-1.safetensors", "part-2.safetensors")
    half = len(tensors) // 2
    for name, among in zip(parts, (slice(half), slice(half, None)), strict=True):
        save_file(dict(list(tensors.items())[among]), whole.with_name(name), metadata={"format": "pt"})
    listed = {key: parts[number >= half] for number, key in enumerate(tensors)}
    whole.with_name(f"{whole.name}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": listed}))
    whole.unlink()
    loaded = load(f"dir:{copy}")
    assert {f"unet/{name}" for name in parts} <= {file.path for file in loaded.model.weights}
    found = loaded.pipeline.unet.state_dict()
    assert all(np.array_equal(found[key].numpy(), tensors[key]) for key in tensors)


def test_configurations_and_tokenizers_are_digested_beside_the_weights(tiny_folder, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    before = examine(copy)
    told = {file.path: file.sha256 for file in before.settings}
    assert {"model_index.json", "vae/config.json", "scheduler/scheduler_config.json"} <= told.keys()
    assert any(path.startswith("tokenizer/") for path in told)
    config = copy / "vae" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "scaling_factor": 0.05}))
    after = examine(copy)
    assert after.sha256 == before.sha256
    now = {file.path: file.sha256 for file in after.settings}
    assert {path for path in told if told[path] != now[path]} == {"vae/config.json"}


def test_no_configuration_asks_for_more_than_any_model_has(tmp_path) -> None:
    folder = model_folder(tmp_path / "m")
    config = folder / "unet" / "config.json"

    def told(text: str) -> str:
        config.write_text(text)
        with pytest.raises(InputError) as caught:
            examine(folder)
        assert (caught.value.code, caught.value.where) == ("weights.config", str(config))
        return caught.value.what

    assert "num_layers is 1,000,000,000, and 512 is the limit" in told('{"num_layers": 1000000000}')
    for body in (
        {"layers_per_block": 10**6},
        {"transformer_layers_per_block": [1, [10**6]]},
        {"block_out_channels": [64] * 1000},
        {"down_block_types": ["DownBlock2D"] * 1000},
        {"block_out_channels": [10**9]},
        {"layers_per_block": 500, "transformer_layers_per_block": 500},
        {"sample_size": [64, 10**6]},
        {"text_config": {"num_hidden_layers": 10**5}},
        {"vocab_size": 10**4000},
        {"anything": [1] * 100_000},
    ):
        told(json.dumps(body) if "vocab_size" not in body else '{"vocab_size": 1' + "0" * 4000 + "}")
    for text in ("{", "[" * 100_000, '{"a":' * 100 + "1" + "}" * 100):
        told(text)
    assert "not a JSON object" in told("[]")
    large = {"num_layers": 80, "num_single_layers": 60, "max_position_embeddings": 10_485_760, "d_ff": 65_536}
    config.write_text(
        json.dumps(large | {"rope_theta": 5 * 10**8, "vocab_size": 262_208, "sample_size": 2048})
    )
    examine(folder)


@pytest.mark.parametrize("name", ["tokenizer_config.json", "tokenizer.json", "generation_config.json"])
def test_what_libraries_take_to_be_an_object_is_one(tmp_path, name: str) -> None:
    folder = model_folder(tmp_path / "m")
    path = folder / "unet" / name
    deep = "[" * 100 + "]" * 100
    for text, said in (
        ("[]", "not a JSON object"),
        ('{"a":' * 100_000, "nested more than 64 deep"),
        (f'{{"a": {deep}}}', "nested more than 64 deep"),
        ("{", "not JSON"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=said) as caught:
            examine(folder)
        assert (caught.value.code, caught.value.where) == ("weights.config", str(path))
    path.write_text(json.dumps({"merges": [["a", "b"]] * 100_000, "model_max_length": 10**30}))
    examine(folder)
