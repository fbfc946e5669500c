"""A generator that "draws" crops of real photographs, one a seed: everything but the model is real."""

from __future__ import annotations


class PhotographGenerator:
    """``photographs`` in turn, by seed."""

    def __init__(self, photographs) -> None:
        from generators.interface import GeneratorInfo

        self.photographs = photographs
        self.info = GeneratorInfo(
            id="simulated:1",
            name="Photograph simulator",
            kind="image",
            width=288,
            height=288,
            licence="Apache-2.0",
            data_licence="CC0-1.0",
            weights_sha256="0" * 64,
            capabilities=("text",),
        )

    def generate(self, request, hooks=(), *, latents=None):
        from generators.interface import Generation
        from provenance.media import Frames

        for index, seed in enumerate(request.seeds):
            whole = self.photographs[seed % len(self.photographs)]
            pixels = whole[:288, :288].copy()[None]
            yield Generation(
                frames=Frames(pixels=pixels),
                recipe=self.recipe(seed, index, request),
                prompt_used=request.prompt,
            )

    def recipe(self, seed, index, request):
        from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord

        return Recipe(
            model=ModelRecord(ref=self.info.id, revision=None, pipeline="Photographs", weights=()),
            seed=seed,
            scheduler=SchedulerRecord(name="none", config={}),
            steps=1,
            guidance_scale=1.0,
            width=288,
            height=288,
            hooks=(),
            finish=(),
            options={},
            environment=Environment(python="3", libraries={}, device="cpu", dtype="float32", threads=1),
            batch_size=len(request.seeds),
            batch_index=index,
        )
