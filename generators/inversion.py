"""From a finished latent back to the noise it was drawn from, step by step, as exactly as asked.

A deterministic one-step sampler computes ``x_next = keep · x + push · model(x, t)``. Backwards that is
an equation for x, since the model is evaluated at the unknown: ``x = (x_next - push · model(x, t)) / keep``.
Reverse Euler evaluates it once, at ``x_next``, and is off by the step's curvature. Here the equation is
solved to a tolerance: Anderson's accelerated fixed-point iteration (Walker & Ni 2011), with its step
halved whenever the residual grows. What was reached is reported step by step; nothing is assumed.

The arithmetic is on whatever arrays the caller brings (numpy or torch); no heavy library is imported here.
``generators.inversion_adapter`` drives diffusers pipelines with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far each step is solved.

    Attributes:
        tolerance: relative change at which an iteration has converged; float32 ends near 2e-7.
        iterations: model evaluations for a step at most. 1 is plain reverse Euler: less exact, and less
            sensitive to noise in the latent it starts from.
        memory: earlier iterates that Anderson's method mixes; 0 leaves the plain iteration.
        passes: corrections of a multistep sampler, each one run forwards and one back.
    """

    tolerance: float = 1e-6
    iterations: int = 30
    memory: int = 5
    passes: int = 12

    def __post_init__(self) -> None:
        if self.tolerance <= 0 or self.iterations < 1 or self.memory < 0 or self.passes < 1:
            raise ValueError("tolerance, iterations and passes are positive, memory is not negative")


EXACT = Limits()
"""Every step to the precision of float32, where its iteration converges."""
ROBUST = Limits(iterations=1)
"""One evaluation a step: for latents that come from pixels, whose noise an exact inverse enlarges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearStep:
    """One step of a sampler as it acts on numbers: ``x_next = keep · x + push · model(scale · x, timestep)``.

    Attributes:
        timestep: what the model is told.
        keep: factor of the latent.
        push: factor of the model's output.
        scale: factor of the latent as the model sees it.
    """

    timestep: float
    keep: float
    push: float
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """How well one step was inverted.

    Attributes:
        timestep: of the step.
        residual: relative change of the last iteration: 0 is an exact solution.
        evaluations: of the model.
        converged: the residual is at most the tolerance.
    """

    timestep: float
    residual: float
    evaluations: int
    converged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InversionReport:
    """How well a latent was inverted.

    Attributes:
        scheduler: class that was inverted.
        exact: the inverse of the sampler itself; False where a first-order stand-in was all there is.
        steps: in the order of sampling, from noise to picture; empty where steps were solved together.
        closure: relative difference between the latent and what the sampler makes of the noise found;
            None where it was not run forwards again.
    """

    scheduler: str
    exact: bool
    steps: tuple[StepReport, ...]
    closure: float | None = None

    @property
    def worst(self) -> float:
        """Largest relative residual of a step; 0 without steps."""
        return max((step.residual for step in self.steps), default=0.0)

    @property
    def evaluations(self) -> int:
        """Model evaluations, guidance counted once."""
        return sum(step.evaluations for step in self.steps)

    @property
    def converged(self) -> bool:
        """Every step reached the tolerance."""
        return all(step.converged for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Query:
    """The model's output is needed here: at ``latent``, in step ``index``."""

    index: int
    latent: Any


def walk_back(
    latent: Any, steps: Sequence[LinearStep], limits: Limits
) -> Generator[Query, Any, tuple[Any, tuple[StepReport, ...]]]:
    """Invert all steps, last one first.

    A coroutine: it yields where the model is to be evaluated and is sent the output, so that whatever owns
    the model (a pipeline's own loop, with its prompt, guidance and packing) stays in charge of it.

    Args:
        latent: after the last step.
        steps: of the sampler, in its own order; no ``keep`` is 0.
        limits: for each step.

    Returns:
        the latent before the first step, and a report for each step.
    """
    told: list[StepReport] = []
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        after, iterate = latent, Anderson(start=latent, limits=limits)
        while not iterate.finished:
            output = yield Query(index=index, latent=iterate.point)
            iterate.improve((after - step.push * output) / step.keep)
        latent = iterate.point
        told.insert(0, iterate.report(step.timestep))
    return latent, tuple(told)


class Anderson:
    """The iteration ``x ← g(x)``, accelerated; the caller evaluates g.

    Attributes:
        point: where g is to be evaluated next; when finished, the solution.
        finished: converged, or out of iterations; ``point`` is then the best that was reached.
    """

    def __init__(self, *, start: Any, limits: Limits) -> None:
        self.point = start
        self.finished = False
        self._limits = limits
        self._share = 1.0
        self._points: list[Any] = []
        self._moves: list[Any] = []
        self._best: tuple[float, Any] | None = None
        self._evaluations = 0

    def improve(self, image: Any) -> None:
        """Take g(``point``) and choose the next point."""
        move = image - self.point
        residual = _norm(move) / max(_norm(image), 1e-30)
        self._evaluations += 1
        if self._best is None or residual <= self._best[0]:
            self._best = (residual, image)
        elif residual > 1.5 * self._best[0]:
            self._share = max(self._share / 2, 1 / 16)
        self._remember(move)
        if residual <= self._limits.tolerance or self._evaluations >= self._limits.iterations:
            self.point, self.finished = self._best[1], True
        else:
            self.point = self._mixed()

    def report(self, timestep: float) -> StepReport:
        """What was reached."""
        residual = np.inf if self._best is None else self._best[0]
        return StepReport(
            timestep=timestep,
            residual=float(residual),
            evaluations=self._evaluations,
            converged=bool(residual <= self._limits.tolerance),
        )

    def _remember(self, move: Any) -> None:
        self._points.append(self.point)
        self._moves.append(move)
        kept = self._limits.memory + 1
        self._points, self._moves = self._points[-kept:], self._moves[-kept:]

    def _mixed(self) -> Any:
        """The next point: the last one moved, corrected by the secants of those remembered."""
        point, move = self._points[-1], self._moves[-1]
        points = [later - earlier for earlier, later in _pairs(self._points)]
        moves = [later - earlier for earlier, later in _pairs(self._moves)]
        for share, by, moved in zip(_least_squares(moves, move), points, moves, strict=True):
            point = point - share * by
            move = move - share * moved
        return point + self._share * move


def _pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    return list(pairwise(items))


def _least_squares(columns: list[Any], target: Any) -> list[float]:
    """Shares of ``columns`` whose sum is nearest to ``target``; by normal equations, slightly regularised."""
    if not columns:
        return []
    gram = np.array([[_inner(one, other) for other in columns] for one in columns])
    right = np.array([_inner(one, target) for one in columns])
    ridge = 1e-10 * np.trace(gram) + 1e-300
    found: NDArray[np.float64] = np.linalg.solve(gram + ridge * np.eye(len(columns)), right)
    return [float(share) for share in found]


def _inner(one: Any, other: Any) -> float:
    return float((one * other).sum())


def _norm(array: Any) -> float:
    return float(np.sqrt(_inner(array, array)))


def solve(image: Callable[[Any], Any], start: Any, limits: Limits) -> tuple[Any, StepReport]:
    """A fixed point of ``image``, for callers that can simply call it; ``limits.passes`` bounds the calls."""
    bounded = Limits(tolerance=limits.tolerance, iterations=limits.passes, memory=limits.memory)
    iterate = Anderson(start=start, limits=bounded)
    while not iterate.finished:
        iterate.improve(image(iterate.point))
    return iterate.point, iterate.report(0.0)
