"""From a settled request to the keyword arguments of one call."""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from generators.ability import VAE_OPTIONS
from generators.ability_adapter import vae_of
from generators.calling_adapter import callback_of
from generators.parts_adapter import place_of
from generators.starting_points import init_arguments
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from generators.ability import Ability, Settled
    from generators.finishes import Finish
    from generators.interface import StepHook
    from generators.request import GenerationRequest
    from provenance.canonical import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is the same for all pictures of one request.

    Attributes:
        request: as asked.
        ability: of the model.
        settled: the request's numbers, all filled in.
        prompt: the text that reaches the model.
        negative: the same of the negative prompt.
        hooks: between steps.
        finish: how its pictures are enlarged, None where they are not.
    """

    request: GenerationRequest
    ability: Ability
    settled: Settled
    prompt: str
    negative: str
    hooks: Sequence[StepHook]
    finish: Finish | None = None


def arguments_for(
    pipeline: Any, job: Job, seeds: Sequence[int], noise: NDArray[np.float32] | None
) -> dict[str, Any]:
    """All arguments of the call that draws one picture for each of ``seeds``, from ``noise`` if there is any.

    Raises:
        InputError: ``request.label``.
    """
    family, options = job.ability.family, job.request.options
    # Noise is drawn on the CPU whatever the device, so that a seed means the same everywhere.
    streams = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    arguments: dict[str, Any] = {
        "generator": streams if family.batches else streams[0],
        "output_type": "np",
        **family.fixed,
        **{name: value for name, value in options.items() if name not in VAE_OPTIONS},
        **_texts(pipeline, job, len(seeds)),
        **_numbers(job),
    }
    if family.init is not None:
        arguments |= init_arguments(job.request, family.init, len(seeds))
    if job.hooks:
        arguments["callback_on_step_end"] = callback_of(job.hooks)
        arguments["callback_on_step_end_tensor_inputs"] = list(family.hooks)
    if noise is not None:
        arguments["latents"] = torch.from_numpy(noise).to(*place_of(pipeline))
        for stream, drawn in zip(streams, noise, strict=True):
            # What is drawn between steps comes after the first noise, whoever drew that.
            torch.randn(drawn.size, generator=stream)
    return arguments


def _numbers(job: Job) -> dict[str, Any]:
    """Steps, guidance, size, length and rate, as far as the call takes them."""
    family, settled, accepted = job.ability.family, job.settled, job.ability.accepted
    given: dict[str | None, Any] = {
        "num_inference_steps": settled.steps,
        family.guidance: settled.guidance,
        "num_frames": settled.frames,
        family.fps_argument: _told(settled, job.ability),
    }
    if not job.ability.square:
        given |= {"width": settled.width, "height": settled.height}
    return {name: value for name, value in given.items() if name is not None and name in accepted}


def _texts(pipeline: Any, job: Job, count: int) -> dict[str, Any]:
    ability = job.ability
    if ability.family.conditioning == "label":
        return {"class_labels": [label_number(pipeline, job.prompt)] * count}
    if "prompt" not in ability.accepted:
        return {"batch_size": count} if "batch_size" in ability.accepted else {}
    given = {"prompt": job.prompt} | ({"negative_prompt": job.negative} if job.negative else {})
    # Some that make one clip at a time refuse lists, even of one.
    return {name: [text] * count if ability.family.batches else text for name, text in given.items()}


def _told(settled: Settled, ability: Ability) -> float | None:
    """Frames per second as the call wants them: one model takes whole numbers only."""
    fps = settled.fps
    return int(fps) if fps is not None and ability.family.fps_argument == "fps" else fps


def label_number(pipeline: Any, text: str) -> int:
    """The class that a prompt names: one of the model's names for it, or its number.

    Raises:
        InputError: ``request.label``, naming classes that are called nearly so.
    """
    names: Mapping[str, int] = getattr(pipeline, "labels", {})
    count = pipeline.transformer.config.num_embeds_ada_norm
    wanted = text.strip()
    if wanted.isascii() and wanted.isdigit() and int(wanted) < count:
        return int(wanted)
    folded = {name.casefold(): number for name, number in names.items()}
    if wanted.casefold() in folded:
        return folded[wanted.casefold()]
    near = difflib.get_close_matches(wanted.casefold(), folded, n=3, cutoff=0.4) or sorted(folded)[:3]
    listed = ", ".join(near)
    raise InputError(
        "request.label",
        "this model draws one of its classes, and the prompt names none of them",
        hint=f"give a number below {count}" + (f", or a name such as {listed}" if listed else ""),
    )


@contextmanager
def decoding(pipeline: Any, options: Mapping[str, Json]) -> Iterator[None]:
    """Slicing and tiling of the autoencoder as asked, and off again afterwards."""
    asked = [name.removeprefix("vae_") for name in VAE_OPTIONS if options.get(name)]
    for name in asked:
        getattr(vae_of(pipeline), f"enable_{name}")()
    try:
        yield
    finally:
        for name in asked:
            getattr(vae_of(pipeline), f"disable_{name}")()
