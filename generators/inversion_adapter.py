"""Lets diffusers pipelines run backwards: any that takes ``latents`` and gives ``output_type="latent"``.

A pipeline knows its own prompt encoders, guidance, packing and frame axes, so it is not re-implemented
here: it runs its own loop with a scheduler that walks back (``ReverseScheduler``).

The equation of each step comes from ``generators.sampler_steps_adapter``.
"""

from __future__ import annotations

import copy
import functools
import warnings
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch

from generators.inversion import EXACT, InversionReport, Limits, LinearStep, Query, solve, walk_back
from generators.sampler_steps_adapter import NeedsHistory, linear_steps, refused
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from generators.inversion import StepReport


def invert(
    pipeline: Any, latent: torch.Tensor, arguments: Mapping[str, Any], limits: Limits = EXACT
) -> tuple[torch.Tensor, InversionReport]:
    """The noise from which ``pipeline(**arguments)`` draws ``latent``, in units of standard deviation.

    Multistep samplers (DPM-Solver++ 2M, UniPC) are inverted by deferred correction: their first-order
    member is inverted exactly, and its difference to the true sampler is taken out pass by pass.

    Args:
        pipeline: a diffusers pipeline; its scheduler is put back as it was.
        latent: as ``output_type="latent"`` gives it, packed if the pipeline packs.
        arguments: of the pipeline's call, as it was made; without latents, generator and output type.
        limits: how exactly.

    Raises:
        InputError: ``inversion.scheduler`` for samplers that draw noise, clip, or are of a family not known.
    """
    arguments = {k: v for k, v in arguments.items() if k not in ("latents", "generator", "output_type")}
    _deterministic(arguments)
    original = pipeline.scheduler
    with _quietly(), torch.no_grad():
        try:
            back = ReverseScheduler(original, limits)
            return _run_back(pipeline, back, latent, arguments)
        except NeedsHistory:
            pipeline.scheduler = original
            return _corrected(pipeline, latent, arguments, limits)
        finally:
            pipeline.scheduler = original


def run(pipeline: Any, noise: torch.Tensor, arguments: Mapping[str, Any]) -> torch.Tensor:
    """The latent that the pipeline draws from ``noise``: what ``invert`` undoes."""
    with _quietly(), torch.no_grad():
        return _latents(pipeline(**{**arguments, "latents": noise.clone(), "output_type": "latent"}))


class ReverseScheduler:
    """Stands in for a pipeline's scheduler and turns its denoising loop around.

    The loop asks it for timesteps one at a time; each is that of the equation being solved, however often
    the model has to be evaluated for it. What the loop calls the next latent is the next point to evaluate.
    """

    def __init__(self, inner: Any, limits: Limits) -> None:
        self._inner = copy.deepcopy(inner)
        self._limits = limits
        self._steps: tuple[LinearStep, ...] = ()
        self._solver: Generator[Query, Any, tuple[Any, tuple[StepReport, ...]]] | None = None
        self._at = 0
        self.reports: tuple[StepReport, ...] | None = None
        self.init_noise_sigma = 1.0
        self.order = 1
        # Pipelines look at the signatures to see which arguments a scheduler takes.
        self.set_timesteps = _signed_as(self._inner.set_timesteps, self._set_timesteps)
        self.step = _signed_as(self._inner.step, self._step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)

    @property
    def timesteps(self) -> _Timesteps:
        """As long as there is something to evaluate."""
        return _Timesteps(self)

    @property
    def sigmas(self) -> _Sigmas:
        """Noise levels; a loop that asks for the level of its own count gets that of the step it is in."""
        return _Sigmas(self)

    @property
    def noise_scale(self) -> float:
        """By what the pipeline multiplies the noise it is given."""
        return float(getattr(self._inner, "init_noise_sigma", 1.0))

    def scale_model_input(self, sample: torch.Tensor, timestep: Any = None) -> torch.Tensor:  # noqa: ARG002
        """As the model would have seen it on the way there."""
        return sample * self._steps[self._at].scale

    def _set_timesteps(self, *arguments: Any, **named: Any) -> None:
        self._inner.set_timesteps(*arguments, **named)
        self._steps = linear_steps(self._inner)
        self._solver, self.reports, self._at = None, None, len(self._steps) - 1

    def _step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, **named: Any) -> Any:  # noqa: ARG002
        if self._solver is None:
            self._solver = walk_back(sample, self._steps, self._limits)
            next(self._solver)
        try:
            query = self._solver.send(model_output)
            self._at, latent = query.index, query.latent
        except StopIteration as stopped:
            latent, self.reports = stopped.value
        return (latent,) if named.get("return_dict") is False else SimpleNamespace(prev_sample=latent)

    def __iter__(self) -> Iterator[torch.Tensor]:
        times = self._inner.timesteps
        while self.reports is None:
            yield times[self._at]


