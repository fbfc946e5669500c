"""Which scheduler draws: chosen by name, made anew for every batch, put where the pipeline looks for it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import diffusers

from generators.families import SCHEDULERS
from generators.fast import FEW_STEPS
from generators.recording_adapter import scheduler_record, shift_set
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.family import Family
    from generators.recipe import SchedulerRecord
    from generators.request import GenerationRequest
    from provenance.canonical import Json


def chosen_class(name: str | None, own: Any, family: Family) -> Any:
    """The class for ``GenerationRequest.scheduler``; that of ``own``, the model's, for None.

    Raises:
        InputError: ``request.scheduler``: no such name, or one that ruins the pictures of this family.
    """
    if name is None:
        return type(own)
    if name not in family.schedulers:
        known = name in SCHEDULERS
        what = "this kind of model cannot use that scheduler" if known else "no such scheduler"
        listed = ", ".join(family.schedulers)
        raise InputError("request.scheduler", what, where=name, hint=f"choose from {listed}")
    return getattr(diffusers, SCHEDULERS[name])


def effective_class(request: GenerationRequest, own: Any, family: Family) -> Any:
    """The class that draws a request: that of its profile, the one it names, or that of ``own``, the model's.

    Raises:
        InputError: ``request.scheduler``.
    """
    return chosen_class("dpm++" if FEW_STEPS in request.fast else request.scheduler, own, family)


def rescales(chosen: Any, own: Any) -> bool:
    """Whether samples of a scheduler are scaled between steps, so that a clean latent is none among them.

    Those that add noise to a latent as it is (Karras et al. 2022) start from more than unit variance.
    """
    return float(getattr(_fresh(chosen, own), "init_noise_sigma", 1.0)) != 1.0


def install(
    pipeline: Any, chosen: Any, own: Any, settings: Mapping[str, Json] = MappingProxyType({})
) -> SchedulerRecord:
    """Give the pipeline a new scheduler, with those of its own and ``settings``, and say what it is.

    New for every batch: schedulers remember, and two requests may be drawn from in turns.
    """
    fresh = _fresh(chosen, own, settings)
    pipeline.scheduler = fresh
    if hasattr(pipeline, "decoder_pipe"):
        pipeline.decoder_pipe.scheduler = fresh
    return scheduler_record(fresh, others=_others(pipeline))


def _fresh(chosen: Any, own: Any, settings: Mapping[str, Json] = MappingProxyType({})) -> Any:
    """A scheduler with the settings of ``own``, under the names that ``chosen`` has for them."""
    moved = shift_set(own)
    if chosen is type(own):
        fresh = chosen.from_config(own.config, **settings)
        if moved is not None:
            fresh.set_shift(moved)  # not the same as to be made with it: the ends of the schedule stay
        return fresh
    config = dict(own.config)
    if "shift" not in config and "flow_shift" in config:
        config["shift"] = config["flow_shift"]
    shift = {} if moved is None else {"shift": moved}
    return chosen.from_config(config, **shift, **settings)


def _others(pipeline: Any) -> dict[str, Any]:
    """Further schedulers of a pipeline of several stages, by component; they are as in its folder."""
    components: dict[str, Any] = getattr(pipeline, "components", {})
    found = {name: part for name, part in components.items() if isinstance(part, diffusers.SchedulerMixin)}
    return {name: part for name, part in sorted(found.items()) if name != "scheduler"}
