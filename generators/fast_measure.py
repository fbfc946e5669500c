"""What a fast profile saves, and what it costs in quality: drawn beside the default, seed by seed.

All rounds run in one process in turn, so that a busy machine slows all of them alike; processor seconds and
joules say more than the clock there.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from generators.energy import Meter
from generators.replay import distance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generators.interface import Generation, Generator
    from generators.request import GenerationRequest
    from provenance.media import Frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One request, drawn once under one name.

    Attributes:
        pictures: one for each seed.
        clock: seconds.
        cpu: processor seconds of this process.
        joules: measured or estimated, as ``method`` says.
        method: of the joules.
    """

    pictures: tuple[Generation, ...]
    clock: float
    cpu: float
    joules: float
    method: str


def measure(
    generator: Generator,
    request: GenerationRequest,
    profiles: Sequence[tuple[str, ...]],
    *,
    rounds: int = 3,
    alike: Callable[[Frames, Frames], float] | None = None,
    right: Callable[[Sequence[Frames]], float] | None = None,
) -> dict[str, Any]:
    """Draw ``request`` by default and with each of ``profiles``, ``rounds`` times in turn.

    Args:
        generator: the loaded model.
        request: without profiles; several seeds.
        profiles: names that are laid over together.
        rounds: medians are taken over them; the first is preceded by one that is not counted.
        alike: structural similarity of two pictures, 0 … 1.
        right: share of pictures that show what was asked for, by an oracle.

    Returns:
        For each of ``default`` and the profiles: medians a picture of ``clock_s``, ``cpu_s`` and ``joules``,
        ``times_faster`` by processor seconds; and against the default picture of the same seed the median
        ``psnr_db`` (None: equal) and ``similarity``; ``right``. What nothing was given for is "not checked".

    Raises:
        InputError: ``request.fast``, before anything is drawn with it.
    """
    asked = {_title(names): names for names in ((), *profiles)}
    runs: dict[str, list[Drawn]] = {title: [] for title in asked}
    for turn in range(rounds + 1):
        for title, names in asked.items():
            made = _drawn(generator, replace(request, fast=names))
            if turn:
                runs[title].append(made)
    default = runs[_title(())]
    return {title: _told(each, default, alike, right) for title, each in runs.items()}


def _title(names: tuple[str, ...]) -> str:
    return " + ".join(names) or "default"


def _drawn(generator: Generator, request: GenerationRequest) -> Drawn:
    meter = Meter()
    began, clock, cpu = meter.start(), time.perf_counter(), time.process_time()
    pictures = tuple(generator.generate(request))
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    spent = meter.stop(began)
    return Drawn(pictures=pictures, clock=clock, cpu=cpu, joules=spent.joules, method=spent.method)


def _told(
    runs: list[Drawn],
    default: list[Drawn],
    alike: Callable[[Frames, Frames], float] | None,
    right: Callable[[Sequence[Frames]], float] | None,
) -> dict[str, Any]:
    made = [one.frames for one in runs[0].pictures]
    plain = [one.frames for one in default[0].pictures]
    pairs = list(zip(made, plain, strict=True))
    far = [found.psnr for found in (distance(*pair) for pair in pairs) if found is not None]
    apart = [value for value in far if value is not None]
    unchecked = "not checked"
    return {
        **{f"{name}_s": _median(runs, name) for name in ("clock", "cpu")},
        "joules": _median(runs, "joules"),
        "method": runs[0].method,
        "times_faster": round(_median(default, "cpu") / _median(runs, "cpu"), 2),
        "steps": runs[0].pictures[0].recipe.steps,
        "psnr_db": round(statistics.median(apart), 1) if apart else None,
        "similarity": unchecked if alike is None else round(statistics.median(alike(*p) for p in pairs), 3),
        "right": unchecked if right is None else round(right(made), 3),
        "fast": [{"name": done.name, **done.parameters} for done in runs[0].pictures[0].recipe.fast],
    }


def _median(runs: list[Drawn], name: str) -> float:
    """A picture, over all rounds."""
    values: list[float] = [getattr(one, name) / len(one.pictures) for one in runs]
    return round(statistics.median(values), 3)
