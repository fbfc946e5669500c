"""From a request to what a reference model can be asked; the rest of it is an error. No heavy imports."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generators.refusals import unsupported
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.reference.outputs import SampleRequest
    from generators.reference_files import Settings
    from generators.request import GenerationRequest
    from provenance.canonical import Json

_LONGEST = 8192
"""Pixels of an enlarged side, as for requests."""
_LISTED = 12
"""Classes that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRequest:
    """A request as a reference model understands it.

    Attributes:
        prompt: the name of the class, as the model has it; "" where there are none.
        label: its number.
        steps: of denoising or growth.
        guidance: 1 + the scale of the classifier's gradient: of what the class is told already, 1 is none.
        temperature: of a flow.
        factor: by which the picture is enlarged.
        options: for the recipe.
    """

    prompt: str
    label: int | None
    steps: int
    guidance: float
    temperature: float
    factor: int
    options: Mapping[str, Json] = field(default_factory=dict)

    def sample_request(self, seed: int) -> SampleRequest:
        """For one picture."""
        from generators.reference.outputs import SampleRequest  # noqa: PLC0415 - torch

        return SampleRequest(
            seed=seed,
            steps=self.steps,
            label=self.label,
            scale=self.guidance - 1,
            temperature=self.temperature,
        )


def check(request: GenerationRequest, settings: Settings, *, hooks: bool, latents: bool) -> None:
    """Refuse what this model has no use for.

    Raises:
        InputError: ``request.unsupported``.
    """
    told, steps = labelled(settings), request.num_inference_steps
    foreign = {
        "hooks": hooks,
        "latents": latents,
        "negative_prompt": bool(request.negative_prompt),
        "num_frames": request.num_frames not in (None, 1) or request.fps is not None,
        "num_inference_steps": settings.kind != "nca" and steps not in (None, _own_steps(settings)),
        "guidance_scale": not told and request.guidance_scale not in (None, 1),
        "scheduler": request.scheduler is not None,
        "init": request.init is not None,
        "mask": request.mask is not None,
        "adapters": bool(request.adapters),
    }
    for name, asked in foreign.items():
        if asked:
            raise unsupported(name)
    if request.prompt and not told:
        raise unsupported("prompt", hint='this model draws without words: give "" as the prompt')


def asked_of(request: GenerationRequest, settings: Settings) -> ReferenceRequest:
    """What the rest of the request says, with the defaults of the model.

    Raises:
        InputError: ``request.label``, ``request.size``, ``request.out-of-range``, ``request.unsupported``.
    """
    label = _label(request.prompt, settings.classes) if labelled(settings) else None
    return ReferenceRequest(
        prompt="" if label is None else settings.classes[label],
        label=label,
        steps=request.num_inference_steps or _own_steps(settings),
        guidance=_guidance(request.guidance_scale, settings),
        temperature=_temperature(dict(request.options), settings),
        factor=_factor(request, settings),
        options=dict(request.options),
    )


def labelled(settings: Settings) -> bool:
    """Whether it is told which of several classes to draw."""
    return len(settings.classes) > 1


def _own_steps(settings: Settings) -> int:
    return int(settings.patches.get("rounds", settings.steps))


def _label(prompt: str, classes: tuple[str, ...]) -> int:
    """The class that a prompt names: as it is called, in any case, or by its number if none is called so."""
    wanted = prompt.strip()
    if wanted in classes:
        return classes.index(wanted)
    folded = [name.casefold() for name in classes]
    if folded.count(wanted.casefold()) == 1:
        return folded.index(wanted.casefold())
    numbered = not any(name.isdecimal() for name in classes)
    if numbered and wanted.isascii() and wanted.isdigit() and len(wanted) < 5 and int(wanted) < len(classes):
        return int(wanted)
    more = f" and {len(classes) - _LISTED} more" if len(classes) > _LISTED else ""
    raise InputError(
        "request.label",
        "this model draws one of its classes, and the prompt names none of them",
        hint=f"its classes are {', '.join(classes[:_LISTED])}{more}",
    )


def _guidance(asked: float | None, settings: Settings) -> float:
    if asked is None:
        return 1 + settings.scale if labelled(settings) else 1.0
    if not math.isfinite(asked) or asked < 1:
        what = "guidance begins at 1, which is none"
        raise InputError("request.out-of-range", what, where="guidance_scale")
    return float(asked)


def _temperature(options: dict[str, Json], settings: Settings) -> float:
    value = options.pop("temperature", 1.0) if settings.kind == "realnvp" else 1.0
    if options:
        raise unsupported(f"options.{next(iter(options))}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise InputError("request.out-of-range", "0 to 2 are possible", where="options.temperature")
    return float(value)


def _factor(request: GenerationRequest, settings: Settings) -> int:
    """The whole number by which width and height that are asked for exceed those of the network."""
    _, high, wide = settings.shape
    asked = ((request.width, wide), (request.height, high))
    sides = [(side, own) for side, own in asked if side is not None]
    if not sides:
        return settings.factor
    side, own = sides[0]
    near = max(1, min(round(side / own), _LONGEST // max(high, wide)))
    if any(side != own * near for side, own in sides):
        raise InputError(
            "request.size",
            f"this model draws {wide}×{high} pixels, enlarged by a whole factor; the nearest: "
            f"{wide * near}×{high * near}",
            where="×".join(str(side or "any") for side in (request.width, request.height)),
        )
    return near
