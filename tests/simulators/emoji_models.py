"""Models of the emoji family that "draw" pictures they are given, one a seed, and an oracle of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from generators import vocabulary
from generators.defaults import Defaults
from generators.interface import Generation, GeneratorInfo
from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord
from generators.vocabulary import Vocabulary
from provenance.media import Frames

WORDS = Path(vocabulary.__file__).with_name("training") / "emoji_words.json"


DEFAULTS = Defaults(steps=20, guidance_scale=1.5, finished_size=512)


@dataclass(frozen=True)
class Card:
    size: int | None = 512


@dataclass(frozen=True)
class EmojiSimulator:
    """``pictures``, (h, w, 3) uint8, in turn by seed; of a clip every frame is moved by some pixels."""

    pictures: Any
    ref: str = "bundled:emoji"
    frames: int = 1
    sampler: str = "DDIMScheduler"
    asked: list[Any] = field(default_factory=list)
    vocabulary: Vocabulary = field(default_factory=lambda: vocabulary.load(WORDS))
    defaults: Defaults = DEFAULTS
    card: Card = Card()
    directions: Any = field(default_factory=lambda: {"sefa-1": 0, "tone-dark": 0})
    truncation: float = 0.8
    network: Any = field(default_factory=lambda: SimpleNamespace(shape=SimpleNamespace(side=64)))

    @property
    def info(self) -> GeneratorInfo:
        return GeneratorInfo(
            id=self.ref,
            name="simulator",
            kind="image",
            width=512,
            height=512,
            licence="Apache-2.0",
            data_licence="CC0-1.0",
            weights_sha256="0" * 64,
            capabilities=("text",),
        )

    def generate(self, request, hooks=(), *, latents=None):
        self.asked.append(request)
        for index, seed in enumerate(request.seeds):
            whole = self.pictures[seed % len(self.pictures)]
            moved = np.stack([np.roll(whole, 6 * frame, axis=1) for frame in range(self.frames)])
            fps = 8.0 if self.frames > 1 else None
            recipe = self._recipe(seed, index, request)
            yield Generation(frames=Frames(pixels=moved, fps=fps), recipe=recipe, prompt_used=request.prompt)

    def _recipe(self, seed, index, request) -> Recipe:
        return Recipe(
            model=ModelRecord(ref=self.ref, revision=None, pipeline="Simulator", weights=()),
            seed=seed,
            scheduler=SchedulerRecord(name=self.sampler, config={}),
            steps=20,
            guidance_scale=1.5,
            width=128,
            height=128,
            hooks=(),
            finish=(),
            options={},
            environment=Environment(python="3", libraries={}, device="cpu", dtype="float32", threads=1),
            batch_size=len(request.seeds),
            batch_index=index,
        )


class OneAnswerOracle:
    """Takes every picture for a judge of medium tone."""

    def read(self, frames):
        return (
            {"subject": "judge", "tone": "medium", "presentation": "man", "style": "flat", "ground": "blue"},
        )
