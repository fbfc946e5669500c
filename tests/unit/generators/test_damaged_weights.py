"""Damaged weights, and weights of another network, are named in a plain sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from generators.registry import load
from generators.tensor_files import damage
from provenance.errors import InputError

UNET = "unet/diffusion_pytorch_model.safetensors"


def overlapping(data: bytes) -> bytes:
    """The same file with the last tensor where the first is."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    names = sorted(set(header) - {"__metadata__"}, key=lambda name: header[name]["data_offsets"])
    header[names[-1]]["data_offsets"] = header[names[0]]["data_offsets"]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-5], "bytes of tensors where its header says"),
        (lambda data: data + b"more", "bytes of tensors where its header says"),
        (overlapping, "overlap"),
        (lambda data: data[:8] + b"{" + b"!" * 20 + data[29:], "list of tensors cannot be read"),
    ],
)
def test_a_damaged_file_is_named(tiny_folder: Path, tmp_path: Path, change, said: str) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    assert all(damage(path) is None for path in copy.rglob("*.safetensors"))
    (copy / UNET).write_bytes(change((copy / UNET).read_bytes()))
    with pytest.raises(InputError, match=said) as caught:
        load(f"dir:{copy}", threads=1)
    assert (caught.value.code, caught.value.where) == ("weights.damaged", f"copy/{UNET}")


@pytest.mark.parametrize(("shape", "named"), [(None, "unet/conv_out.bias"), ((7,), "conv_out.bias")])
def test_weights_of_another_network_are_named(tiny_folder: Path, tmp_path: Path, shape, named: str) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    tensors = load_file(copy / UNET)
    del tensors["conv_out.bias"]
    save_file(tensors if shape is None else {**tensors, "conv_out.bias": torch.zeros(shape)}, copy / UNET)
    with pytest.raises(InputError) as caught:
        load(f"dir:{copy}", threads=1)
    assert caught.value.code == "model.not-loadable"
    assert caught.value.what == f"the weights do not fit the configuration: {named}"


@pytest.mark.parametrize("file", [UNET, "text_encoder/model.safetensors"])
def test_a_tensor_that_the_network_has_no_place_for_is_named(
    tiny_folder: Path, tmp_path: Path, file: str
) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    surplus = {"hidden.weight": torch.zeros(3), "other.bias": torch.zeros(1)}
    save_file({**load_file(copy / file), **surplus}, copy / file, {"format": "pt"})
    with pytest.raises(
        InputError, match=r"no place for a tensor of the files: hidden\.weight and 1"
    ) as caught:
        load(f"dir:{copy}", threads=1)
    assert (caught.value.code, caught.value.where) == ("weights.damaged", f"copy/{file.partition('/')[0]}")


def test_what_older_files_hold_beside_their_weights_is_no_surplus(tiny_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    path = copy / "text_encoder" / "model.safetensors"
    tensors = {f"text_model.{name}": value for name, value in load_file(path).items()}
    beside = {"text_model.embeddings.position_ids": torch.arange(16)[None], "logit_scale": torch.ones(())}
    save_file({**tensors, **beside, "text_projection.weight": torch.ones(4, 4)}, path, {"format": "pt"})
    drawn = [load(f"dir:{folder}", threads=1).pipeline.text_encoder for folder in (tiny_folder, copy)]
    before, after = (encoder.state_dict() for encoder in drawn)
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_text_encoder_with_a_part_missing_is_not_filled_with_random_numbers(
    tiny_folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    path = copy / "text_encoder" / "model.safetensors"
    tensors = load_file(path)
    tensors.pop(next(name for name in tensors if name.endswith("fc1.weight")))
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(InputError, match="numbers that the network has") as caught:
        load(f"dir:{copy}", threads=1)
    assert (caught.value.code, caught.value.where) == ("weights.damaged", "copy/text_encoder")
