"""From a request to what a GAN can be asked; everything else in it is an error. No heavy imports."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from generators.fast import check_fast
from generators.gan_files import MOST_TRUNCATION
from generators.interface import GenerationWarning
from generators.refusals import unsupported
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generators.gan_conditions import Conditions
    from generators.interface import LatentInit, StepHook
    from generators.request import GenerationRequest
    from generators.vocabulary import Vocabulary
    from provenance.canonical import Json

NOISES = ("random", "const", "none")
"""Fresh from the seed, the one stored with the weights, or none."""
_MAX_STRENGTH = 20.0
_CLASS = "class"
_MOST_DIGITS = 9
"""Of the number of a class: Python turns no more than 4,300 into a number."""


class Model(Protocol):
    """What is looked at of a model."""

    @property
    def network(self) -> Any: ...  # noqa: D102
    @property
    def conditions(self) -> Conditions | None: ...  # noqa: D102
    @property
    def vocabulary(self) -> Vocabulary | None: ...  # noqa: D102
    @property
    def truncation(self) -> float: ...  # noqa: D102
    @property
    def directions(self) -> Mapping[str, Any]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class GanRequest:
    """A request as a GAN understands it.

    Attributes:
        prompt: the words that counted.
        said: attributes that are decided, by the prompt or by options.
        truncation: ψ.
        noise: one of ``NOISES``.
        moves: directions in w and how far along each.
        options: for the recipe; nothing of the prompt.
        warnings: of the prompt.
    """

    prompt: str
    said: Mapping[str, str]
    truncation: float
    noise: str
    moves: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Json] = field(default_factory=dict)
    warnings: tuple[GenerationWarning, ...] = ()


def check(
    request: GenerationRequest, hooks: Sequence[StepHook], latents: LatentInit | None, *, readable: bool
) -> None:
    """Refuse what one step of a GAN cannot honour.

    Raises:
        InputError: ``request.unsupported``, ``request.size``, ``request.fast``.
    """
    foreign = {
        "hooks": bool(hooks),
        "latents": latents is not None,
        "negative_prompt": bool(request.negative_prompt),
        "prompt": bool(request.prompt) and not readable,
        "num_frames": request.num_frames not in (None, 1) or request.fps is not None,
        "num_inference_steps": request.num_inference_steps not in (None, 1),
        "guidance_scale": request.guidance_scale not in (None, 1),
        "scheduler": request.scheduler is not None,
        "init": request.init is not None,
        "mask": request.mask is not None,
        "adapters": bool(request.adapters),
    }
    check_fast(request, ())
    for name, asked in foreign.items():
        if asked:
            raise unsupported(name)
    if request.width != request.height:
        raise InputError(
            "request.size", "this model draws squares", where=f"{request.width}×{request.height}"
        )


def asked_of(request: GenerationRequest, model: Model) -> GanRequest:
    """The attributes and numbers of a request.

    Raises:
        InputError: ``request.unsupported``, ``request.out-of-range``, ``request.condition``.
    """
    options = dict(request.options)
    prompt, said, warnings = _read(request.prompt, model)
    for name, value in _attributes(options, model).items():
        if said.setdefault(name, value) != value:
            raise InputError("request.condition", "the prompt says otherwise", where=f"options.{name}")
    styled = hasattr(model.network, "mapping")
    truncation = _number(options, "truncation", model.truncation, most=MOST_TRUNCATION, possible=styled)
    moves = _moves(options, model)
    noise = options.pop("noise", "random")
    if noise not in NOISES or (noise != "random" and not styled):
        raise unsupported("options.noise")
    if options:
        raise unsupported(f"options.{next(iter(options))}")
    return GanRequest(
        prompt=prompt,
        said=said,
        truncation=truncation,
        noise=str(noise),
        moves=moves,
        options=dict(request.options) | ({"truncation": truncation} if styled else {}),
        warnings=warnings,
    )


def _read(prompt: str, model: Model) -> tuple[str, dict[str, str], tuple[GenerationWarning, ...]]:
    """The attributes that a prompt says, as far as this model draws them."""
    if not prompt or model.vocabulary is None or model.conditions is None:
        return "", {}, ()
    mapped = model.vocabulary.map(prompt)
    known = dict(model.conditions.blocks)
    said = {name: value for name, value in mapped.meaning.items() if value in known.get(name, ())}
    warnings = list(mapped.warnings)
    if lost := [value for name, value in mapped.meaning.items() if name not in said]:
        listed = ", ".join(lost)
        message = f"this model was not trained on it, so it draws something else: {listed}"
        warnings.append(GenerationWarning(code="prompt.not-drawn", message=message))
    return " ".join(said.values()), said, tuple(warnings)


def _attributes(options: dict[str, Any], model: Model) -> dict[str, str]:
    """Attributes given as options; they are taken out of ``options``."""
    if model.conditions is not None:
        said = {name: options.pop(name) for name in model.conditions.names if name in options}
        for name, value in said.items():
            model.conditions.check(name, value)
        return said
    length = model.network.shape.condition
    if not length or _CLASS not in options:
        return {}
    number = str(options.pop(_CLASS))
    if not number.isdecimal() or len(number) > _MOST_DIGITS or int(number) >= length:
        raise InputError(
            "request.condition",
            f"classes are numbers from 0 to {length - 1}",
            where=f"options.class={number[:_MOST_DIGITS]}",
        )
    return {_CLASS: str(int(number))}


def _moves(options: dict[str, Any], model: Model) -> dict[str, float]:
    given = options.pop("directions", {})
    if not isinstance(given, dict):
        raise unsupported("options.directions")
    for name in given:
        if name not in model.directions:
            known = ", ".join(model.directions) or "none"
            raise InputError(
                "request.unsupported",
                "this model has no such direction",
                where=f"options.directions.{name}",
                hint=f"directions are {known}",
            )
    left = dict(given)
    return {name: _number(left, name, 0.0, least=-_MAX_STRENGTH, most=_MAX_STRENGTH) for name in given}


def _number(
    options: dict[str, Any],
    name: str,
    otherwise: float,
    *,
    least: float = 0.0,
    most: float,
    possible: bool = True,
) -> float:
    value = options.pop(name, None)
    if value is None:
        return otherwise
    if not possible:
        raise unsupported(f"options.{name}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError("request.out-of-range", "not a number", where=f"options.{name}")
    if not least <= value <= most:
        raise InputError("request.out-of-range", f"{least} to {most} are possible", where=f"options.{name}")
    return float(value)
