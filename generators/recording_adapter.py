"""What a recipe says about a diffusers pipeline and the machine it ran on."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from generators.environment import environment
from generators.parts_adapter import place_of
from generators.recipe import SchedulerRecord, StageRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generators.interface import StepHook
    from generators.recipe import Environment
    from provenance.canonical import Json

_LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "Pillow")
"""Those whose version can move a pixel."""


def hook_records(hooks: Sequence[StepHook]) -> tuple[StageRecord, ...]:
    """Name, version and public parameters of each hook, in order."""
    return tuple(StageRecord(name=h.name, version=h.version, parameters=h.parameters) for h in hooks)


def scheduler_record(scheduler: Any, *, others: Mapping[str, Any] = MappingProxyType({})) -> SchedulerRecord:
    """Class and configuration; to be read after the pipeline has edited it.

    ``others`` are further schedulers, by component; each stands in the configuration under that name.
    """
    config = _configuration(scheduler)
    for name, other in others.items():
        config[name] = {"class": type(other).__name__, **_configuration(other)}
    return SchedulerRecord(name=type(scheduler).__name__, config=config)


def shift_set(scheduler: Any) -> float | None:
    """What ``set_shift`` was called with after it was made; its configuration does not say."""
    now = getattr(scheduler, "shift", None) if hasattr(scheduler, "set_shift") else None
    return None if now is None or now == scheduler.config.get("shift") else float(now)


def _configuration(scheduler: Any) -> dict[str, Json]:
    moved = shift_set(scheduler)
    said = {} if moved is None else {"set_shift": moved}
    return {k: _jsonable(v) for k, v in scheduler.config.items() if not k.startswith("_")} | said


def _jsonable(value: Any) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def environment_of(pipeline: Any, *, packages: Sequence[str] = ()) -> Environment:
    """Versions, device, precision and threads of a pipeline, at this moment.

    ``packages`` are libraries of its family beside the usual ones.
    """
    device, dtype = place_of(pipeline)
    return environment(
        (*_LIBRARIES, *packages),
        threads=torch.get_num_threads(),
        device=str(device.type),
        dtype=str(dtype).removeprefix("torch."),
    )
