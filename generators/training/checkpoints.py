"""Checkpoints of every training run: one safetensors file, replaced whole, private, never unpickled.

One file, so that a crash cannot leave weights, optimiser and progress of different moments. Its metadata say
which run it is of and how far that got.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import safetensors
import torch
from safetensors.torch import save as to_bytes

from generators.training.effort import from_json, to_json
from generators.training.finite import check_finite
from generators.training.orders import CHECKPOINT
from provenance.errors import InputError, IntegrityError
from provenance.files import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from generators.training.effort import Effort
    from provenance.canonical import Json

_RUN, _PROGRESS = "run", "progress"
"""Metadata."""
_VALUE = "value"
_UNREADABLE = (safetensors.SafetensorError, OSError, LookupError, TypeError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run got.

    Attributes:
        step: steps taken, over all sessions.
        loss_before: on fixed draws before the first; no number where nobody measured.
        seconds: of wall clock, over all sessions.
        energy: over all sessions, as ``generators.training.effort.to_json``; None where nobody metered.
    """

    step: int
    loss_before: float = float("nan")
    seconds: float = 0.0
    energy: Mapping[str, Json] | None = None


def progress(effort: Effort, step: int, loss_before: float = float("nan")) -> Progress:
    """Steps and what they took until now."""
    seconds, energy = round(effort.seconds, 1), to_json(effort.energy())
    return Progress(step=step, loss_before=loss_before, seconds=seconds, energy=energy)


def write(path: Path, identity: str, tensors: Mapping[str, torch.Tensor], at: Progress) -> None:
    """Write one; a crash at any moment leaves this one or the one before, whole.

    Raises:
        IntegrityError: ``train.not-finite``: it would be of no use; the one before stays.
        InputError, ConfigurationError: as ``write_private``.
    """
    check_finite(
        (t for t in tensors.values() if t.is_floating_point()), "the weights are no numbers any more"
    )
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {_RUN: identity, _PROGRESS: json.dumps(asdict(at))}
    write_private(path, to_bytes(kept, metadata), overwrite=True)


def read(path: Path, identity: str) -> tuple[dict[str, torch.Tensor], Progress]:
    """Tensors and progress.

    Raises:
        InputError: ``train.other-run``.
        IntegrityError: ``train.checkpoint-damaged``.
    """
    with continuing(path):
        run, progress = _said(path)
        if run != identity:
            raise _other_run(path)
        return tensors_of(path), progress


def says_progress(path: Path) -> bool:
    """False where the file is damaged, or of a run that kept its progress elsewhere."""
    try:
        _said(path)
    except _UNREADABLE:
        return False
    return True


def reached(path: Path, identity: str) -> int | None:
    """The step of the checkpoint ``path``; None where there is none of this run that can be read."""
    try:
        run, progress = _said(path)
    except _UNREADABLE:
        return None
    return progress.step if run == identity else None


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    """Whatever tensors the file holds; raises as the library does."""
    with safetensors.safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping


@contextmanager
def continuing(path: Path) -> Iterator[None]:
    """What the library says of a damaged file, and what does not fit into the networks, in one line.

    Raises:
        IntegrityError: ``train.checkpoint-damaged``.
    """
    try:
        yield
    except (*_UNREADABLE, RuntimeError) as error:
        raise IntegrityError(
            "train.checkpoint-damaged",
            "the checkpoint cannot be read, or is of networks of another size",
            where=str(path),
            hint="remove it and train again, or give another folder with -o",
        ) from error


def put(place: torch.Tensor, value: torch.Tensor) -> None:
    """Copy ``value`` into ``place``.

    Raises:
        ValueError: they differ in shape; torch would stretch some silently.
    """
    if place.shape != value.shape:
        raise ValueError("tensors of another size")
    with torch.no_grad():
        place.copy_(value)


def optimiser_state(
    parameters: Sequence[torch.Tensor], optimisers: Iterable[torch.optim.Optimizer], prefix: str = ""
) -> dict[str, torch.Tensor]:
    """What the optimisers know of each parameter, as ``PREFIX + NUMBER.NAME``."""
    owners, found = _owners(optimisers), {}
    for i, parameter in enumerate(parameters):
        for name, value in owners[id(parameter)].state.get(parameter, {}).items():
            found[f"{prefix}{i}.{name}"] = torch.as_tensor(value)
    return found


def put_optimiser_state(
    tensors: Mapping[str, torch.Tensor],
    parameters: Sequence[torch.Tensor],
    optimisers: Iterable[torch.optim.Optimizer],
    prefix: str = "",
) -> None:
    """The inverse of ``optimiser_state``; raises ``LookupError`` at numbers of other networks."""
    found: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.removeprefix(prefix).partition(".")
        if key.startswith(prefix) and number.isdigit():
            # AdamW counts steps on the CPU and keeps its means where the parameter is.
            device = value.device if name == "step" else parameters[int(number)].device
            found.setdefault(int(number), {})[name] = value.to(device)
    owners = _owners(optimisers)
    for i, state in found.items():
        owners[id(parameters[i])].state[parameters[i]] = state


def _owners(optimisers: Iterable[torch.optim.Optimizer]) -> dict[int, torch.optim.Optimizer]:
    """By the identity of the parameter in memory."""
    return {id(p): one for one in optimisers for group in one.param_groups for p in group["params"]}


def save(
    work: Path,
    identity: str,
    parameters: Sequence[torch.nn.Parameter],
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """``write`` for parameters under one optimiser, as ``work/checkpoint.safetensors``."""
    tensors = {f"{i}.{_VALUE}": parameter for i, parameter in enumerate(parameters)}
    state = optimiser_state(parameters, [optimiser])
    write(work / CHECKPOINT, identity, {**tensors, **state}, progress)


def load(
    work: Path, identity: str, parameters: Sequence[torch.nn.Parameter], optimiser: torch.optim.Optimizer
) -> Progress | None:
    """Continue from the checkpoint in ``work``, if there is one; raises as ``read``."""
    path = work / CHECKPOINT
    if not path.is_file():
        return None
    tensors, progress = read(path, identity)
    with continuing(path):
        for i, parameter in enumerate(parameters):
            put(parameter, tensors.pop(f"{i}.{_VALUE}"))
        put_optimiser_state(tensors, parameters, [optimiser])
    return progress


def _said(path: Path) -> tuple[str, Progress]:
    """The name of the run and how far it got; raises one of ``_UNREADABLE``."""
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
    said = Progress(**json.loads(metadata[_PROGRESS]))
    if said.energy is not None:
        from_json(said.energy)
    before, seconds = float(said.loss_before), float(said.seconds)
    return metadata.get(_RUN, ""), replace(said, step=int(said.step), loss_before=before, seconds=seconds)


def _other_run(path: Path) -> InputError:
    return InputError(
        "train.other-run",
        "the checkpoint here belongs to a run on other pictures, words, settings or weights",
        where=str(path),
        hint="give another folder with -o, or remove the checkpoint",
    )
