"""What every training run here shares: a budget, an averaged copy of the weights, resumable checkpoints."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from generators.training import checkpoints
from generators.training.effort import Effort
from generators.training.finite import finite
from generators.training.muon import Muon, is_matrix
from generators.training.orders import STATE
from provenance.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_BESIDE = "progress.json"
"""Where checkpoints said how far they were before they said it themselves."""
_COUNT = re.compile(r"optimiser\.\d+\.step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long to train: a number of steps (repeatable) or minutes of wall clock (convenient)."""

    steps: int | None = None
    minutes: float | None = None

    def spent(self, step: int, seconds: float) -> float:
        """Fraction used, from 0 (start) to 1 (stop now); the learning rate follows it."""
        parts = [1.0] if self.steps is None and self.minutes is None else []
        if self.steps is not None:
            parts.append(step / max(1, self.steps))
        if self.minutes is not None:
            parts.append(seconds / max(1e-9, 60 * self.minutes))
        return min(1.0, max(parts))

    def part(self, share: float) -> Budget:
        """A share of it, for one stage of a run."""
        steps = None if self.steps is None else round(self.steps * share)
        return Budget(steps=steps, minutes=None if self.minutes is None else self.minutes * share)


class Run:
    """Weights, their moving average, optimisers, random state and progress of one training run.

    Matrices are trained with Muon, everything else (biases, norms, embeddings) with AdamW. So are low-rank
    changes: an orthogonal step of one factor, times the other, would be far too long a step of their product.

    Attributes:
        step: optimiser steps taken, over all sessions.
        effort: time and energy, over all sessions.
        rng: the only source of randomness of the run.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        *,
        matrix_rate: float,
        rate: float,
        average: float,
        seed: int,
        quicker: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """``quicker``: how many times faster than the others weights with this in their names learn."""
        self.model = model
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.parameters]
        embeddings = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
        apart = embeddings | {id(p) for name, p in model.named_parameters() if "lora_" in name}
        matrices = [p for p in self.parameters if is_matrix(p) and id(p) not in apart]
        inside = {id(p) for p in matrices}
        others = [p for p in self.parameters if id(p) not in inside]
        self._others = others
        named = {id(p): name for name, p in model.named_parameters()}
        groups = [_grouped(part, named, quicker) for part in (matrices, others)]
        self.optimisers: dict[torch.optim.Optimizer, float] = {
            Muon(groups[0], matrix_rate): matrix_rate,
            torch.optim.AdamW(groups[1], rate, betas=(0.9, 0.99), weight_decay=1e-4): rate,
        }
        self.rng = torch.Generator().manual_seed(seed)
        self.step = 0
        self._decay = average
        self.effort = Effort()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds trained, over all sessions."""
        return self.effort.seconds

    def advance(self, loss: torch.Tensor, spent: float, *, power: float = 1.0) -> None:
        """One optimiser step; rates warm up, then fall as (1 - ``spent``) ** ``power``.

        Raises:
            IntegrityError: ``train.not-finite``; nothing has changed then.
        """
        finite(loss).backward()  # type: ignore[no-untyped-call,unused-ignore]
        # Muon does not see the size of a gradient; AdamW does, through its slow second moment.
        torch.nn.utils.clip_grad_norm_(self._others, 1.0)
        for optimiser, peak in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = (
                    group["times"] * peak * min(1.0, (self.step + 1) / 50) * max(0.005, (1 - spent) ** power)
                )
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        decay = min(self._decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)

    def save(self, folder: Path) -> None:
        """Write the checkpoint; a crash in between leaves the one before usable.

        Raises:
            IntegrityError: ``train.not-finite``.
            InputError, ConfigurationError: as ``write_private``.
        """
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"rng": self.rng.get_state()}
        for i, (parameter, mean) in enumerate(zip(self.parameters, self.average, strict=True)):
            tensors |= {f"weight.{i}": parameter, f"average.{i}": mean}
        tensors |= checkpoints.optimiser_state(self.parameters, self.optimisers, "optimiser.")
        checkpoints.write(folder / STATE, self._identity(), tensors, self.progress())
        (folder / _BESIDE).unlink(missing_ok=True)  # of the version before; it may be of another step

    def resume(self, folder: Path) -> bool:
        """Continue from ``folder`` if it holds a checkpoint; True when it did.

        Raises:
            InputError: ``train.other-run``: it is of another network.
            IntegrityError: ``train.checkpoint-damaged``.
        """
        path = folder / STATE
        if not path.exists():
            return False
        tensors, progress = _kept(path) or checkpoints.read(path, self._identity())
        with checkpoints.continuing(path):
            for i, (parameter, mean) in enumerate(zip(self.parameters, self.average, strict=True)):
                checkpoints.put(parameter, tensors[f"weight.{i}"])
                checkpoints.put(mean, tensors[f"average.{i}"])
            checkpoints.put_optimiser_state(tensors, self.parameters, self.optimisers, "optimiser.")
            self.rng.set_state(tensors["rng"])
        self.step = progress.step
        self.effort.resume(progress.seconds, progress.energy)
        return True

    def progress(self) -> checkpoints.Progress:
        """Steps, seconds and energy until now, over all sessions."""
        return checkpoints.progress(self.effort, self.step)

    def _identity(self) -> str:
        """Of the network: names and shapes of what is trained."""
        named = self.model.named_parameters()
        return digest([[name, list(p.shape)] for name, p in named if p.requires_grad])

    def use_average(self) -> None:
        """Put the averaged weights into the model, for evaluation and export."""
        with torch.no_grad():
            for parameter, mean in zip(self.parameters, self.average, strict=True):
                parameter.copy_(mean)


def _grouped(
    parameters: Sequence[torch.nn.Parameter], named: Mapping[int, str], quicker: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Groups for an optimiser, of parameters that learn equally fast; each says so as ``times``."""
    groups: dict[float, list[torch.nn.Parameter]] = {} if parameters else {1.0: []}
    for parameter in parameters:
        times = next((t for part, t in quicker.items() if part in named[id(parameter)]), 1.0)
        groups.setdefault(times, []).append(parameter)
    return [{"params": group, "times": times} for times, group in groups.items()]


def _kept(path: Path) -> tuple[dict[str, torch.Tensor], checkpoints.Progress] | None:
    """A checkpoint of two files, as runs that were begun before have them; None: it is one file.

    Raises:
        IntegrityError: ``train.checkpoint-damaged``.
    """
    beside = path.with_name(_BESIDE)
    if not beside.is_file() or checkpoints.says_progress(path):
        return None
    with checkpoints.continuing(path):
        said = json.loads(beside.read_text(encoding="utf-8"))
        tensors = checkpoints.tensors_of(path)
        # A crash may have left the two files of different steps; AdamW's own count came with the weights.
        counts = [int(value) for name, value in tensors.items() if _COUNT.fullmatch(name)]
        step = max(counts, default=int(said["step"]))
        return tensors, checkpoints.Progress(step=step, seconds=float(said["seconds"]))
