"""What a diffusers sampler does to numbers in each of its steps, read off the sampler itself.

``step`` is run on coordinate vectors, one for every latent and every model output, which gives the exact
factors whatever the prediction type, spacing, shift or final sigma. The same run shows what cannot be
inverted: noise drawn inside ``step``, values cut off, and samplers that need more than the last latent.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

from generators.inversion import LinearStep
from provenance.errors import InputError

_NONLINEAR = ("clip_sample", "thresholding")
"""Options under which a step is not invertible at all: values are cut off."""


def linear_steps(scheduler: Any) -> tuple[LinearStep, ...]:
    """The steps of a scheduler whose timesteps are set; the scheduler is left as it was.

    Raises:
        InputError: ``inversion.scheduler`` for samplers that draw noise or clip.
        NeedsHistory: multistep samplers.
    """
    for name in _NONLINEAR:
        if scheduler.config.get(name):
            raise refused(scheduler, f"it cuts values off ({name})")
    with torch.random.fork_rng(devices=[]):
        first, scales = _traced(scheduler, seed=0)
        again, _ = _traced(scheduler, seed=1)
    if not torch.equal(first, again):
        raise refused(scheduler, "it draws fresh noise in every step")
    count = len(first)
    times = [float(time) for time in scheduler.timesteps]
    # Rows: steps. Columns: latents 0 … count-1, then model outputs 0 … count-1.
    own = torch.zeros_like(first, dtype=torch.bool)
    for index in range(count):
        own[index, [index, count + index]] = True
    if (first[~own].abs() > 1e-6 * first.abs().max()).any():
        raise NeedsHistory
    steps = tuple(
        LinearStep(
            timestep=times[i], keep=float(first[i, i]), push=float(first[i, count + i]), scale=scales[i]
        )
        for i in range(count)
    )
    if min(abs(step.keep) for step in steps) < 1e-4:
        raise refused(scheduler, "one of its steps forgets the latent it starts from")
    return steps


class NeedsHistory(Exception):  # noqa: N818 - a branch, not an error
    """The next latent depends on more than the last one."""


def _traced(scheduler: Any, *, seed: int) -> tuple[torch.Tensor, list[float]]:
    """(steps, 2 · steps) factors of all latents and outputs in each next latent, and each input's scale."""
    torch.manual_seed(seed)
    traced = copy.deepcopy(scheduler)
    times = list(traced.timesteps)
    count = len(times)
    # Schedulers expect (batch, channels, height, width); every number is treated alike.
    basis = torch.eye(2 * count, dtype=torch.float64).reshape(2 * count, 1, 2 * count, 1, 1)
    rows, scales = [], []
    for index, time in enumerate(times):
        seen = traced.scale_model_input(basis[index], time) if _scales(traced) else basis[index]
        scales.append(float(seen.flatten()[index]))
        after = traced.step(basis[count + index], time, basis[index], return_dict=False)[0]
        rows.append(after.flatten().to(torch.float64))
    return torch.stack(rows), scales


def _scales(scheduler: Any) -> bool:
    return hasattr(scheduler, "scale_model_input")


def refused(scheduler: Any, why: str) -> InputError:
    """The error for a sampler that cannot be run backwards."""
    return InputError(
        "inversion.scheduler",
        f"this sampler cannot be run backwards: {why}",
        where=type(scheduler).__name__,
        hint="draw with a deterministic sampler: ddim, euler, flow matching, dpm++",
    )
