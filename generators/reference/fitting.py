"""The loop of all trained reference models: seeded, logged, resumable, weights averaged at the end."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import save_file

from generators.tensors_adapter import read_tensors
from generators.training.loop import Budget, Run
from provenance.errors import Error, InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch

_EVERY = 250
"""Steps between checkpoints."""
_LOG = logging.getLogger(__name__)


def fit(
    model: torch.nn.Module,
    loss: Callable[[torch.Generator], torch.Tensor],
    *,
    work: Path,
    steps: int,
    seed: int,
    rate: float = 1e-3,
    matrix_rate: float = 0.01,
    average: float = 0.995,
    beside: dict[str, torch.Tensor] | None = None,
) -> None:
    """Train ``model`` for ``steps`` over all sessions, with checkpoints in ``work``; the average stays in it.

    Args:
        loss: draws a batch with the generator it is given and returns what to make small.
        beside: tensors that belong to the state of the run; kept with it and put back by a resumed one.

    Raises:
        InputError: the loss is no longer a number.
        IntegrityError: the checkpoint cannot be read.
    """
    run = Run(model, matrix_rate=matrix_rate, rate=rate, average=average, seed=seed)
    _resume(run, work, beside)
    budget = Budget(steps=steps)
    model.train()
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        value = loss(run.rng)
        if not value.isfinite():
            what = f"the loss is no number at step {run.step}; the checkpoint before stands"
            raise InputError("reference.diverged", what, where=str(work))
        run.advance(value, spent)
        if run.step % 100 == 0:
            _LOG.info("%s: step %d of %d, loss %.4f", work.name, run.step, steps, float(value.detach()))
        if run.step % _EVERY == 0:
            _save(run, work, beside)
    _save(run, work, beside)
    run.use_average()
    model.eval()


def settle(work: Path, settings: Mapping[str, Any]) -> None:
    """Note what this run is about, or check that it is what the run begun in ``work`` was about.

    Raises:
        InputError: the checkpoints there belong to another run.
    """
    path = work / "settings.json"
    said = json.dumps(settings, sort_keys=True)
    if path.is_file() and path.read_text(encoding="utf-8") != said:
        what = "the checkpoints there are of a run with another model, other data or another seed"
        raise InputError("reference.other-run", what, where=str(work), hint="give another --out")
    path.write_text(said, encoding="utf-8")


def _save(run: Run, work: Path, beside: dict[str, torch.Tensor] | None) -> None:
    """What lies beside carries the step in its name: a crash in between leaves both of before."""
    kept = _beside(work, run.step)
    if beside is not None:
        work.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in beside.items()}, kept)
    run.save(work)
    for old in work.glob("beside-*.safetensors"):
        if old != kept:
            old.unlink()


def _beside(work: Path, step: int) -> Path:
    return work / f"beside-{step}.safetensors"


def _resume(run: Run, work: Path, beside: dict[str, torch.Tensor] | None) -> None:
    try:
        if run.resume(work):
            _LOG.info("%s: resumed at step %d", work.name, run.step)
            if beside is not None:
                beside.update(read_tensors(_beside(work, run.step), single=False))
    except (Error, SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        hint = "take the folder away to begin anew"
        what = "the checkpoint cannot be continued: it is damaged or of another version"
        raise IntegrityError("reference.checkpoint", what, where=str(work), hint=hint) from error
