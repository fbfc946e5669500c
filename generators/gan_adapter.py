"""GANs behind the ``Generator`` protocol: one step from random numbers to a picture.

Every picture is computed alone, from its seed's own stream on the CPU: the attributes that were not said,
then z, then the noise of the layers, always in this order and always all of them. So a picture never
depends on its neighbours, and what is said of it changes no random number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators import finishes
from generators.environment import environment
from generators.gan_settings import GanRequest, asked_of, check
from generators.interface import Generation
from generators.recipe import ModelRecord, Recipe, SchedulerRecord
from generators.refusals import not_finite
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from generators.finishes import Finish
    from generators.gan_conditions import Conditions
    from generators.interface import GeneratorInfo, LatentInit, StepHook
    from generators.recipe import StageRecord
    from generators.request import GenerationRequest
    from generators.vocabulary import Vocabulary
    from provenance.canonical import Json

_NO_SCHEDULER = SchedulerRecord(name="none", config={})
_LIBRARIES = ("torch", "numpy", "Pillow")
"""Those whose version can move a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GanGenerator:
    """A loaded GAN.

    Attributes:
        info: what is known about it.
        model: for the recipe.
        network: ``StyleGAN2`` or ``DCGAN``.
        conditions: what its condition means; None where there is none, or nobody said.
        vocabulary: from words to attributes.
        truncation: ψ where the request says nothing.
        finish: how pictures are enlarged, a name in ``generators.finishes``.
        directions: in w, by name; length 1 is one deviation of w along it.
        threads: of torch, or None for torch's own choice.
    """

    info: GeneratorInfo
    model: ModelRecord
    network: Any
    conditions: Conditions | None = None
    vocabulary: Vocabulary | None = None
    truncation: float = 1.0
    finish: str = finishes.PLAIN
    directions: Mapping[str, torch.Tensor] = field(default_factory=dict)
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
            InputError: a field, option or hook that a GAN cannot honour, or an attribute it does not know.
            IntegrityError: ``generate.not-finite``.
        """
        check(request, hooks, latents, readable=self.vocabulary is not None)
        request, finish = finishes.chosen(request, self.finish)
        asked = asked_of(request, self)
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        size = request.width or self.info.width, request.height or self.info.height
        for seed in request.seeds:
            pixels, drawn = self.draw(seed, asked)
            frames, finished = _finished(pixels, size, seed, finish)
            recipe = self._recipe(seed, frames, finished, {**asked.options, **drawn})
            said = asked.warnings + (finish.warnings(width=size[0], height=size[1]) if finished else ())
            yield Generation(frames=frames, recipe=recipe, prompt_used=asked.prompt, warnings=said)

    def draw(self, seed: int, asked: GanRequest) -> tuple[NDArray[np.uint8], dict[str, str]]:
        """(side, side, 3) pixels of the network, and the attributes that the seed decided."""
        rng = torch.Generator("cpu").manual_seed(seed)
        condition, drawn = self._condition(rng, asked.said)
        z = torch.randn(1, self.network.shape.z, generator=rng)
        noise = self._noise(rng, asked.noise)
        with torch.no_grad():
            if asked.moves or asked.truncation != 1:
                w = self.network.mapping.truncated(self.network.mapping(z, condition), asked.truncation)
                for name, strength in asked.moves.items():
                    w = w + strength * self.directions[name]
                picture = self.network.synthesis(w, noise)
            else:
                picture = self.network(z, condition, noise=noise)
        return _pixels(picture[0]), drawn

    def _condition(
        self, rng: torch.Generator, said: Mapping[str, str]
    ) -> tuple[torch.Tensor | None, dict[str, str]]:
        length = self.network.shape.condition
        if self.conditions is None:
            # Nobody said what the numbers mean: a class is drawn, or the one that was asked for.
            if not length:
                return None, {}
            drawn = int(torch.rand((), generator=rng) * length)
            number = int(said.get("class", drawn))
            vector = torch.nn.functional.one_hot(torch.tensor([number]), length).float()
            return vector, {} if "class" in said else {"class": str(number)}
        chances = torch.rand(len(self.conditions.blocks), generator=rng).tolist()
        chosen = self.conditions.drawn(said, chances)
        return torch.tensor([self.conditions.vector({**said, **chosen})]), chosen

    def _noise(self, rng: torch.Generator, kind: str) -> list[torch.Tensor] | None:
        sides = getattr(getattr(self.network, "synthesis", None), "layer_sides", ())
        drawn = [torch.randn(1, 1, side, side, generator=rng) for side in sides]
        if kind == "none":
            return [torch.zeros_like(noise) for noise in drawn]
        return drawn if kind == "random" else None

    def _recipe(
        self, seed: int, frames: Frames, finished: tuple[StageRecord, ...], options: Mapping[str, Json]
    ) -> Recipe:
        return Recipe(
            model=self.model,
            seed=seed,
            scheduler=_NO_SCHEDULER,
            steps=1,
            guidance_scale=1.0,
            width=frames.width,
            height=frames.height,
            hooks=(),
            finish=finished,
            options=options,
            environment=environment(_LIBRARIES, threads=torch.get_num_threads()),
            batch_index=0,
            batch_size=1,
        )


def _finished(
    pixels: NDArray[np.uint8], size: tuple[int, int], seed: int, finish: Finish
) -> tuple[Frames, tuple[StageRecord, ...]]:
    """As the network made it where that is the size (width, height), or enlarged."""
    if size == (pixels.shape[1], pixels.shape[0]):
        return Frames(pixels=pixels[None]), ()
    enlarged = finish.enlarge(pixels, width=size[0], height=size[1], seed=seed)
    return Frames(pixels=enlarged[None]), (finish.record(),)


def _pixels(picture: torch.Tensor) -> NDArray[np.uint8]:
    """(C, S, S) about -1 to 1 as (S, S, 3) bytes; one channel becomes three."""
    values = picture.permute(1, 2, 0).numpy()
    if not np.isfinite(values).all():
        raise not_finite(hint="use full precision, weaker directions or a smaller truncation")
    scaled = np.rint(values * 127.5 + 127.5).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(scaled, (*scaled.shape[:2], 3)))
