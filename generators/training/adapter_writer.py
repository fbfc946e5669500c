"""Writes what was trained: the adapter with the digest of its record inside, and the record beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import save

from generators.adapter_files import ADAPTER, BASE, METHOD, RECORD, TRAINING
from generators.training.record import environment
from provenance.files import write_public

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from generators.training.orders import Trained
    from generators.training.record import TrainingRecord
    from provenance.canonical import Json


def write(folder: Path, trained: Trained, record: TrainingRecord) -> None:
    """The record first: an adapter that stands under its name always has the record it names beside it.

    Raises:
        InputError, ConfigurationError: as ``write_public``.
    """
    metadata = {
        "format": "pt",
        METHOD: record.method,
        BASE: record.base_weights_sha256,
        TRAINING: record.sha256,
    }
    write_public(folder / RECORD, record.to_bytes(), overwrite=True)
    write_public(folder / ADAPTER, save(dict(trained.tensors), metadata), overwrite=True)


def ran_on(generator: Any) -> dict[str, Json]:
    """The environment of a run that just ended."""
    return environment(str(generator.pipeline.device.type), torch.get_num_threads())
