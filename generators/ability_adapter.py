"""Reads off a loaded pipeline what it can do: a family's rules, with the numbers of this model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from generators.ability import VAE_OPTIONS, Ability
from generators.families import FAMILIES, picture_family
from generators.fast import INT8, SLICED
from generators.latents_adapter import own_side
from generators.parts_adapter import call_of, core_of, first_of, place_of
from provenance.errors import InputError

if TYPE_CHECKING:
    from generators.defaults import Defaults
    from generators.family import Family, FrameRule

_GIVEN = {"prompt", "batch_size", "self"}
"""Arguments without a default that a request for a picture fills."""


def family_of(pipeline: Any) -> Family:
    """The family of a loaded pipeline; text-to-image classes that are not listed are taken as such.

    Raises:
        InputError: ``model.unknown-family``.
    """
    name = type(pipeline).__name__
    if name in FAMILIES:
        return FAMILIES[name]
    call = call_of(pipeline)
    missing = [p.name for p in call.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    missing = [name for name in missing if name not in _GIVEN]
    if missing or "num_frames" in call or not {"prompt", "batch_size"} & call.keys():
        why = f"its call needs {', '.join(missing)}" if missing else "it makes no pictures from text"
        raise InputError(
            "model.unknown-family",
            f"this kind of model is not known here: {why}",
            where=name,
            hint="docs/reference/model-families.md lists those that are",
        )
    scheduler = type(getattr(pipeline, "scheduler", None)).__name__
    family = picture_family(name, scheduler=scheduler)
    return replace(family, conditioning="prompt" if "prompt" in call else "none")


def ability_of(pipeline: Any, defaults: Defaults) -> Ability:
    """What a loaded pipeline can do.

    Raises:
        InputError: ``model.unknown-family``.
    """
    family = family_of(pipeline)
    call = call_of(pipeline)
    width, height = _own_size(pipeline, call)
    rule = _frame_rule(family, pipeline)
    steps, guidance = defaults.steps, defaults.guidance_scale
    strength = _number(call, "strength")
    return Ability(
        family=family,
        accepted=frozenset(name for name, p in call.items() if p.kind is not p.VAR_KEYWORD),
        width=defaults.finished_size or width,
        height=defaults.finished_size or height,
        multiple=math.lcm(family.multiple, _patch(pipeline)),
        steps=int(_number(call, "num_inference_steps") or 50) if steps is None else steps,
        guidance=_number(call, family.guidance or "") or 1.0 if guidance is None else guidance,
        frames=rule,
        default_frames=1 if rule is None else _default_frames(rule, pipeline),
        most_frames=_most_frames(pipeline, defaults.most_frames),
        guided=not family.guidance_embedded or bool(_config(pipeline, "guidance_embeds")),
        strength=strength,
        vae_options=tuple(name for name in VAE_OPTIONS if _sliceable(vae_of(pipeline), name)),
        square=defaults.finished_size is not None,
        fast=tuple(name for name in family.fast if _able(pipeline, name)),
    )


def _able(pipeline: Any, profile: str) -> bool:
    """Whether this model, here, can be drawn with what its family can."""
    if profile == SLICED:
        return _sliceable(vae_of(pipeline), "vae_slicing")
    return profile != INT8 or place_of(pipeline)[0].type == "cpu"


def vae_of(pipeline: Any) -> Any:
    """Its autoencoder, None for models that draw pixels."""
    return first_of(pipeline, "vae", "movq")


def _sliceable(vae: Any, option: str) -> bool:
    """Whether it can be told so: all autoencoders of diffusers have the method, and some raise in it."""
    how = option.removeprefix("vae_")
    return hasattr(vae, f"enable_{how}") and hasattr(vae, f"use_{how}")


def _config(pipeline: Any, name: str) -> Any:
    return getattr(getattr(core_of(pipeline), "config", None), name, None)


def _number(call: Any, name: str) -> float | None:
    default = getattr(call.get(name), "default", None)
    return float(default) if isinstance(default, int | float) else None


def _own_size(pipeline: Any, call: Any) -> tuple[int, int]:
    """Pixels of what it draws unasked: as its call says, else its configuration."""
    width, height = _number(call, "width"), _number(call, "height")
    if width and height:
        return int(width), int(height)
    across, down = _config(pipeline, "sample_width"), _config(pipeline, "sample_height")
    if across and down:
        scale = int(getattr(pipeline, "vae_scale_factor_spatial", 8))
        return across * scale, down * scale
    side = own_side(pipeline)
    return side, side


def _patch(pipeline: Any) -> int:
    """Pixels to a side of the smallest part that a transformer sees."""
    size = _config(pipeline, "patch_size")
    patch = max(size) if isinstance(size, list | tuple) else size
    scales = ("vae_scale_factor_spatial", "vae_spatial_compression_ratio", "vae_scale_factor")
    scale = next((getattr(pipeline, name) for name in scales if hasattr(pipeline, name)), 1)
    return int(patch) * int(scale) if patch else 1


def _frame_rule(family: Family, pipeline: Any) -> FrameRule | None:
    names = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
    factor = next((getattr(pipeline, name) for name in names if hasattr(pipeline, name)), None)
    if family.frames is None or factor is None:
        return family.frames
    return replace(family.frames, step=int(factor) * family.frames.group)


def _default_frames(rule: FrameRule, pipeline: Any) -> int:
    return int(rule.default or _config(pipeline, "num_frames") or _config(pipeline, "sample_frames") or 16)


def _most_frames(pipeline: Any, said: int | None) -> int | None:
    """Motion modules have a place for each frame, and no more places; a card may allow fewer."""
    places = _config(pipeline, "motion_max_seq_length")
    return min((int(most) for most in (places, said) if most is not None), default=None)
