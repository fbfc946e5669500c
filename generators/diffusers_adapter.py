"""Runs text-to-image models in the diffusers folder layout: bundled, from local folders, from the hub.

What is asked of a pipeline and what is recorded of it; the call itself is in ``generators.calling_adapter``,
loading in ``generators.loading_adapter``.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import diffusers
import torch

from generators import finish
from generators.adapting_adapter import drawn_with_adapters
from generators.calling_adapter import callback_of, pictures_of
from generators.interface import Generation, GenerationWarning, GeneratorInfo, LatentInit, StepHook
from generators.latents_adapter import starting_noise
from generators.prompts import prepare
from generators.recipe import ModelRecord, Recipe, SchedulerRecord, StageRecord
from generators.recording_adapter import environment, hook_records, scheduler_record
from provenance.errors import InputError
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from generators.defaults import Defaults
    from generators.request import GenerationRequest
    from generators.vocabulary import Vocabulary

SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
}
"""Names of ``GenerationRequest.scheduler`` and the classes they stand for."""
_RESERVED = frozenset(
    {
        "prompt",
        "negative_prompt",
        "width",
        "height",
        "generator",
        "latents",
        "output_type",
        "return_dict",
        "num_inference_steps",
        "guidance_scale",
        "num_images_per_prompt",
        "callback_on_step_end",
        "callback_on_step_end_tensor_inputs",
    }
)
_FIELDS = {
    "negative_prompt": "negative_prompt",
    "num_inference_steps": "num_inference_steps",
    "guidance_scale": "guidance_scale",
    "init": "image",
    "mask": "mask_image",
}
"""Request fields that a pipeline honours only if its call has the argument on the right."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiffusersGenerator:
    """A loaded pipeline behind the ``Generator`` protocol.

    Attributes:
        info: what is known about it.
        model: for the recipe.
        pipeline: the diffusers pipeline.
        scheduler: the pipeline's own, kept because requests may ask for another one.
        defaults: where the request says nothing.
        vocabulary: maps prompts, for models of few words.
        threads: of torch, or None for torch's own choice.
    """

    info: GeneratorInfo
    model: ModelRecord
    pipeline: Any
    scheduler: Any
    defaults: Defaults
    vocabulary: Vocabulary | None = None
    threads: int | None = None

    def generate(
        self,
        request: GenerationRequest,
        hooks: Sequence[StepHook] = (),
        *,
        latents: LatentInit | None = None,
    ) -> Iterator[Generation]:
        """One picture per seed, in order; each seed has its own CPU random stream.

        Raises:
            InputError: a field, option or size this model cannot honour, or a call that diffusers refused.
            ConfigurationError: not enough memory.
            IntegrityError: the result holds numbers that are no picture.
        """
        if request.adapters:
            yield from drawn_with_adapters(self, request, hooks, latents)
            return
        self._check(request, hooks, latents)
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        prompt = prepare(request.prompt, self.pipeline, self.vocabulary)
        negative = prepare(request.negative_prompt, self.pipeline, self.vocabulary, subject=False)
        scheduler = self._scheduler_class(request.scheduler)
        for start in range(0, len(request.seeds), self.defaults.batch):
            seeds = request.seeds[start : start + self.defaults.batch]
            # A new one for every batch: schedulers remember, and two requests may be drawn from in turns.
            self.pipeline.scheduler = scheduler.from_config(self.scheduler.config)
            record = scheduler_record(self.pipeline.scheduler)
            noise, shaded = starting_noise(self.pipeline, self._drawn_size(request), seeds, latents)
            pictures, flagged = self._call(request, prompt.text, negative.text, seeds, hooks, noise=noise)
            for index, (seed, pixels) in enumerate(zip(seeds, pictures, strict=True)):
                warnings = prompt.warnings + negative.warnings + (_REPLACED if flagged[index] else ())
                frames, finished = self._finished(request, pixels, seed)
                recipe = self._recipe(
                    request,
                    frames,
                    seed=seed,
                    scheduler=record,
                    hooks=shaded[index] + hook_records(hooks),
                    finished=finished,
                    batch=(index, len(seeds)),
                )
                yield Generation(frames=frames, recipe=recipe, prompt_used=prompt.text, warnings=warnings)

    def _recipe(
        self,
        request: GenerationRequest,
        frames: Frames,
        *,
        seed: int,
        scheduler: SchedulerRecord,
        hooks: tuple[StageRecord, ...],
        finished: tuple[StageRecord, ...],
        batch: tuple[int, int],
    ) -> Recipe:
        return Recipe(
            model=self.model,
            seed=seed,
            scheduler=scheduler,
            steps=self._steps(request),
            guidance_scale=self._guidance(request),
            width=frames.width,
            height=frames.height,
            hooks=hooks,
            finish=finished,
            options=dict(request.options),
            environment=environment(self.pipeline),
            batch_index=batch[0],
            batch_size=batch[1],
        )

    def _check(
        self, request: GenerationRequest, hooks: Sequence[StepHook], latents: LatentInit | None
    ) -> None:
        accepted = inspect.signature(self.pipeline.__call__).parameters
        for field, argument in _FIELDS.items():
            if getattr(request, field) not in (None, "") and argument not in accepted:
                raise _unsupported(field)
        if request.num_frames > 1 or request.fps is not None:
            raise _unsupported("num_frames")
        if hooks and "callback_on_step_end" not in accepted:
            raise _unsupported("hooks")
        if latents is not None and ("latents" not in accepted or request.init is not None):
            raise _unsupported("latents")
        for name in request.options:
            if name not in accepted or name in _RESERVED:
                raise _unsupported(f"options.{name}")
        if request.prompt and "prompt" not in accepted:
            raise _unsupported("prompt")
        width, height = self._size(request)
        if self.defaults.finished_size and width != height:
            raise InputError("request.size", "this model draws squares", where=f"{width}×{height}")
        if width % 8 or height % 8:
            raise InputError("request.size", "width and height are multiples of 8", where=f"{width}×{height}")

    def _size(self, request: GenerationRequest) -> tuple[int, int]:
        return request.width or self.info.width, request.height or self.info.height

    def _drawn_size(self, request: GenerationRequest) -> tuple[int, int] | None:
        """What the pipeline is asked for; None leaves it to the model, whose results are enlarged."""
        return self._size(request) if self.defaults.finished_size is None else None

    def _scheduler_class(self, name: str | None) -> Any:
        if name is None:
            return type(self.scheduler)
        if name not in SCHEDULERS:
            listed = ", ".join(SCHEDULERS)
            raise InputError(
                "request.scheduler", "no such scheduler", where=name, hint=f"choose from {listed}"
            )
        return getattr(diffusers, SCHEDULERS[name])

    def _call(
        self,
        request: GenerationRequest,
        prompt: str,
        negative: str,
        seeds: tuple[int, ...],
        hooks: Sequence[StepHook],
        *,
        noise: NDArray[np.float32] | None,
    ) -> tuple[NDArray[np.uint8], tuple[bool, ...]]:
        accepted = inspect.signature(self.pipeline.__call__).parameters
        arguments: dict[str, Any] = {
            # Noise is drawn on the CPU whatever the device, so that a seed means the same everywhere.
            "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            "output_type": "np",
            **request.options,
        }
        if "prompt" in accepted:
            arguments["prompt"] = [prompt] * len(seeds)
        elif "batch_size" in accepted:
            arguments["batch_size"] = len(seeds)
        if negative:
            arguments["negative_prompt"] = [negative] * len(seeds)
        numbers = {"num_inference_steps": self._steps(request), "guidance_scale": self._guidance(request)}
        arguments |= {name: value for name, value in numbers.items() if name in accepted}
        if (size := self._drawn_size(request)) and "width" in accepted:
            arguments["width"], arguments["height"] = size
        if hooks:
            arguments["callback_on_step_end"] = callback_of(hooks)
        if noise is not None:
            arguments["latents"] = torch.from_numpy(noise).to(self.pipeline.device, self.pipeline.dtype)
        return pictures_of(self.pipeline, arguments)

    def _steps(self, request: GenerationRequest) -> int:
        chosen = request.num_inference_steps or self.defaults.steps
        return chosen or int(_default(self.pipeline, "num_inference_steps", 50))

    def _guidance(self, request: GenerationRequest) -> float:
        for chosen in (request.guidance_scale, self.defaults.guidance_scale):
            if chosen is not None:
                return chosen
        return float(_default(self.pipeline, "guidance_scale", 1.0))

    def _finished(
        self, request: GenerationRequest, pixels: NDArray[np.uint8], seed: int
    ) -> tuple[Frames, tuple[StageRecord, ...]]:
        if self.defaults.finished_size is None:
            return Frames(pixels=pixels[None]), ()
        width, height = self._size(request)
        enlarged = finish.enlarge(pixels, width=width, height=height, seed=seed)
        return Frames(pixels=enlarged[None]), (finish.record(),)


_REPLACED = (
    GenerationWarning(
        code="generate.replaced", message="the model's own safety checker blacked this picture out"
    ),
)


def _default(pipeline: Any, name: str, otherwise: float) -> float:
    parameter = inspect.signature(pipeline.__call__).parameters.get(name)
    return otherwise if parameter is None or parameter.default is None else parameter.default


def _unsupported(field: str) -> InputError:
    return InputError(
        "request.unsupported",
        "this model cannot honour a part of the request",
        where=field,
        hint="leave it out, or choose a model that supports it",
    )
