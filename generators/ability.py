"""What one loaded model can do, and what is made of a request for it. No heavy library is imported.

``settle`` is where a request meets the rules of a family: whatever cannot be honoured is one error that
names what could be; nothing is rounded, cut or left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.fast import FEW_STEPS, check_fast, fewer
from generators.refusals import unsupported
from generators.starting_points import check_init
from provenance.errors import InputError

if TYPE_CHECKING:
    from generators.family import Family, FrameRule
    from generators.request import GenerationRequest
    from provenance.canonical import Json

VAE_OPTIONS = ("vae_slicing", "vae_tiling")
"""Options of ours: decode picture by picture, or tile by tile, to save memory. Pixels move a little."""
_RESERVED = frozenset(
    {
        "prompt",
        "negative_prompt",
        "width",
        "height",
        "num_frames",
        "generator",
        "output_type",
        "return_dict",
        "num_inference_steps",
        "num_images_per_prompt",
        "num_videos_per_prompt",
        "batch_size",
    }
)
_NO_DATA = re.compile(r".*(image|images|video|mask|embeds|latents)|.*callback.*")
"""Arguments for pictures, tensors and code. JSON holds none, and a string might be taken for an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """A family as one loaded model has it.

    Attributes:
        family: what is known of all models of the class.
        accepted: arguments of the call.
        width: of its own pictures, in pixels.
        height: of its own pictures, in pixels.
        multiple: width and height are multiples of it.
        frames: how many a clip may have; None for pictures.
        default_frames: of a clip, where the request says nothing.
        most_frames: of a clip, None where only memory sets a bound.
        steps: denoising steps, where the request says nothing.
        guidance: where the request says nothing.
        guided: False where the network was trained without the guidance that its class has as an input.
        strength: how much of an init picture is drawn anew by default, None where that is no argument.
        vae_options: those of ``VAE_OPTIONS`` that its autoencoder has.
        square: results are enlarged squares.
        fast: profiles it can be drawn with.
    """

    family: Family
    accepted: frozenset[str]
    width: int
    height: int
    multiple: int
    steps: int
    guidance: float
    frames: FrameRule | None = None
    default_frames: int = 1
    most_frames: int | None = None
    guided: bool = True
    strength: float | None = None
    vae_options: tuple[str, ...] = ()
    square: bool = False
    fast: tuple[str, ...] = ()

    @property
    def sized(self) -> bool:
        """Whether its pictures can have other sizes than its own."""
        return "width" in self.accepted or self.square

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What ``GeneratorInfo`` declares."""
        family, init = self.family, self.family.init
        has = {
            "text": family.conditioning == "prompt" and "prompt" in self.accepted,
            "labels": family.conditioning == "label",
            "negative_prompt": family.negative is not None and "negative_prompt" in self.accepted,
            "guidance": family.guidance in self.accepted and self.guided,
            "steps": "num_inference_steps" in self.accepted,
            "step_hooks": bool(family.hooks) and "callback_on_step_end" in self.accepted,
            "latents": family.latents and "latents" in self.accepted,
            "init": init is not None,
            "mask": init is not None and init.mask is not None,
            "size": self.sized,
            "frames": "num_frames" in self.accepted,
            "fps": family.kind == "video",
        }
        return (*(name for name, there in has.items() if there), *(f"fast:{name}" for name in self.fast))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A request that the model can honour, with every default filled in.

    Attributes:
        width: pixels of the result.
        height: pixels of the result.
        frames: 1 for pictures.
        fps: None for pictures.
        steps: denoising steps.
        guidance: classifier-free guidance.
    """

    width: int
    height: int
    frames: int
    fps: float | None
    steps: int
    guidance: float


def settle(request: GenerationRequest, ability: Ability, *, hooks: bool, latents: bool) -> Settled:
    """Hold a request against what the model can do.

    Args:
        request: what is asked.
        ability: of the loaded model.
        hooks: whether there are hooks between steps.
        latents: whether the noise to start from is handed in.

    Raises:
        InputError: ``request.unsupported``, ``request.size``, ``request.frames``, ``request.init``,
            ``request.steps``, ``request.out-of-range``, ``request.fast``.
    """
    check_fast(request, ability.fast)
    _check_fields(request, ability, hooks=hooks, latents=latents)
    _check_options(request, ability)
    check_init(request, ability.family.init)
    width, height = _size(request, ability)
    usual = fewer(ability.steps) if FEW_STEPS in request.fast else ability.steps
    steps = request.num_inference_steps or usual
    _check_strength(request, ability, steps)
    return Settled(
        width=width,
        height=height,
        frames=_frames(request, ability),
        fps=_fps(request, ability),
        steps=steps,
        guidance=ability.guidance if request.guidance_scale is None else request.guidance_scale,
    )


