"""Writes a model that was trained from nothing: its files and its record, under their name all at once."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import torch

from generators import gan_files, weights
from generators.adapter_files import RECORD
from generators.training.record import environment
from provenance.files import write_public

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from generators.training.orders import Trained
    from generators.training.record import TrainingRecord
    from provenance.canonical import Json

MODEL = "model"
"""The folder of the model, in that of the run."""


def write_model(folder: Path, trained: Trained, recorded: Callable[[str], TrainingRecord]) -> TrainingRecord:
    """Write ``folder/model``, for ``dir:PATH``.

    Args:
        folder: of the run.
        trained: of a method that makes whole models.
        recorded: the record, given the digest over the weight files.

    Raises:
        InputError, ConfigurationError: as ``write_public``.
    """
    assert trained.write is not None
    part, model = folder / f"{MODEL}.part", folder / MODEL
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    trained.write(part)
    examine = gan_files.examine if gan_files.kind_of(part) else weights.examine
    record = recorded(examine(part).sha256)
    write_public(part / RECORD, record.to_bytes(), overwrite=True)
    shutil.rmtree(model, ignore_errors=True)
    part.replace(model)
    return record


def use_threads(count: int | None) -> None:
    """Of torch; None keeps its own choice."""
    if count is not None:
        torch.set_num_threads(count)


def ran_here() -> dict[str, Json]:
    """The environment of a run without a base model."""
    return environment("cpu", torch.get_num_threads())
