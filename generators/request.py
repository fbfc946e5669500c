"""What a caller asks of a generator, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from provenance.canonical import canonical_bytes
from provenance.errors import InputError

if TYPE_CHECKING:
    from provenance.canonical import Json
    from provenance.media import Frames

MAX_SEED = 2**53 - 1
"""Largest seed: JSON readers agree on integers up to here, and a recipe is JSON."""
MAX_PICTURES = 1_000
"""Pictures of one request; more belong in several requests."""
MAX_FPS = 240
"""Frames a second of a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterRef:
    """Trained additions (LoRA) laid over the model.

    Attributes:
        ref: folder or registered name of the adapter.
        scale: strength; 0 switches it off, 1 is as trained.
    """

    ref: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One request; ``None`` means "as the model does by default".

    Attributes:
        prompt: text to draw; the name of a class for models that draw classes; "" for models without either.
        negative_prompt: text to keep away from.
        model: reference such as ``bundled:emoji``, ``dir:PATH`` or ``hf:ORG/NAME@COMMIT``.
        seeds: one per picture, each in 0 … ``MAX_SEED``; picture i depends on seed i, not on its neighbours.
        width: pixels of the released picture.
        height: pixels of the released picture.
        num_frames: of a clip; 1 or None for pictures.
        fps: frames per second of a clip; None for pictures.
        num_inference_steps: denoising steps.
        guidance_scale: classifier-free guidance; 1 is none.
        scheduler: name in ``generators.families.SCHEDULERS``.
        init: picture or clip to start from, for models that edit, animate or enlarge.
        mask: where ``init`` may change (white), one channel, same size.
        adapters: laid over the model, in order.
        fast: ways of drawing with less work, of ``generators.fast.PROFILES``; others are errors.
        options: further keyword arguments of the model's own call, by name; unknown names are errors.
    """

    prompt: str
    seeds: tuple[int, ...]
    model: str = "bundled:emoji"
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    num_frames: int | None = None
    fps: float | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    init: Frames | None = None
    mask: Frames | None = None
    adapters: tuple[AdapterRef, ...] = ()
    fast: tuple[str, ...] = ()
    options: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name in ("prompt", "negative_prompt", "model"):
            if not isinstance(getattr(self, name), str):
                raise _no_argument(name, "a text", getattr(self, name))
        scheduler: object = self.scheduler
        fast: object = self.fast
        if not isinstance(scheduler, str | None):
            raise _no_argument("scheduler", "a text", scheduler)
        if not isinstance(fast, tuple | list) or not all(isinstance(one, str) for one in fast):
            raise _no_argument("fast", "a tuple of texts", fast)
        if not 1 <= len(self.seeds) <= MAX_PICTURES:
            raise _pictures(len(self.seeds))
        if any(not 0 <= seed <= MAX_SEED for seed in self.seeds):
            raise _out_of_range("seeds", f"a seed lies outside 0 to {MAX_SEED}")
        for name, least, most in _RANGES:
            value = getattr(self, name)
            if value is not None and not _within(name, value, least, most):
                raise _out_of_range(name, f"{name} is {value}; {least} to {most} are possible")
        _check_adapters(self.adapters)
        _check_options(self.options)


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("width", 8, 8192),
    ("height", 8, 8192),
    ("num_frames", 1, 4096),
    ("fps", 1, MAX_FPS),
    ("num_inference_steps", 1, 1000),
    ("guidance_scale", 0, 100),
)


_MEASURED = ("fps", "guidance_scale")
"""Those that need not be whole numbers."""


def _within(name: str, value: Any, least: float, most: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real if name in _MEASURED else Integral):
        return False
    return least <= (int(value) if isinstance(value, Integral) else float(value)) <= most


def _check_adapters(adapters: Any) -> None:
    """The folder is a text and the scale a number; whether they are usable is seen later."""
    for one in adapters if isinstance(adapters, tuple | list) else (adapters,):
        if one is adapters or not isinstance(one, AdapterRef):
            what = f"adapters are a tuple of AdapterRef, and this is a {type(one).__name__}"
            hint = 'adapters=(AdapterRef(ref="FOLDER", scale=1.0),), of generators.request'
            raise InputError("request.argument", what, where="adapters", hint=hint)
        ref: object = one.ref
        scale: object = one.scale
        if not isinstance(ref, str):
            raise _no_argument("adapters", "a text as the ref of an adapter", ref)
        if isinstance(scale, bool) or not isinstance(scale, Real):
            raise _no_argument("adapters", "a number as the scale of an adapter", scale)


def _check_options(options: Mapping[str, Json]) -> None:
    """Options stand in recipes, which are JSON: texts, finite numbers, true, false, null, lists and these."""
    if not isinstance(options, Mapping):
        raise InputError("request.option", "options are a mapping of names to values", where="options")
    for name, value in options.items():
        try:
            canonical_bytes(value)
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            kind = f"none that a recipe can hold: {type(value).__name__}"
            what = f"the option is {'not a finite number' if isinstance(value, float) else kind}"
            hint = "give texts, finite numbers, true, false, null, or lists and mappings of these"
            raise InputError("request.option", what, where=str(name), hint=hint) from error


def consecutive_seeds(first: int, count: int) -> tuple[int, ...]:
    """``first``, ``first`` + 1, …: what the command line's ``--seed`` and ``-n`` mean.

    Raises:
        InputError: ``request.argument``, ``request.out-of-range``.
    """
    given: tuple[tuple[str, object], ...] = (("n", count), ("seed", first))
    for name, value in given:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise _no_argument(name, "a whole number", value)
    if not 1 <= count <= MAX_PICTURES:
        raise _pictures(count)
    return tuple(range(int(first), int(first) + int(count)))


def _pictures(count: int) -> InputError:
    return _out_of_range("seeds", f"{count} pictures asked for; 1 to {MAX_PICTURES} are possible")


def _no_argument(name: str, kind: str, value: object) -> InputError:
    what = f"the argument is {kind}, not {type(value).__name__}"
    return InputError("request.argument", what, where=name)


def _out_of_range(where: str, what: str) -> InputError:
    return InputError("request.out-of-range", what, where=where)
