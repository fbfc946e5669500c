"""Writes what was trained: the adapter with the digest of its record inside, and the record beside it."""

from __future__ import annotations

import hashlib
import json
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save

from generators.adapter_files import ADAPTER, BASE, METHOD, RECORD, TRAINING
from generators.tensor_files import METADATA, metadata_of
from generators.training.record import environment
from provenance.files import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from generators.training.orders import Trained
    from generators.training.record import TrainingRecord
    from provenance.canonical import Json


def write(folder: Path, trained: Trained, record: TrainingRecord) -> None:
    """The record first: an adapter that stands under its name always has the record it names beside it.

    Raises:
        InputError, ConfigurationError: as ``write_private``.
    """
    metadata = {
        "format": "pt",
        METHOD: record.method,
        BASE: record.base_weights_sha256,
        TRAINING: record.sha256,
    }
    write_record(folder, record)
    write_private(folder / ADAPTER, repeatable(save(dict(trained.tensors), metadata)), overwrite=True)


def write_record(folder: Path, record: TrainingRecord) -> None:
    """An earlier record, which manifests may name by its digest, is kept as ``training.DIGITS.json``."""
    earlier = folder / RECORD
    if earlier.is_file():
        kept = earlier.read_bytes()
        name = f"training.{hashlib.sha256(kept).hexdigest()[:16]}.json"
        write_private(folder / name, kept, overwrite=True)
    write_private(folder / RECORD, record.to_bytes(), overwrite=True)


def repeatable(file: bytes, said: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """The same file with its header sorted: the library writes metadata in an order drawn at random.

    Args:
        file: a whole safetensors file.
        said: further metadata.
    """
    length = int.from_bytes(file[:8], "little")
    told = json.loads(file[8 : 8 + length])
    if said:
        told[METADATA] = {**metadata_of(told), **said}
    header = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # tensors begin at a multiple of eight bytes
    return len(header).to_bytes(8, "little") + header + file[8 + length :]


def ran_on(generator: Any) -> dict[str, Json]:
    """The environment of a run that just ended."""
    return environment(str(generator.pipeline.device.type), torch.get_num_threads())
