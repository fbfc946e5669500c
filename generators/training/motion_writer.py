"""Writes new motion modules with the record of their training: a motion model, as ``dir:FOLDER``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from safetensors.torch import save

from generators.adapter_files import BASE, METHOD, TRAINING
from generators.motion_files import CARD, KIND, MODULES, WEIGHTS
from generators.training.adapter_writer import repeatable, write_record
from generators.training.motion_tuning import PREFIX
from provenance.files import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from generators.training.orders import Trained
    from generators.training.record import TrainingRecord


def write_motion(folder: Path, trained: Trained, record: TrainingRecord, *, frames: int) -> None:
    """The record first, the card last: a folder with a card is whole.

    Raises:
        InputError, ConfigurationError: as ``write_private``.
    """
    tensors = {name.removeprefix(PREFIX): value for name, value in trained.tensors.items()}
    metadata = {
        "format": "pt",
        METHOD: record.method,
        BASE: record.base_weights_sha256,
        TRAINING: record.sha256,
    }
    config = {**(trained.modules or {}), "_class_name": "MotionAdapter"}
    card = {
        "kind": KIND,
        "name": "motion trained here",
        "base": record.base,
        "base_sha256": record.base_weights_sha256,
        "frames": frames,
    }
    (folder / MODULES).mkdir(mode=0o700, exist_ok=True)
    write_record(folder, record)
    weights = repeatable(save(tensors, metadata))
    write_private(folder / WEIGHTS, weights, overwrite=True)
    write_private(folder / MODULES / "config.json", _json(config), overwrite=True)
    write_private(folder / CARD, _json(card), overwrite=True)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
