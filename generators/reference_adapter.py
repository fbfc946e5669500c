"""Reference models behind the ``Generator`` protocol.

Every picture is computed alone, from its seed's own stream on the CPU, so it never depends on its
neighbours. It is some pixels large and is enlarged by a whole factor, which the recipe says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators import finish_whole
from generators.environment import environment
from generators.interface import Generation
from generators.recipe import ModelRecord, Recipe, SchedulerRecord
from generators.reference_asking import ReferenceRequest, asked_of, check
from generators.refusals import not_finite
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from generators.interface import GeneratorInfo, LatentInit, StepHook
    from generators.reference.outputs import SampleRequest
    from generators.reference_files import Settings
    from generators.request import GenerationRequest

_LIBRARIES = ("torch", "numpy")
"""Those whose version can move a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferenceGenerator:
    """A loaded reference model.

    Attributes:
        info: what is known about it.
        model: for the recipe.
        settings: of its configuration.
        network: with its weights, or its picture.
        draw: gives (C, H, W) in [0, 1] for a request; of the module that trained it.
        threads: of torch, or None for torch's own choice.
    """

    info: GeneratorInfo
    model: ModelRecord
    settings: Settings
    network: Any
    draw: Callable[[Any, SampleRequest], torch.Tensor]
    threads: int | None = None

    def generate(
        self,
        request: GenerationRequest,
        hooks: Sequence[StepHook] = (),
        *,
        latents: LatentInit | None = None,
    ) -> Iterator[Generation]:
        """One picture per seed, in order.

        Raises:
            InputError: a field, option or hook that this model cannot honour, or a class it does not draw.
            IntegrityError: ``generate.not-finite``.
        """
        check(request, self.settings, hooks=bool(hooks), latents=latents is not None)
        asked = asked_of(request, self.settings)
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        for seed in request.seeds:
            pixels = finish_whole.enlarge(self._drawn(asked, seed), asked.factor)
            frames = Frames(pixels=pixels[None])
            yield Generation(
                frames=frames, recipe=self._recipe(seed, frames, asked), prompt_used=asked.prompt
            )

    def _drawn(self, asked: ReferenceRequest, seed: int) -> NDArray[np.uint8]:
        """(H, W, 3) pixels as the network gives them."""
        values = self.draw(self.network, asked.sample_request(seed))
        if not torch.isfinite(values).all():
            raise not_finite(hint="train it again; its weights are no use")
        most = self.settings.depth - 1
        levels = (values.clamp(0, 1) * most).round() * (255 / most)
        pixels = levels.round().byte().permute(1, 2, 0).numpy()
        return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))

    def _recipe(self, seed: int, frames: Frames, asked: ReferenceRequest) -> Recipe:
        return Recipe(
            model=self.model,
            seed=seed,
            scheduler=_scheduler(self.settings),
            steps=asked.steps,
            guidance_scale=asked.guidance,
            width=frames.width,
            height=frames.height,
            hooks=(),
            finish=(finish_whole.record(asked.factor),),
            options=asked.options,
            environment=environment(_LIBRARIES, threads=torch.get_num_threads()),
            batch_index=0,
            batch_size=1,
        )


def _scheduler(settings: Settings) -> SchedulerRecord:
    if settings.kind != "ddpm":
        return SchedulerRecord(name="none", config={})
    return SchedulerRecord(
        name="ancestral", config={"schedule": "cosine", "num_train_timesteps": settings.steps}
    )
