"""Any function that returns pictures or clips, behind the ``Generator`` protocol.

It is called once for each seed, with the prompt first and then those fields of the request that it has
parameters for. A field that was asked for and has no parameter is an error, as for every model.
"""

from __future__ import annotations

import inspect
import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from generators.environment import environment
from generators.fast import check_fast
from generators.interface import Generation, GenerationWarning, GeneratorInfo
from generators.pictures import clip_from, pictures_from
from generators.recipe import ModelRecord, Recipe, SchedulerRecord
from generators.refusals import unsupported
from generators.request import MAX_FPS
from provenance.errors import ConfigurationError, Error, InputError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from generators.interface import LatentInit, StepHook
    from generators.recipe import Environment
    from generators.request import GenerationRequest
    from provenance.media import Frames

_FIELDS = (
    *("negative_prompt", "width", "height", "num_inference_steps", "guidance_scale", "scheduler"),
    *("init", "mask", "fps", "num_frames"),
)
_SEEDLESS = GenerationWarning(
    code="generate.no-seed",
    message="the function takes no seed: its pictures cannot be drawn again",
)
_LIBRARIES = ("numpy", "Pillow", "torch", "diffusers", "transformers")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionGenerator:
    """A function as a generator.

    Attributes:
        info: what is said of it; where its kind is "video", each call returns one clip.
        function: takes the prompt and returns what ``generators.pictures`` understands.
    """

    info: GeneratorInfo
    function: Callable[..., Any]

    def generate(
        self,
        request: GenerationRequest,
        hooks: Sequence[StepHook] = (),
        *,
        latents: LatentInit | None = None,
    ) -> Iterator[Generation]:
        """The pictures of each seed, in order.

        Raises:
            InputError: ``request.unsupported``, ``request.option``, ``request.size``, ``generate.failed``,
                ``wrap.no-picture``, ``video.no-rate``.
            ConfigurationError: ``generate.out-of-memory``.
        """
        taken = _parameters(self.function)
        clips = self.info.kind == "video"
        read = partial(_clip, fps=_rate(request, self.function)) if clips else pictures_from
        arguments = _arguments(request, taken, clips=clips)
        if hooks or latents is not None:
            raise unsupported("hooks" if hooks else "latents")
        warnings = () if taken is None or "seed" in taken else (_SEEDLESS,)
        for seed in request.seeds:
            seeded = {} if warnings else {"seed": seed}
            made = _called(self.function, request.prompt, {**arguments, **seeded}, read)
            for index, frames in enumerate(made):
                _check_size(frames, arguments)
                recipe = self._recipe(request, frames, seed=seed, batch=(index, len(made)))
                yield Generation(frames=frames, recipe=recipe, prompt_used=request.prompt, warnings=warnings)

    def _recipe(
        self, request: GenerationRequest, frames: Frames, *, seed: int, batch: tuple[int, int]
    ) -> Recipe:
        """What is known; steps and guidance are 0 where nobody asked for any."""
        pipeline = getattr(self.function, "__qualname__", type(self.function).__name__)
        return Recipe(
            model=ModelRecord(ref=self.info.id, revision=None, pipeline=pipeline, weights=()),
            seed=seed,
            scheduler=SchedulerRecord(name=request.scheduler or "unknown", config={}),
            steps=request.num_inference_steps or 0,
            guidance_scale=request.guidance_scale or 0.0,
            width=frames.width,
            height=frames.height,
            hooks=(),
            finish=(),
            options=dict(request.options),
            environment=_environment(),
            batch_index=batch[0],
            batch_size=batch[1],
            frames=len(frames.pixels),
            fps=frames.fps,
        )


