"""Runs models in the diffusers folder layout, pictures and clips: bundled, from local folders, from the hub.

Here is the order of things. What a family takes is in ``generators.families``, what a request means for
one model in ``generators.ability``, the arguments in ``generators.arguments_adapter``, the call and its
results in ``generators.calling_adapter``, loading in ``generators.loading_adapter``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from generators import fast_adapter, finishes
from generators.ability import settle
from generators.ability_adapter import ability_of
from generators.adapting_adapter import drawn_with_adapters
from generators.arguments_adapter import Job, arguments_for, decoding
from generators.calling_adapter import pictures_of
from generators.fast import FEW_STEPS, SLICED, check_fast, solver
from generators.interface import Generation, GenerationWarning, GeneratorInfo, LatentInit, StepHook
from generators.latents_adapter import starting_noise
from generators.prompts import prepare
from generators.recipe import ModelRecord, Recipe, SchedulerRecord, StageRecord
from generators.recording_adapter import environment_of, hook_records
from generators.scheduling_adapter import effective_class, install
from generators.starting_points import pixels_digest
from provenance.errors import InputError
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from generators.ability import Ability
    from generators.defaults import Defaults
    from generators.request import GenerationRequest
    from generators.vocabulary import Vocabulary


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
        notes: what is to be said of every picture.
    """

    info: GeneratorInfo
    model: ModelRecord
    pipeline: Any
    scheduler: Any
    defaults: Defaults
    vocabulary: Vocabulary | None = None
    threads: int | None = None
    notes: tuple[GenerationWarning, ...] = ()

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
        ability = ability_of(self.pipeline, self.defaults)
        check_fast(request, ability.fast)
        if request.adapters:
            yield from drawn_with_adapters(self, request, hooks, latents)
            return
        job, warnings = self._job(request, ability, hooks, latents)
        chosen = effective_class(request, self.scheduler, ability.family)
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        together = self.defaults.batch if ability.family.batches else 1
        for start in range(0, len(request.seeds), together):
            seeds = request.seeds[start : start + together]
            for made in self._batch(job, seeds, chosen, latents):
                yield replace(made, warnings=warnings + made.warnings)

    def _job(
        self,
        request: GenerationRequest,
        ability: Ability,
        hooks: Sequence[StepHook],
        latents: LatentInit | None,
    ) -> tuple[Job, tuple[GenerationWarning, ...]]:
        """What all its pictures have in common, and what is to be said of each.

        Raises:
            InputError: as ``generate``.
        """
        finish = None
        if ability.square:
            request, finish = finishes.chosen(request, self.defaults.finish)
        settled = settle(request, ability, hooks=bool(hooks), latents=latents is not None)
        prompt = prepare(request.prompt, self.pipeline, self.vocabulary, options=request.options)
        negative = prepare(
            request.negative_prompt, self.pipeline, self.vocabulary, options=request.options, subject=False
        )
        job = Job(
            request=request,
            ability=ability,
            settled=settled,
            prompt=prompt.text,
            negative=negative.text,
            hooks=hooks,
            finish=finish,
        )
        return job, self.notes + prompt.warnings + negative.warnings

    def _batch(
        self, job: Job, seeds: tuple[int, ...], chosen: Any, latents: LatentInit | None
    ) -> Iterator[Generation]:
        """The pictures of ``seeds``, computed together."""
        ability, settled, names = job.ability, job.settled, job.request.fast
        settings = solver(self.scheduler.config) if FEW_STEPS in names else {}
        scheduler = install(self.pipeline, chosen, self.scheduler, settings)
        size = None if ability.square else (settled.width, settled.height)
        noise, shaded = starting_noise(self.pipeline, size, seeds, latents, frames=settled.frames)
        arguments = arguments_for(self.pipeline, job, seeds, noise)
        options = {**job.request.options, **({"vae_slicing": True} if SLICED in names else {})}
        with (
            fast_adapter.laid_over(self.pipeline, names, self.scheduler) as fast,
            decoding(self.pipeline, options),
        ):
            drawn, flagged = pictures_of(
                self.pipeline,
                arguments,
                returns=ability.family.returns,
                seed=seeds[0],
                options=job.request.options,
            )
        if len(drawn) != len(seeds):
            what = f"the model made {len(drawn)} pictures for {len(seeds)} seeds"
            raise InputError("generate.failed", what, hint="leave out the options that it cannot work with")
        for index, (seed, pixels) in enumerate(zip(seeds, drawn, strict=True)):
            frames, finished = _finished(pixels, job, seed)
            recipe = self._recipe(
                job,
                seed=seed,
                scheduler=scheduler,
                hooks=shaded[index] + hook_records(job.hooks),
                finished=finished,
                fast=fast,
                batch=(index, len(seeds)),
            )
            warnings = (_REPLACED if flagged[index] else ()) + _said(job)
            yield Generation(frames=frames, recipe=recipe, prompt_used=job.prompt, warnings=warnings)

    def _recipe(
        self,
        job: Job,
        *,
        seed: int,
        scheduler: SchedulerRecord,
        hooks: tuple[StageRecord, ...],
        finished: tuple[StageRecord, ...],
        fast: tuple[StageRecord, ...],
        batch: tuple[int, int],
    ) -> Recipe:
        request, settled = job.request, job.settled
        return Recipe(
            model=self.model,
            seed=seed,
            scheduler=scheduler,
            steps=settled.steps,
            guidance_scale=settled.guidance,
            width=settled.width,
            height=settled.height,
            hooks=hooks,
            finish=finished,
            fast=fast,
            options=dict(request.options),
            environment=environment_of(self.pipeline, packages=job.ability.family.packages),
            batch_index=batch[0],
            batch_size=batch[1],
            frames=settled.frames,
            fps=settled.fps,
            init_sha256=None if request.init is None else pixels_digest(request.init),
            mask_sha256=None if request.mask is None else pixels_digest(request.mask),
        )


_REPLACED = (
    GenerationWarning(
        code="generate.replaced", message="the model's own safety checker blacked this picture out"
    ),
)


def _said(job: Job) -> tuple[GenerationWarning, ...]:
    if job.finish is None:
        return ()
    return job.finish.warnings(width=job.settled.width, height=job.settled.height)


def _finished(pixels: NDArray[np.uint8], job: Job, seed: int) -> tuple[Frames, tuple[StageRecord, ...]]:
    """(T, H, W, C) as the model made it, or enlarged; never of another size than was asked for."""
    settled = job.settled
    if job.finish is not None:
        enlarged = job.finish.enlarge(pixels[0], width=settled.width, height=settled.height, seed=seed)
        return Frames(pixels=enlarged[None]), (job.finish.record(),)
    made, asked = pixels.shape[:3], (settled.frames, settled.height, settled.width)
    if made != asked:
        texts = [f"{size[2]}×{size[1]}, {size[0]} frames" for size in (asked, made)]
        raise InputError("request.size", f"the model makes {texts[1]} when asked for {texts[0]}")
    return Frames(pixels=pixels, fps=settled.fps), ()
