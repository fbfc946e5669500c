"""What stands in a run's folder before it begins: the finished run, one to go on with, or files of others."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import safetensors

from generators.adapter_files import ADAPTER, RECORD, TRAINING
from generators.motion_files import MODULES, is_motion
from generators.training import checkpoints
from generators.training.record import TrainingRecord
from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path

_MODULES = f"{MODULES}/diffusion_pytorch_model.safetensors"
_MOST = 64 * 2**20
"""Bytes of a record; one of 10,000 files has about two million."""


def finished_record(folder: Path, identity: str, steps: int, *, replace: bool) -> TrainingRecord | None:
    """The record of this very run, where it is finished here; None where there is something to do.

    Args:
        folder: of the outputs.
        identity: ``generators.training.orders.run_digest``.
        steps: altogether; a run that took fewer goes on.
        replace: files of others may be replaced.

    Raises:
        InputError: ``output.exists``: an adapter or record stands here, and no checkpoint says whose.
    """
    standing = [name for name in (ADAPTER, _MODULES, RECORD) if (folder / name).exists()]
    if standing and not replace and not (folder / checkpoints.NAME).exists():
        raise InputError(
            "output.exists",
            "another adapter or its record stands here",
            where=str(folder / standing[0]),
            hint="give another folder with -o, or --force to replace it",
        )
    if len(standing) < 2 or checkpoints.reached(folder, identity) != steps:
        return None
    return _named_record(folder, steps)


def _named_record(folder: Path, steps: int) -> TrainingRecord | None:
    """The record, if the adapter beside it names it and it tells of as many steps."""
    try:
        weights = folder / (_MODULES if is_motion(folder) else ADAPTER)
        with safetensors.safe_open(weights, framework="np") as file:
            named = (file.metadata() or {}).get(TRAINING)
        written = read_bounded(folder / RECORD, most=_MOST)
        record = TrainingRecord.from_bytes(written)
    except (InputError, safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None  # written anew, from the checkpoint
    same = named == hashlib.sha256(written).hexdigest() == record.sha256
    return record if same and record.settings.get("steps") == steps else None
