"""The bench: models × sets of prompts × guidance × seeds, drawn by a sampler, continued after a stop.

Pictures are looked at in memory and forgotten; what stays of each is a ``Trial``.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.checkpoint import Checkpoint
from audits.machine import code_digest, version_of
from audits.quality.looking import Instruments, Place, looked_at
from audits.quality.trial import KIND, Trial, place
from generators.request import GenerationRequest
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from audits.quality.sets import PromptSet
    from audits.sampler import Sampler
    from generators.interface import GeneratorInfo
    from provenance.canonical import Json

BATCH = 16
"""Pictures of one request: those of a batch that was cut short are drawn again, all of them, because a
picture's last digits depend on its batch."""
_APART = 10_000
"""Between the first seeds of two prompts: their pictures share no noise. The same in every model and at
every guidance, which are thereby compared on equal noise."""
PREVIEW_ITEMS, PREVIEW_SEEDS = 8, 6
"""Prompts of a set, evenly chosen, and pictures of each, of which a preview is kept."""
_CODE = (
    *(
        f"audits/quality/{name}.py"
        for name in (
            "features",
            "flow_adapter",
            "foreign",
            "looking",
            "oracle_adapter",
            "sets",
            "trial",
            "warp",
        )
    ),
    "audits/rgb.py",
    *(f"generators/oracle/{name}.py" for name in ("network", "questions", "reading_adapter")),
    *(f"guard/{name}.py" for name in ("drawn_clips", "preview", "sampling")),
)
"""The code that a trial depends on, the guarded path that hands pictures over included; summaries and tables
may change and the trials still count."""
_PACKAGES = (
    "diffusers",
    "mediaguard",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "torch",
    "transformers",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is measured.

    Attributes:
        sets: of prompts.
        pictures: of each prompt; None: as each set says.
        seed: of the first picture of the first prompt.
        steps: denoising steps; None: the model's own.
        changed: when the user's own prompts were last changed (nanoseconds), 0 for none of them: nothing
            derived from their words is kept.
    """

    sets: tuple[PromptSet, ...]
    pictures: int | None = None
    seed: int = 1
    steps: int | None = None
    changed: int = 0

    def seeds(self, set_: PromptSet, item: int) -> range:
        """Of the pictures of one prompt."""
        first = self.seed + item * _APART
        return range(first, first + (self.pictures or set_.pictures))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """All that a report is made from.

    Attributes:
        setup: what was asked for.
        about: seed, digests, versions.
        models: as named in trials, in the order asked for, and what is known of each.
        trials: all, in the order drawn.
    """

    setup: Setup
    about: Mapping[str, Json]
    models: Mapping[str, GeneratorInfo]
    trials: tuple[Trial, ...]


def measure(
    models: Sequence[str],
    open_model: Callable[[str], Sampler],
    setup: Setup,
    instruments: Instruments,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Measured:
    """Draw and read whatever the checkpoint does not hold.

    Args:
        models: references, as ``open_model`` takes them; one at a time is held in memory.
        open_model: the sampler behind a reference.
        setup: what to measure.
        instruments: what to look with.
        checkpoint: file that keeps finished trials; None keeps nothing.
        progress: called with pictures done and pictures in all, before the first and after each batch.

    Raises:
        InputError: ``bench.checkpoint``; the model cannot be loaded or cannot honour a request.
    """
    store = Checkpoint.open(checkpoint, _run(setup, instruments), KIND)
    known: dict[str, GeneratorInfo] = {}
    trials: list[Trial] = []
    total = len(models) * sum(len(batch.seeds) for batch in _batches(setup))
    for reference in models:
        sampler = open_model(reference)
        name = name_of(sampler.info)
        known[name] = sampler.info
        for batch in _batches(setup):
            progress(len(trials), total)
            places = [batch.place(name, seed) for seed in batch.seeds]
            kept = [place(w.model, w.set, w.item, w.guidance, w.seed) for w in places]
            if not all(one in store.done for one in kept):
                store.add(*_drawn(batch, places, sampler, setup, instruments))
            trials += [store.done[one] for one in kept]
    progress(len(trials), total)
    return Measured(setup=setup, about=store.run, models=known, trials=tuple(trials))


def name_of(info: GeneratorInfo) -> str:
    """A model in results: its public reference, and a digest of its weights where they were seen."""
    if not info.weights_sha256 or info.weights_sha256[:12] in info.public_id:
        return info.public_id
    return f"{info.public_id}@{info.weights_sha256[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Pictures of one request."""

    set: PromptSet
    item: int
    guidance: float | None
    seeds: tuple[int, ...]
    shown: range

    def place(self, model: str, seed: int) -> Place:
        return Place(
            model=model,
            set=self.set.name,
            item=self.item,
            guidance=self.guidance,
            seed=seed,
            shown=seed in self.shown,
        )


def _batches(setup: Setup) -> Iterator[_Batch]:
    for set_ in setup.sets:
        chosen = {len(set_.asked) * place // PREVIEW_ITEMS for place in range(PREVIEW_ITEMS)}
        for guidance in set_.guidance:
            for item in range(len(set_.asked)):
                seeds = setup.seeds(set_, item)
                shown = seeds[:PREVIEW_SEEDS] if item in chosen else range(0)
                for start in range(0, len(seeds), BATCH):
                    part = tuple(seeds[start : start + BATCH])
                    yield _Batch(set=set_, item=item, guidance=guidance, seeds=part, shown=shown)


def _drawn(
    batch: _Batch, places: Sequence[Place], sampler: Sampler, setup: Setup, instruments: Instruments
) -> Iterator[Trial]:
    request = GenerationRequest(
        prompt=batch.set.asked[batch.item].prompt,
        model=sampler.info.id,
        seeds=batch.seeds,
        num_inference_steps=setup.steps,
        guidance_scale=batch.guidance,
    )
    outcomes = list(sampler(request))
    if len(outcomes) != len(places):
        what = f"the model made {len(outcomes)} of {len(places)} pictures"
        raise IntegrityError("bench.too-few-drawn", what, where=sampler.info.id)
    for where, outcome in zip(places, outcomes, strict=True):
        yield looked_at(outcome, where, instruments)


def _run(setup: Setup, instruments: Instruments) -> dict[str, Json]:
    """Everything that a trial depends on beside its model and its place."""
    return {
        "seed": setup.seed,
        "steps": setup.steps,
        "changed": setup.changed,
        "oracle_sha256": None if instruments.reader is None else instruments.reader.sha256,
        "features": instruments.features,
        "flow": None if instruments.flow is None else instruments.flow[0],
        "code_sha256": code_digest(_CODE),
        "versions": {package: found for package in _PACKAGES if (found := version_of(package))},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
