"""Checkpoints of tuning runs: one safetensors file, replaced whole, never unpickled."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import safetensors
import torch
from safetensors.torch import save as to_bytes

from provenance.errors import InputError, IntegrityError
from provenance.files import write_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Steps taken, and the loss on fixed draws before the first."""

    step: int
    loss_before: float


def save(
    work: Path,
    identity: str,
    parameters: Sequence[torch.nn.Parameter],
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Write the checkpoint; a crash at any moment leaves this one or the one before, whole.

    Raises:
        InputError, ConfigurationError: as ``write_private``.
    """
    tensors: dict[str, torch.Tensor] = {}
    for i, parameter in enumerate(parameters):
        tensors[f"{i}.value"] = parameter.detach().cpu().contiguous()
        for name, value in optimiser.state[parameter].items():
            tensors[f"{i}.{name}"] = torch.as_tensor(value).detach().cpu().contiguous()
    metadata = {"run": identity, "progress": json.dumps(asdict(progress))}
    write_private(work / NAME, to_bytes(tensors, metadata), overwrite=True)


def reached(work: Path, identity: str) -> int | None:
    """The step of the checkpoint in ``work``; None where there is none of this run that can be read."""
    try:
        with safetensors.safe_open(work / NAME, framework="pt") as file:
            metadata = file.metadata() or {}
        return int(json.loads(metadata["progress"])["step"]) if metadata.get("run") == identity else None
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None


def load(
    work: Path, identity: str, parameters: Sequence[torch.nn.Parameter], optimiser: torch.optim.Optimizer
) -> Progress | None:
    """Continue from the checkpoint in ``work``, if there is one.

    Raises:
        InputError: ``train.other-run``.
        IntegrityError: ``train.checkpoint-damaged``.
    """
    path = work / NAME
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if metadata.get("run") != identity:
            raise _other_run(path)
        progress = Progress(**json.loads(metadata["progress"]))
        _restore(tensors, parameters, optimiser)
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise IntegrityError(
            "train.checkpoint-damaged",
            "the checkpoint cannot be read",
            where=str(path),
            hint="remove it and train again, or give another folder with -o",
        ) from error
    return progress


def _restore(
    tensors: dict[str, torch.Tensor],
    parameters: Sequence[torch.nn.Parameter],
    optimiser: torch.optim.Optimizer,
) -> None:
    with torch.no_grad():
        for i, parameter in enumerate(parameters):
            prefix = f"{i}."
            parameter.copy_(tensors.pop(prefix + "value"))
            state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            # AdamW counts steps on the CPU and keeps its means where the parameter is.
            optimiser.state[parameter] = {
                name: value if name == "step" else value.to(parameter.device) for name, value in state.items()
            }


def _other_run(path: Path) -> InputError:
    return InputError(
        "train.other-run",
        "the checkpoint here belongs to a run on other pictures, words, settings or weights",
        where=str(path),
        hint="give another folder with -o, or remove the checkpoint",
    )
