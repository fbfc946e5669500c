"""Tunes a Stable-Diffusion-like pipeline on a few pictures, with LoRA, learned words or both.

1. encode the pictures, and what the model itself draws of their class
2. lay the trainable parts over the model         (``generators.training.tunables``)
3. continue from the checkpoint of the same run, if there is one
4. take steps, each with random numbers of its own, so that an interruption changes no bit
5. measure, take the parts off again, give them back
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import diffusers
import torch
from torch.nn import functional

from generators.calling_adapter import pictures_of
from generators.latents_adapter import own_side
from generators.learned_words_adapter import taught
from generators.parts_adapter import place_of
from generators.prompts import prepare as words_for
from generators.request import consecutive_seeds
from generators.training import checkpoints
from generators.training.draws import stream
from generators.training.finite import finite
from generators.training.orders import METHODS, Example, Trained, TrainingOrder, run_digest
from generators.training.squares import square
from generators.training.tunables import Tunable, prepare, weights_digest
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from generators.training.effort import Effort

_PROBES = 16
"""Fixed draws that the loss is measured on before and after."""
_WARM_UP = 10
"""Steps over which the rate rises."""
_PREDICTIONS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """Latents (N, C, h, w) and the ids of the words that go with each, (N, length)."""

    latents: torch.Tensor
    ids: torch.Tensor


def train(
    generator: Any,
    examples: tuple[Example, ...],
    order: TrainingOrder,
    work: Path,
    heard: Callable[[int, float], None],
    *,
    effort: Effort,
) -> Trained:
    """See ``generators.training.orders.train``."""
    pipeline = supported(generator.pipeline)
    if generator.threads is not None:
        torch.set_num_threads(generator.threads)
    move(pipeline, order.device)
    identity = run_digest(order, examples, generator.info.weights_sha256)
    seeds = consecutive_seeds(order.seed, order.class_pictures) if order.class_pictures else ()
    with ExitStack() as undo:
        drawn = _class_pictures(generator, order, seeds)  # (1) before anything is laid over
        tunable = prepare(pipeline, order, undo)  # (2)
        data, prior = _lessons(generator, examples, drawn, tunable, order)
        run = TuningRun(tunable, data, prior, order, effort=effort)
        resumed = run.continue_from(work, identity)  # (3)
        while run.step < order.steps:  # (4)
            heard(run.step + 1, run.advance())
            if run.step % order.save_every == 0 or run.step == order.steps:
                run.save(work, identity)
        tensors = tunable.tensors(order)  # (5)
        after = run.probe()
    return Trained(
        tensors=tensors,
        weights_sha256=weights_digest(tensors),
        loss_before=run.before,
        loss_after=after,
        class_seeds=seeds,
        resumed_at=resumed,
        side=own_side(pipeline),
    )


class TuningRun:
    """Parameters, optimiser and progress. All randomness of step n is a function of seed and n."""

    probes = _PROBES

    def __init__(
        self,
        tunable: Tunable,
        data: Encoded,
        prior: Encoded | None,
        order: TrainingOrder,
        *,
        effort: Effort,
    ) -> None:
        self.tunable, self.data, self.prior, self.order, self.effort = tunable, data, prior, order, effort
        effort.graphics = place_of(tunable.pipeline)[0].type != "cpu"
        self.rate = order.rate or METHODS[order.method].rate
        self.optimiser = torch.optim.AdamW(tunable.parameters, self.rate, weight_decay=0.0)
        config = tunable.pipeline.scheduler.config
        self.noising = diffusers.DDPMScheduler.from_config(config)
        self.step = 0
        self.before = math.nan

    def continue_from(self, work: Path, identity: str) -> int:
        """The step an earlier session reached; 0 when this is the first."""
        found = checkpoints.load(work, identity, self.tunable.parameters, self.optimiser)
        if found is None:
            self.before = self.probe()
            return 0
        if found.step > self.order.steps:
            what = f"the checkpoint here has taken {found.step} steps already, more than are asked for"
            raise InputError(
                "train.other-run", what, where=str(work), hint=f"--steps {found.step}, or another -o"
            )
        self.step, self.before = found.step, found.loss_before
        self.effort.resume(found.seconds, found.energy)
        return self.step

    def save(self, work: Path, identity: str) -> None:
        """Everything that an uninterrupted run would have at this step."""
        progress = checkpoints.progress(self.effort, self.step, self.before)
        checkpoints.save(work, identity, self.tunable.parameters, self.optimiser, progress)

    def advance(self) -> float:
        """One step; its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * min(1.0, (self.step + 1) / _WARM_UP)
        loss = self.loss_of(self.data, f"step {self.step}", self.order.batch)
        if self.prior is not None:
            loss = loss + self.order.prior_weight * self.loss_of(
                self.prior, f"class {self.step}", self.order.batch
            )
        finite(loss).backward()  # type: ignore[no-untyped-call,unused-ignore]
        torch.nn.utils.clip_grad_norm_(self.tunable.parameters, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return float(loss.detach())

    def probe(self) -> float:
        """Mean loss on draws that are the same before and after."""
        with torch.no_grad():
            return float(finite(self.loss_of(self.data, "probe", self.probes)))

    def loss_of(self, lesson: Encoded, purpose: str, count: int) -> torch.Tensor:
        """Mean loss over ``count`` draws, whose randomness ``purpose`` and the seed decide."""
        rng = stream(self.order.seed, purpose)
        rows = torch.randint(len(lesson.latents), (count,), generator=rng)
        times = torch.randint(self.noising.config.num_train_timesteps, (count,), generator=rng)
        clean = lesson.latents[rows]
        noise = torch.randn(clean.shape, generator=rng)
        pipeline = self.tunable.pipeline
        device = place_of(pipeline)[0]
        clean, noise, times = (value.to(device) for value in (clean, noise, times))
        noisy = self.noising.add_noise(clean, noise, times)
        context = pipeline.text_encoder(lesson.ids[rows].to(device))[0]
        guessed = pipeline.unet(noisy.to(pipeline.unet.dtype), times, context).sample
        return functional.mse_loss(guessed.float(), self._wanted(clean, noise, times).float())

    def _wanted(self, clean: torch.Tensor, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        kind = self.noising.config.prediction_type
        if kind == "epsilon":
            return noise
        if kind == "sample":
            return clean
        velocity: torch.Tensor = self.noising.get_velocity(clean, noise, times)
        return velocity


def supported(pipeline: Any) -> Any:
    """The pipeline, if it is built as training needs it.

    Raises:
        InputError: ``train.unsupported-model``.
    """
    parts = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
    config = getattr(getattr(pipeline, "scheduler", None), "config", {})
    if (
        any(getattr(pipeline, part, None) is None for part in parts)
        or hasattr(pipeline, "text_encoder_2")
        or config.get("prediction_type") not in _PREDICTIONS
        or pipeline.unet.config.in_channels != pipeline.vae.config.latent_channels
    ):
        raise InputError(
            "train.unsupported-model",
            "this model is not built like Stable Diffusion 1 or 2; it cannot be tuned here",
            where=type(pipeline).__name__,
            hint="--model bundled:emoji",
        )
    return pipeline


def move(pipeline: Any, device: str | None) -> None:
    """Bring the pipeline to a device.

    Raises:
        InputError: ``train.device``.
    """
    if device is None:
        return
    try:
        pipeline.to(device)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        raise InputError("train.device", "torch cannot use this device here", where=device) from error


def _class_pictures(generator: Any, order: TrainingOrder, seeds: Sequence[int]) -> list[NDArray[np.uint8]]:
    """What the model draws of the class before it is changed, at its own size."""
    found: list[NDArray[np.uint8]] = []
    words = words_for(order.class_prompt or "", generator.pipeline, generator.vocabulary).text
    together = max(1, generator.defaults.batch)
    for start in range(0, len(seeds), together):
        part = seeds[start : start + together]
        arguments: dict[str, Any] = {
            "prompt": [words] * len(part),
            "generator": [torch.Generator("cpu").manual_seed(seed) for seed in part],
            "output_type": "np",
        }
        arguments |= {"num_inference_steps": generator.defaults.steps or 30}
        if generator.defaults.guidance_scale is not None:
            arguments["guidance_scale"] = generator.defaults.guidance_scale
        found += [clip[0] for clip in pictures_of(generator.pipeline, arguments)[0]]
    return found


def _lessons(
    generator: Any,
    examples: tuple[Example, ...],
    drawn: list[NDArray[np.uint8]],
    tunable: Tunable,
    order: TrainingOrder,
) -> tuple[Encoded, Encoded | None]:
    """What is to be learned, and what is to stay as it was."""
    common: dict[str, Any] = {"tunable": tunable, "order": order, "side": own_side(generator.pipeline)}
    said = [one.caption for one in examples]
    data = _lesson(generator, pictures=[one.pixels for one in examples], captions=said, **common)
    if not drawn:
        return data, None
    words = [str(order.class_prompt)] * len(drawn)
    return data, _lesson(generator, pictures=drawn, captions=words, **common)


def _lesson(
    generator: Any,
    *,
    pictures: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    tunable: Tunable,
    order: TrainingOrder,
    side: int,
) -> Encoded:
    pipeline = generator.pipeline
    words = {} if tunable.word is None else {str(order.token): tunable.word.detach()}
    vocabulary = taught(generator.vocabulary, words)
    texts = [words_for(caption, pipeline, vocabulary).text for caption in captions]
    tokenizer = pipeline.tokenizer
    ids = tokenizer(
        texts, padding="max_length", max_length=tokenizer.model_max_length, truncation=True
    ).input_ids
    vae = pipeline.vae
    latents = []
    with torch.no_grad():
        for pixels in pictures:
            cut = torch.from_numpy(square(pixels, side)).permute(2, 0, 1)[None].float() / 127.5 - 1
            latents.append(vae.encode(cut.to(vae.device, vae.dtype)).latent_dist.mean.float().cpu())
    scaled = (torch.cat(latents) - (vae.config.shift_factor or 0)) * vae.config.scaling_factor
    return Encoded(latents=scaled, ids=torch.tensor(ids))
