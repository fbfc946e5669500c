"""Tensors come through one reader: bounded, and every failure is one line of ours."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from generators.tensor_files import METADATA, metadata_of, read_header
from generators.tensors_adapter import filled, read_tensors
from provenance.errors import InputError

HALF = {"b": torch.ones(2, dtype=torch.float16), "a": torch.zeros(3)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(HALF, tmp_path / "a.safetensors", metadata={"order": "a b"})
    return tmp_path / "a.safetensors"


def test_tensors_come_sorted_and_in_single_precision(file: Path) -> None:
    found = read_tensors(file)
    assert [(name, value.dtype) for name, value in found.items()] == [
        ("a", torch.float32),
        ("b", torch.float32),
    ]
    assert read_tensors(file, single=False)["b"].dtype is torch.float16


def test_a_file_larger_than_allowed_is_not_read(file: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_tensors(file, most=file.stat().st_size - 1)
    assert caught.value.code == "weights.too-large"


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04N.", struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 9) + b'{"a": 3}']
)
def test_whatever_is_wrong_is_the_callers_error_or_ours(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert read_header(file) is None
    with pytest.raises(InputError) as caught:
        read_tensors(file)
    assert caught.value.code == "weights.not-safetensors"
    refusal = InputError("gan.layout", "not of this model")
    with pytest.raises(InputError) as caught:
        read_tensors(file, refusal=refusal)
    assert caught.value is refusal


def test_what_a_file_says_of_itself_needs_no_library(file: Path) -> None:
    header = read_header(file)
    assert header is not None
    assert header.keys() == {METADATA, "a", "b"}
    assert header["b"]["shape"] == [2]
    assert metadata_of(header) == {"order": "a b"}
    assert read_header(file.parent / "none") is None
    assert metadata_of(None) == {}


def test_a_network_of_other_tensors_is_one_error(file: Path) -> None:
    with pytest.raises(InputError, match="no such network"):
        filled(torch.nn.Linear(2, 2), file, what="no such network")
