"""What every training run here shares: a budget, an averaged copy of the weights, resumable checkpoints.

A checkpoint is a folder of safetensors and one JSON file; nothing in it is ever unpickled.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from generators.training.muon import Muon, is_matrix

if TYPE_CHECKING:
    from pathlib import Path


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
        rng: the only source of randomness of the run.
    """

    def __init__(
        self, model: torch.nn.Module, *, matrix_rate: float, rate: float, average: float, seed: int
    ) -> None:
        self.model = model
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.parameters]
        embeddings = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
        apart = embeddings | {id(p) for name, p in model.named_parameters() if "lora_" in name}
        matrices = [p for p in self.parameters if is_matrix(p) and id(p) not in apart]
        inside = {id(p) for p in matrices}
        others = [p for p in self.parameters if id(p) not in inside]
        self._others = others
        self.optimisers: dict[torch.optim.Optimizer, float] = {
            Muon(matrices, matrix_rate): matrix_rate,
            torch.optim.AdamW(others, rate, betas=(0.9, 0.99), weight_decay=1e-4): rate,
        }
        self.rng = torch.Generator().manual_seed(seed)
        self.step = 0
        self._decay = average
        self._earlier, self._since = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds trained, over all sessions."""
        return self._earlier + time.monotonic() - self._since

    def advance(self, loss: torch.Tensor, spent: float, *, power: float = 1.0) -> None:
        """One optimiser step; rates warm up, then fall as (1 - ``spent``) ** ``power``."""
        loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
        # Muon does not see the size of a gradient; AdamW does, through its slow second moment.
        torch.nn.utils.clip_grad_norm_(self._others, 1.0)
        for optimiser, peak in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = peak * min(1.0, (self.step + 1) / 50) * max(0.005, (1 - spent) ** power)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        decay = min(self._decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)

    def save(self, folder: Path) -> None:
        """Write the checkpoint; a crash in between leaves the one before usable."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"rng": self.rng.get_state()}
        for i, (parameter, mean) in enumerate(zip(self.parameters, self.average, strict=True)):
            tensors[f"weight.{i}"] = parameter.detach().contiguous()
            tensors[f"average.{i}"] = mean.contiguous()
            for name, value in self._optimiser_of(parameter).state.get(parameter, {}).items():
                tensors[f"optimiser.{i}.{name}"] = torch.as_tensor(value).contiguous()
        part = folder / "state.part"
        save_file(tensors, part)
        part.replace(folder / "state.safetensors")
        progress = {"step": self.step, "seconds": round(self.seconds, 1)}
        (folder / "progress.json").write_text(json.dumps(progress))

    def resume(self, folder: Path) -> bool:
        """Continue from ``folder`` if it holds a checkpoint; True when it did."""
        if not (folder / "state.safetensors").exists():
            return False
        tensors = load_file(folder / "state.safetensors")
        with torch.no_grad():
            for i, (parameter, mean) in enumerate(zip(self.parameters, self.average, strict=True)):
                parameter.copy_(tensors[f"weight.{i}"])
                mean.copy_(tensors[f"average.{i}"])
                prefix = f"optimiser.{i}."
                state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
                if state:
                    self._optimiser_of(parameter).state[parameter] = state
        self.rng.set_state(tensors["rng"])
        progress = json.loads((folder / "progress.json").read_text())
        self.step, self._earlier = int(progress["step"]), float(progress["seconds"])
        self._since = time.monotonic()
        return True

    def _optimiser_of(self, parameter: torch.Tensor) -> torch.optim.Optimizer:
        matrix, other = self.optimisers
        return other if any(parameter is p for p in self._others) else matrix

    def use_average(self) -> None:
        """Put the averaged weights into the model, for evaluation and export."""
        with torch.no_grad():
            for parameter, mean in zip(self.parameters, self.average, strict=True):
                parameter.copy_(mean)