def _parameters(function: Callable[..., Any]) -> frozenset[str] | None:
    """Names it can be given; None: any."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, without a signature
        return frozenset()
    if any(one.kind is one.VAR_KEYWORD for one in found):
        return None
    return frozenset(one.name for one in found if one.kind is not one.VAR_POSITIONAL)


def _rate(request: GenerationRequest, function: Callable[..., Any]) -> float:
    """Frames per second that a clip is to play at, known before it is drawn.

    Raises:
        InputError: ``video.no-rate``.
    """
    rate = request.fps or _default(function, "fps")
    if rate is None:
        what = "nothing says how many frames a second the clip has"
        raise InputError("video.no-rate", what, hint="--fps 8, or fps=8 in Python")
    return rate


def _default(function: Callable[..., Any], name: str) -> float | None:
    """Of a parameter, if it is a rate that may be asked for."""
    try:
        found = inspect.signature(function).parameters.get(name)
    except (TypeError, ValueError):  # written in C, without a signature
        return None
    rate = found.default if found else None
    return float(rate) if isinstance(rate, int | float) and 1 <= rate <= MAX_FPS else None


def _arguments(
    request: GenerationRequest, taken: frozenset[str] | None, *, clips: bool = False
) -> dict[str, Any]:
    asked: dict[str, Any] = {name: getattr(request, name) for name in _FIELDS}
    for name in sorted(request.options.keys() & {"prompt", "seed", *_FIELDS}):
        hint = f"say it as {name} of the request"
        raise InputError("request.option", "this is no option but a field", where=name, hint=hint)
    asked = {name: value for name, value in asked.items() if value not in (None, "")} | dict(request.options)
    if request.adapters:
        raise unsupported("adapters")
    check_fast(request, ())
    if clips and taken is not None and "fps" not in taken:
        asked.pop("fps", None)  # how a clip plays need not concern whoever draws it
    if not clips and asked.pop("num_frames", 1) > 1:
        raise unsupported("num_frames")
    for name in asked:
        if taken is not None and name not in taken:
            raise unsupported(name)
    return asked


def _check_size(frames: Frames, given: Mapping[str, Any]) -> None:
    """A size that it was given it has to keep to, as every model does.

    Raises:
        InputError: ``request.size``.
    """
    made = {"width": frames.width, "height": frames.height, "num_frames": len(frames.pixels)}
    for name, value in made.items():
        asked = given.get(name, value)
        if value != asked:
            what = f"the function makes {value} when asked for {asked}"
            raise InputError("request.size", what, where=name, hint=f"mend the function, or leave {name} out")


def _clip(value: Any, *, fps: float) -> tuple[Frames, ...]:
    return (clip_from(value, fps),)


def _called(
    function: Callable[..., Any],
    prompt: str,
    arguments: Mapping[str, Any],
    read: Callable[[Any], tuple[Frames, ...]],
) -> tuple[Frames, ...]:
    """Its pictures or clip; what it returns may be read from a file or computed only when it is looked at.

    What its exceptions say is repeated unless a text that it was given is among it; the cause has it all.
    """
    try:
        return read(_returned(function(prompt, **arguments)))
    except Error:
        raise
    except MemoryError as error:
        what, hint = "the model needs more memory than there is", "ask for smaller pictures"
        raise ConfigurationError("generate.out-of-memory", what, hint=hint) from error
    except Exception as error:  # a stranger's function may raise anything
        said = quoted(error, hidden=(prompt, *(one for one in arguments.values() if isinstance(one, str))))
        what = f"the model could not run: its function raised {type(error).__name__}{said and f': {said}'}"
        hint = "the exception is the cause of this one (__cause__) and says more"
        raise InputError("generate.failed", what, hint=hint) from error


def _returned(made: Any) -> Any:
    """What a call gave, unless that has to be waited for; closed, it is not reported as never awaited."""
    if not inspect.iscoroutine(made):
        return made
    made.close()
    raise _asynchronous()


def check_plain(function: Callable[..., Any]) -> None:
    """Refuse ``async def``: a call of it draws nothing until somebody waits for it.

    Raises:
        InputError: ``wrap.unsupported``.
    """
    for one in (function, type(function).__call__):
        if inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one):
            raise _asynchronous()


def _asynchronous() -> InputError:
    what = "an asynchronous function (async def) cannot be wrapped"
    hint = "wrap a plain function that waits for it: lambda prompt: asyncio.run(draw(prompt))"
    return InputError("wrap.unsupported", what, hint=hint)


def _environment() -> Environment:
    torch = sys.modules.get("torch")  # counts only where somebody loaded it already
    loaded = [name for name in _LIBRARIES if name.lower() in sys.modules or name == "Pillow"]
    threads = os.cpu_count() or 1 if torch is None else torch.get_num_threads()
    return environment(loaded, threads=threads, device="unknown", dtype="unknown")