@dataclass(frozen=True, slots=True)
class _Timesteps:
    """What a pipeline loops over."""

    scheduler: ReverseScheduler

    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter(self.scheduler)

    def __len__(self) -> int:
        return len(self.scheduler._inner.timesteps)  # noqa: SLF001 - two halves of one thing

    def __getitem__(self, index: Any) -> torch.Tensor:
        chosen: torch.Tensor = self.scheduler._inner.timesteps[index]  # noqa: SLF001
        return chosen


@dataclass(frozen=True, slots=True)
class _Sigmas:
    """What a pipeline looks up by the count of its loop."""

    scheduler: ReverseScheduler

    def __len__(self) -> int:
        return len(self.scheduler._inner.sigmas)  # noqa: SLF001

    def __getitem__(self, index: Any) -> torch.Tensor:
        chosen = self.scheduler._at if isinstance(index, int) and index >= 0 else index  # noqa: SLF001
        level: torch.Tensor = self.scheduler._inner.sigmas[chosen]  # noqa: SLF001
        return level


def _signed_as(model: Callable[..., Any], call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(model)
    def called(*arguments: Any, **named: Any) -> Any:
        return call(*arguments, **named)

    return called


def _run_back(
    pipeline: Any, back: ReverseScheduler, latent: torch.Tensor, arguments: Mapping[str, Any]
) -> tuple[torch.Tensor, InversionReport]:
    pipeline.scheduler = back
    noise = _latents(pipeline(**{**arguments, "latents": latent.clone(), "output_type": "latent"}))
    name = type(back._inner).__name__  # noqa: SLF001 - the scheduler this file wraps
    return noise / back.noise_scale, InversionReport(scheduler=name, exact=True, steps=back.reports or ())


def _corrected(
    pipeline: Any, latent: torch.Tensor, arguments: Mapping[str, Any], limits: Limits
) -> tuple[torch.Tensor, InversionReport]:
    """With the first-order inverse B, iterates ``x ← x + B(latent) - B(forwards(x))``."""
    original = pipeline.scheduler
    first_order = _first_order(original)

    def back(reached: torch.Tensor) -> tuple[torch.Tensor, InversionReport]:
        return _run_back(pipeline, ReverseScheduler(first_order, limits), reached, arguments)

    def forwards(noise: torch.Tensor) -> torch.Tensor:
        pipeline.scheduler = type(original).from_config(original.config)
        return run(pipeline, noise, arguments)

    start, report = back(latent)
    if limits.iterations == 1:
        return start, replace(report, scheduler=type(original).__name__, exact=False)
    noise, told = solve(lambda guess: guess + start - back(forwards(guess))[0], start, limits)
    closure = float((forwards(noise) - latent).norm() / latent.norm())
    return noise, InversionReport(
        scheduler=type(original).__name__, exact=told.converged, steps=(told,), closure=closure
    )


def _first_order(scheduler: Any) -> Any:
    """The member of the same family that needs no history."""
    if "solver_order" not in scheduler.config:
        raise refused(scheduler, "its steps depend on earlier ones, and it has no first-order member")
    changes: dict[str, Any] = {"solver_order": 1}
    if "disable_corrector" in scheduler.config:
        changes["disable_corrector"] = list(range(1000))
    return type(scheduler).from_config(scheduler.config, **changes)


def _deterministic(arguments: Mapping[str, Any]) -> None:
    if arguments.get("eta"):
        raise InputError(
            "inversion.scheduler",
            "a picture drawn with eta above 0 cannot be followed back: fresh noise entered at every step",
            hint="draw it with eta 0",
        )


def _latents(result: Any) -> torch.Tensor:
    for name in ("images", "frames", "sample"):
        if isinstance(found := getattr(result, name, None), torch.Tensor):
            return found
    raise InputError(
        "inversion.pipeline", "this pipeline does not give its latents", where=type(result).__name__
    )


def _quietly() -> Any:
    return warnings.catch_warnings(action="ignore")