def _check_fields(request: GenerationRequest, ability: Ability, *, hooks: bool, latents: bool) -> None:
    able = set(ability.capabilities)
    asked = {
        "prompt": (bool(request.prompt), {"text", "labels"}),
        "negative_prompt": (bool(request.negative_prompt), {"negative_prompt"}),
        "guidance_scale": (request.guidance_scale is not None, {"guidance"}),
        "num_inference_steps": (request.num_inference_steps is not None, {"steps"}),
        "init": (request.init is not None, {"init"}),
        "mask": (request.mask is not None, {"mask"}),
        "num_frames": (request.num_frames not in (None, 1) or request.fps is not None, {"fps"}),
        "adapters": (bool(request.adapters), set()),
        "hooks": (hooks, {"step_hooks"}),
        "latents": (latents, {"latents"}),
    }
    for field, (there, needed) in asked.items():
        if there and not needed & able:
            raise unsupported(field)
    if latents and request.init is not None:
        raise unsupported("latents")
    _check_negative(request, ability)


def _check_negative(request: GenerationRequest, ability: Ability) -> None:
    """Without guidance a negative prompt has no effect; that is said, not left to be found out."""
    option = ability.family.negative
    if not request.negative_prompt or option is None:
        return
    asked = request.guidance_scale if option == "guidance" else request.options.get(option, 1)
    if asked is None:
        asked = ability.guidance
    if not isinstance(asked, int | float) or asked <= 1:
        name = "guidance" if option == "guidance" else f"the option {option}"
        raise unsupported("negative_prompt", hint=f"it counts only with {name} above 1")


def _check_options(request: GenerationRequest, ability: Ability) -> None:
    family = ability.family
    init = family.init
    own = {family.guidance, family.fps_argument, *family.fixed}
    own |= {init.argument, init.single, init.mask} if init else set()
    for name, value in request.options.items():
        if name in VAE_OPTIONS:
            if name not in ability.vae_options or not isinstance(value, bool):
                raise unsupported(f"options.{name}")
        elif name not in ability.accepted or name in _RESERVED | own or _NO_DATA.fullmatch(name):
            raise unsupported(f"options.{name}")
        elif _has_text(value):
            hint = "say it in the prompt: options hold numbers, and no words that nobody reviewed"
            raise unsupported(f"options.{name}", hint=hint)


def _has_text(value: Json) -> bool:
    """Whether it would bring words to the model beside the prompt: second prompts, templates around it.

    No argument of the families that can be asked for takes another kind of text.
    """
    if isinstance(value, Mapping):
        return any(map(_has_text, value.values()))
    return isinstance(value, str) or (isinstance(value, Sequence) and any(map(_has_text, value)))


def _size(request: GenerationRequest, ability: Ability) -> tuple[int, int]:
    init = ability.family.init
    if request.init is not None and init is not None and init.same_size:
        own = request.init.width, request.init.height
    else:
        own = ability.width, ability.height
    asked = request.width or own[0], request.height or own[1]
    if ability.square and asked[0] != asked[1]:
        raise _wrong_size("this model draws squares", asked)
    if asked != own and request.init is not None and init is not None and init.same_size:
        raise _wrong_size(f"the result is as large as init: {own[0]}×{own[1]}", asked)
    if asked != own and not ability.sized:
        raise _wrong_size(f"this model draws {own[0]}×{own[1]} only", asked)
    if (ability.sized or request.init is not None) and any(side % ability.multiple for side in asked):
        raise _wrong_size(_multiples(asked, ability.multiple), asked)
    return asked


def _multiples(asked: tuple[int, int], multiple: int) -> str:
    below = tuple(max(side // multiple, 1) * multiple for side in asked)
    above = tuple(-(-side // multiple) * multiple for side in asked)
    near = " and ".join(dict.fromkeys(f"{size[0]}×{size[1]}" for size in (below, above)))
    return f"width and height are multiples of {multiple}; the nearest: {near}"


def _wrong_size(what: str, asked: tuple[int, int]) -> InputError:
    return InputError("request.size", what, where=f"{asked[0]}×{asked[1]}")


def _frames(request: GenerationRequest, ability: Ability) -> int:
    rule, most, init = ability.frames, ability.most_frames, request.init
    if rule is None:
        return 1
    clip = len(init.pixels) if init is not None and len(init.pixels) > 1 else None
    count = request.num_frames or clip or ability.default_frames
    if clip not in (None, count):
        what = f"a clip of {clip} frames cannot lead to one of another length"
        raise InputError("request.frames", what, where=str(count))
    if not rule.allows(count, most):
        bound = "" if most is None else f", at most {most}"
        near = " or ".join(str(number) for number in rule.nearest(count, most))
        what = f"this model makes clips of {rule} frames{bound}; the nearest: {near}"
        raise InputError("request.frames", what, where=str(count))
    return count


def _fps(request: GenerationRequest, ability: Ability) -> float | None:
    if ability.family.kind == "image":
        return None
    fps = ability.family.fps if request.fps is None else request.fps
    if ability.family.fps_argument == "fps" and fps is not None and fps != int(fps):
        raise InputError(
            "request.out-of-range", "this model is told whole frames per second only", where="fps"
        )
    return fps


def _check_strength(request: GenerationRequest, ability: Ability, steps: int) -> None:
    if ability.strength is None or request.init is None:
        return
    strength = request.options.get("strength", ability.strength)
    if isinstance(strength, int | float) and steps * strength < 1:
        what = f"{steps} steps at strength {strength} are none at all"
        raise InputError("request.steps", what, hint="ask for more steps, or for more strength")
