"""Writes a model that was trained from nothing: its files and its record, under their name all at once.

The folder is its owner's only, as the words of the captions are in it.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError

from generators import gan_files, weights
from generators.adapter_files import MADE_OF, RECORD, RECORDED
from generators.trained_models import made_of_sha256
from generators.training.adapter_writer import repeatable
from generators.training.record import environment
from provenance.errors import InputError
from provenance.files import (
    PRIVATE,
    disk_errors,
    fsync_folder,
    temporaries_in,
    temporary_beside,
    write_private,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from generators.training.orders import Trained
    from generators.training.record import TrainingRecord
    from provenance.canonical import Json

MODEL = "model"
"""The folder of the model, in that of the run."""
_PRIVATE_FOLDER = 0o700
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def write_model(
    folder: Path, trained: Trained, recorded: Callable[[str], TrainingRecord], *, replace: bool
) -> TrainingRecord:
    """Write ``folder/model``, for ``dir:PATH``; on failure what stood there stands.

    Args:
        folder: of the run, where nobody else writes.
        trained: of a method that makes whole models.
        recorded: the record, given the digest over the weight files.
        replace: what has this name may be replaced.

    Raises:
        InputError: ``output.exists`` unless ``replace``; as ``write_private``.
        ConfigurationError: as ``write_private``.
    """
    assert trained.write is not None
    model = folder / MODEL
    part = temporary_beside(model)
    try:
        with disk_errors(model):
            part.mkdir(mode=_PRIVATE_FOLDER)
            with _disk_of_safetensors():
                trained.write(part)
            _name_record(part, recorded("").to_bytes())
            record = recorded(weights_of(part).sha256)
            write_private(part / RECORD, record.to_bytes())
            _make_private(part)
            _give_name(part, model, replace=replace)
    finally:
        _remove(part)
    for left in temporaries_in(folder):  # of a run that was killed while it wrote; a model may be among them
        _remove(left)
    return record


def weights_of(model: Path) -> weights.Weights:
    """The weight files of a whole model, digested.

    Raises:
        InputError: it is none; as ``generators.weights.examine`` and ``generators.gan_files.examine``.
    """
    examine = gan_files.examine if gan_files.kind_of(model) else weights.examine
    return examine(model)


def _name_record(model: Path, record: bytes) -> None:
    """The weights say that a record belongs to them and name what it tells: it is missed, edits are seen."""
    said = {RECORDED: RECORD, MADE_OF: str(made_of_sha256(record))}
    for path in model.rglob("*.safetensors"):
        path.write_bytes(repeatable(path.read_bytes(), said))


@contextmanager
def _disk_of_safetensors() -> Iterator[None]:
    """The library has an error of its own for a full disk; here it is the system's again."""
    try:
        yield
    except SafetensorError as error:
        number = _OS_ERROR.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def _give_name(part: Path, model: Path, *, replace: bool) -> None:
    """What stood there goes aside first and away last, so that there is a model at every moment but one."""
    aside = temporary_beside(model)
    if os.path.lexists(model):
        if not replace:
            hint = "give another folder with -o, or --force to replace it"
            raise InputError("output.exists", "another model stands here", where=str(model), hint=hint)
        model.rename(aside)
    try:
        part.rename(model)
    finally:
        if os.path.lexists(aside) and not os.path.lexists(model):
            aside.rename(model)
    fsync_folder(model.parent)
    _remove(aside)


def _make_private(folder: Path) -> None:
    """The libraries write as they like."""
    for path in folder.rglob("*"):
        path.chmod(_PRIVATE_FOLDER if path.is_dir() else PRIVATE)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def use_threads(count: int | None) -> None:
    """Of torch; None keeps its own choice."""
    if count is not None:
        torch.set_num_threads(count)


def ran_here() -> dict[str, Json]:
    """The environment of a run without a base model."""
    return environment("cpu", torch.get_num_threads())
