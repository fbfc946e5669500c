"""What stands in a run's folder before it begins: the finished run, one to go on with, or files of others."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import safetensors

from generators.adapter_files import ADAPTER, PRIVATE, RECORD, TRAINING, record_beside
from generators.motion_files import WEIGHTS, is_motion
from generators.trained_models import training_of
from generators.training import checkpoints
from generators.training.model_writer import MODEL, weights_of
from generators.training.orders import METHODS
from generators.training.record import TrainingRecord
from provenance.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

    from generators.training.orders import TrainingOrder

_NO_RESULT = (
    InputError,
    IntegrityError,
    safetensors.SafetensorError,
    OSError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
)
"""What reading says of files that are no result of a run."""


def finished_record(
    folder: Path, identity: str, order: TrainingOrder, *, replace: bool
) -> TrainingRecord | None:
    """The record of this very run, where it is finished here; None where there is something to do.

    An adapter or record is this run's to replace where its checkpoint is. A whole model is never: its run has
    one end, so that another model under its name is somebody's.

    Args:
        folder: of the outputs.
        identity: ``generators.training.orders.run_digest``.
        order: of the run; one that took fewer steps goes on.
        replace: files of others may be replaced.

    Raises:
        InputError: ``output.exists``.
    """
    method = METHODS[order.method]
    checkpoint = folder / method.checkpoint
    reached = checkpoints.reached(checkpoint, identity)
    if reached == order.steps and (record := _standing(folder, order)):
        return record
    if reached is None and checkpoint.exists():
        return None  # of another run, or damaged: whoever continues it says so, and no --force helps
    names = (MODEL,) if method.whole else (ADAPTER, WEIGHTS, RECORD)
    if reached is None:
        names = (*names, PRIVATE)  # a method of another checkpoint may have left it, and may need it
    found = [name for name in names if os.path.lexists(folder / name)]
    ours = reached is not None and not method.whole
    if found and not replace and not ours:
        raise InputError(
            "output.exists",
            "another model stands here" if MODEL in found else "another adapter or its record stands here",
            where=str(folder / found[0]),
            hint="give another folder with -o, or --force to replace it",
        )
    return None


def _standing(folder: Path, order: TrainingOrder) -> TrainingRecord | None:
    """The record of the result that stands here, if each names the other and it tells of as many steps."""
    result = folder / MODEL if METHODS[order.method].whole else folder
    try:
        written = record_beside(result) or b""
        record = TrainingRecord.from_bytes(written)
        digest = hashlib.sha256(written).hexdigest()
        if METHODS[order.method].whole:
            training = training_of(weights_of(result))
            same = training is not None and digest == training.sha256 == record.sha256
        else:
            same = _named(folder) == digest == record.sha256
    except _NO_RESULT:
        return None  # written anew, from the checkpoint
    told = record.method, record.settings.get("steps")
    return record if same and told == (order.method, order.steps) else None


def _named(folder: Path) -> str | None:
    """Digest of the record that the adapter or the motion modules name."""
    weights = folder / (WEIGHTS if is_motion(folder) else ADAPTER)
    with safetensors.safe_open(weights, framework="np") as file:
        return (file.metadata() or {}).get(TRAINING)
