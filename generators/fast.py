"""Fast profiles: named ways of drawing with less work, and which families can be drawn so.

A profile lies over the pipeline while a batch is drawn and leaves it as it was, bit for bit. What it did
stands in the recipe, so that a replay does the same. One that a model cannot honour is an error, never a
skip. What each costs in quality is measured by ``benchmarks/fast_profiles.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.family import Family
    from generators.request import GenerationRequest
    from provenance.canonical import Json

FEW_STEPS, REUSE, INT8, PRUNED, SLICED = "few-steps", "reuse", "int8", "pruned", "sliced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One way of drawing with less work.

    Attributes:
        version: changes whenever the effect on pixels does.
        does: one line for people.
        weights: whether it puts other layers in place of the model's own, which adapters need.
    """

    version: str
    does: str
    weights: bool = False


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        FEW_STEPS: Profile(version="1", does="two fifths of the steps, with the solver DPM++ 2M"),
        REUSE: Profile(
            version="1", does="what changes little from step to step is computed every other step"
        ),
        INT8: Profile(version="1", does="linear layers of the blocks in 8-bit integers", weights=True),
        PRUNED: Profile(version="1", does="the weakest quarter of inner channels left out", weights=True),
        SLICED: Profile(version="1", does="pictures of a batch are decoded one by one: memory, not time"),
    }
)
"""What `--fast` and ``GenerationRequest.fast`` can name."""
ORDER = (FEW_STEPS, PRUNED, INT8, REUSE, SLICED)
"""In which they are laid over a pipeline: what is left out need not be turned into integers."""
_STEPS = 0.4

_UNETS = (
    "StableDiffusionPipeline",
    "StableDiffusionImg2ImgPipeline",
    "StableDiffusionInpaintPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusionXLImg2ImgPipeline",
    "StableDiffusionXLInpaintPipeline",
    "DDPMPipeline",
    "DDIMPipeline",
    "AnimateDiffPipeline",
    "StableVideoDiffusionPipeline",
)
"""One call of a U-Net for each step, of which the inner blocks can be kept."""
_TRANSFORMERS = (
    "FluxPipeline",
    "WanPipeline",
    "WanImageToVideoPipeline",
    "LTXPipeline",
    "LTXImageToVideoPipeline",
    "CogVideoXPipeline",
    "CogVideoXImageToVideoPipeline",
    "HunyuanVideoPipeline",
)
"""Whose loop tells the caches of diffusers 0.42 which call is which (``cache_context``)."""
_PIXELS = (
    "DDPMPipeline",
    "DDIMPipeline",
    "ConsistencyModelPipeline",
    "IFPipeline",
    "IFSuperResolutionPipeline",
)
"""They draw pixels: nothing is decoded."""
_NOTHING_LINEAR = ("DDPMPipeline", "DDIMPipeline", "ConsistencyModelPipeline")
"""May have linear layers for the time only."""


def declared(family: Family) -> tuple[str, ...]:
    """The profiles that models of a family can be drawn with, in the order of ``PROFILES``."""
    name = family.pipeline
    can = {
        FEW_STEPS: "dpm++" in family.schedulers,
        REUSE: name in _UNETS or name in _TRANSFORMERS,
        INT8: name not in _NOTHING_LINEAR,
        PRUNED: True,
        SLICED: family.batches and name not in _PIXELS and not name.startswith("Kandinsky"),
    }
    return tuple(profile for profile in PROFILES if can[profile])


def check_fast(request: GenerationRequest, able: tuple[str, ...]) -> None:
    """Refuse profiles that do not exist, that the model cannot honour, or that contradict the request.

    Args:
        request: what is asked.
        able: profiles of the loaded model.

    Raises:
        InputError: ``request.fast``.
    """
    for name in request.fast:
        if name not in PROFILES:
            raise _refused("there is no such profile", name, f"choose from {', '.join(PROFILES)}")
        if name not in able:
            hint = f"it can be drawn with {', '.join(able)}" if able else "this model has no fast profiles"
            raise _refused("this model cannot be drawn with that profile", name, hint)
        if PROFILES[name].weights and request.adapters:
            what = "adapters need the layers that this profile replaces"
            raise _refused(what, name, "leave out the profile or the adapters")
    if len(set(request.fast)) < len(request.fast):
        raise _refused("a profile is named twice", ", ".join(request.fast), "name it once")
    if FEW_STEPS in request.fast and request.scheduler is not None:
        raise _refused("this profile brings its own scheduler", FEW_STEPS, "leave out the scheduler")


def fewer(steps: int) -> int:
    """Denoising steps under ``few-steps``, where the request names none."""
    return math.ceil(_STEPS * steps)


def solver(own: Mapping[str, Json]) -> dict[str, Json]:
    """Settings of DPM++ 2M (Lu et al. 2022) in place of a scheduler with the configuration ``own``.

    The spacing of Karras et al. 2022, except where the noise begins at a signal of zero: there its
    largest sigma is infinite, and the first steps would all be spent on noise.
    """
    return {
        "algorithm_type": "dpmsolver++",
        "solver_order": 2,
        "use_karras_sigmas": not own.get("rescale_betas_zero_snr"),
    }


def _refused(what: str, where: str, hint: str) -> InputError:
    return InputError("request.fast", what, where=where, hint=hint)
