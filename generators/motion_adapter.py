"""A picture model that moves, behind the ``Generator`` protocol.

1. take our own options out of the request: ``shared_noise``, ``given_frames``
2. encode the frames that are given
3. have the AnimateDiff pipeline draw each clip at the model's own size   (``generators.diffusers_adapter``)
4. enlarge every frame, and say in the recipe what was done
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators import finishes, given_frames, shared_noise
from generators.ability_adapter import family_of
from generators.family import InitRule
from generators.given_frames import GivenFrames
from generators.latents_adapter import own_side
from generators.refusals import unsupported
from generators.scheduling_adapter import effective_class, rescales
from generators.starting_points import check_init, pixels_digest
from provenance.codecs import resize
from provenance.errors import InputError
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from generators.diffusers_adapter import DiffusersGenerator
    from generators.finishes import Finish
    from generators.interface import Generation, GeneratorInfo, LatentInit, StepHook
    from generators.motion_files import MotionCard
    from generators.recipe import AdapterRecord, ModelRecord
    from generators.request import GenerationRequest

SHARED = "shared_noise"
"""Option: the share of its noise that a frame has in common with the others, 0 to below 1."""
_CLEAN = (None, "ddim", "dpm++")
"""Schedulers that given frames can stand among; the model's own, where none is named, is looked at."""
_INIT = InitRule(clip=True, single="frames", required=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MotionGenerator:
    """An AnimateDiff pipeline, its card, and what is done before and after it.

    Attributes:
        info: what is known about it.
        drawing: draws clips at the model's own size.
        card: defaults.
        adapters: for the recipe: how the motion modules were trained, where a record of that lies beside.
    """

    info: GeneratorInfo
    drawing: DiffusersGenerator
    card: MotionCard
    adapters: tuple[AdapterRecord, ...] = ()

    @property
    def model(self) -> ModelRecord:
        """For the recipe."""
        return self.drawing.model

    @property
    def pipeline(self) -> Any:
        """The AnimateDiff pipeline."""
        return self.drawing.pipeline

    @property
    def threads(self) -> int | None:
        """Of torch, or None for torch's own choice."""
        return self.drawing.threads

    def generate(
        self,
        request: GenerationRequest,
        hooks: Sequence[StepHook] = (),
        *,
        latents: LatentInit | None = None,
    ) -> Iterator[Generation]:
        """One clip per seed, in order.

        Raises:
            InputError: as ``DiffusersGenerator.generate``; ``request.given-frames``, ``request.size``.
        """
        size = self._size(request)
        finish = None
        if size is not None:
            request, finish = finishes.chosen(request, self.card.finish)
        plain, share = self._without_ours(request)  # (1)
        given = self._given(request, plain)  # (2)
        if latents is not None and (share or given):
            raise unsupported(
                "latents", hint="a mark in the noise leaves no noise to share, and no given frames"
            )
        start = shared_noise.SharedNoise(share) if share else latents
        if given is not None:
            hooks, start = (given, *hooks), given.start(start)
        for made in self.drawing.generate(plain, hooks, latents=start):  # (3)
            yield self._finished(made, request, size, finish)  # (4)

    def _without_ours(self, request: GenerationRequest) -> tuple[GenerationRequest, float]:
        """The request for the pipeline, and the share of common noise."""
        options: dict[str, Any] = dict(request.options)
        share = options.pop(SHARED, self.card.shared_noise)
        options.pop(given_frames.OPTION, None)
        if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share < 1:
            raise InputError(
                "request.out-of-range", "shared noise is 0 to below 1", where=f"options.{SHARED}"
            )
        side = own_side(self.pipeline) if self.card.size is not None else None
        plain = replace(
            request,
            options=options,
            init=None,
            width=side or request.width,
            height=side or request.height,
            num_frames=request.num_frames or self.card.frames,
            fps=request.fps or self.card.fps,
        )
        return plain, float(share)

    def _size(self, request: GenerationRequest) -> tuple[int, int] | None:
        """Pixels that clips are enlarged to; None where they stay as drawn."""
        if self.card.size is None:
            return None
        asked = request.width or self.card.size, request.height or self.card.size
        if asked[0] != asked[1] or asked[0] % 8:
            what = "this model draws squares, whose sides are multiples of 8"
            raise InputError("request.size", what, where=f"{asked[0]}×{asked[1]}")
        return asked

    def _given(self, request: GenerationRequest, plain: GenerationRequest) -> GivenFrames | None:
        said = request.options.get(given_frames.OPTION)
        check_init(request, _INIT)
        if request.mask is not None:
            raise unsupported("mask")
        if request.init is None:
            if said is not None:
                raise InputError("request.given-frames", "there is no init to take frames from")
            return None
        self._check_scheduler(request)
        where = given_frames.places(said, len(request.init.pixels), plain.num_frames or 1)
        return GivenFrames(self._encoded(request.init, plain), where)

    def _check_scheduler(self, request: GenerationRequest) -> None:
        """Given frames stand clean among samples that nothing scales."""
        own = self.drawing.scheduler
        if request.scheduler in _CLEAN and not rescales(
            effective_class(request, own, family_of(self.pipeline)), own
        ):
            return
        raise unsupported(
            "init" if request.scheduler is None else "scheduler",
            hint="given frames need the scheduler ddim or dpm++",
        )

    def _encoded(self, init: Frames, plain: GenerationRequest) -> NDArray[np.float32]:
        """(C, k, h, w) at the size that is drawn."""
        side = own_side(self.pipeline)
        size = plain.width or side, plain.height or side
        fitted = init if (init.width, init.height) == size else resize(init, *size)
        pixels = (
            fitted.pixels[..., :3] if fitted.pixels.shape[3] >= 3 else np.repeat(fitted.pixels, 3, axis=3)
        )
        vae = self.pipeline.vae
        tensor = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad():
            latents = vae.encode(tensor.to(vae.device, vae.dtype)).latent_dist.mode().float().cpu()
        shifted = (latents - (getattr(vae.config, "shift_factor", None) or 0)) * vae.config.scaling_factor
        encoded: NDArray[np.float32] = shifted.transpose(0, 1).contiguous().numpy()
        return encoded

    def _finished(
        self,
        made: Generation,
        request: GenerationRequest,
        size: tuple[int, int] | None,
        finish: Finish | None,
    ) -> Generation:
        recipe = replace(
            made.recipe,
            options=dict(request.options),
            init_sha256=None if request.init is None else pixels_digest(request.init),
            adapters=made.recipe.adapters + self.adapters,
        )
        if size is None or finish is None:
            return replace(made, recipe=recipe)
        width, height = size
        return replace(
            made,
            frames=enlarged(made.frames, size, made.recipe.seed, finish),
            recipe=replace(recipe, width=width, height=height, finish=(finish.record(),)),
            warnings=made.warnings + finish.warnings(width=width, height=height),
        )


def enlarged(frames: Frames, size: tuple[int, int], seed: int, finish: Finish) -> Frames:
    """Every frame in (width, height) ``size``; the grain is that of the seed, the same in all frames."""
    large = [finish.enlarge(frame, width=size[0], height=size[1], seed=seed) for frame in frames.pixels]
    return Frames(pixels=np.stack(large), fps=frames.fps)


def capabilities(inner: Sequence[str]) -> tuple[str, ...]:
    """What is declared: the pipeline's own, and given frames and shared noise."""
    return tuple(dict.fromkeys((*inner, "init", "given_frames", "shared_noise")))
