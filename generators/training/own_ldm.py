"""A latent diffusion model of one's own, from a folder of pictures with captions: small, from nothing.

1. an autoencoder with a quarter of the resolution     (the first two fifths of the steps)
2. a U-Net and a text encoder on its latents            (the rest)

The result is a diffusers ``StableDiffusionPipeline``. Its words are those of the captions.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import diffusers
import torch
from torch.nn import functional

from generators.loading_adapter import quiet_libraries
from generators.training import checkpoints
from generators.training.draws import beginning, stream
from generators.training.emoji_diffusion import build_scheduler
from generators.training.emoji_export import tidy
from generators.training.finite import finite
from generators.training.orders import METHODS, Trained, run_digest
from generators.training.own_networks import networks
from generators.training.own_words import LONGEST, build_tokenizer, ids_of, vocabulary
from generators.training.squares import signed_square
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from generators.training.effort import Effort
    from generators.training.orders import Example, TrainingOrder

_AUTOENCODER = 0.4
"""Share of the steps."""
_EMPTY = 0.1
_WARM_UP, _PROBES = 20, 4


def train(
    generator: Any,  # noqa: ARG001 - there is no base model
    examples: tuple[Example, ...],
    order: TrainingOrder,
    work: Path,
    heard: Callable[[int, float], None],
    *,
    effort: Effort,
) -> Trained:
    """Train, or continue in ``work``; see ``generators.training.orders.train``."""
    if not 16 <= order.size <= 256 or order.size % 16:
        raise InputError(
            "train.bad-order", "pictures are 16 to 256 pixels wide, a multiple of 16", where="size"
        )
    lesson = _Lesson(examples, order)
    identity = run_digest(order, examples, "")
    found = checkpoints.load(work, identity, lesson.parameters, lesson.optimiser)
    resumed = found.step if found else 0
    before = found.loss_before if found else lesson.probe()
    if found:
        effort.resume(found.seconds, found.energy)
    for step in range(resumed, order.steps):
        heard(step + 1, lesson.advance(step))
        if (step + 1) % order.save_every == 0 or step + 1 == order.steps:
            progress = checkpoints.progress(effort, step + 1, before)
            checkpoints.save(work, identity, lesson.parameters, lesson.optimiser, progress)
    return Trained(
        tensors={},
        weights_sha256="",
        loss_before=before,
        loss_after=lesson.probe(),
        class_seeds=(),
        resumed_at=resumed,
        side=order.size,
        write=partial(_write, lesson),
    )


class _Lesson:
    """Networks, data and optimiser; a step's random numbers are a function of its number."""

    def __init__(self, examples: Sequence[Example], order: TrainingOrder) -> None:
        self.order = order
        self.words = vocabulary([one.caption for one in examples])
        self.captions = [ids_of(one.caption, self.words) for one in examples]
        self.pictures = torch.stack([signed_square(one.pixels, order.size) for one in examples])
        with beginning(order.seed):
            self.parts: dict[str, Any] = networks(order.size, len(self.words), LONGEST + 2)
        self.parameters = [p for part in self.parts.values() for p in part.parameters()]
        rate = order.rate or METHODS[order.method].rate
        self.optimiser = torch.optim.AdamW(self.parameters, rate, betas=(0.9, 0.99), weight_decay=1e-4)
        self.rate, self.first = rate, round(_AUTOENCODER * order.steps)
        self.scheduler = build_scheduler()
        self._latents: torch.Tensor | None = None

    def advance(self, step: int) -> float:
        """One step of the stage it belongs to; its loss."""
        start, length = (0, self.first) if step < self.first else (self.first, self.order.steps - self.first)
        done = (step - start) / max(1, length)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * min(1.0, (step - start + 1) / _WARM_UP) * max(0.02, 1 - done)
        draw = stream(self.order.seed, f"step {step}")
        rows = torch.randint(len(self.pictures), (self.order.batch,), generator=draw)
        loss = self._rebuilt(rows, draw) if step < self.first else self._denoised(rows, draw)
        finite(loss).backward()  # type: ignore[no-untyped-call,unused-ignore]
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.detach())

    def probe(self) -> float:
        """What both stages lose on draws that are the same before and after."""
        self._latents = None
        draw = stream(self.order.seed, "probe")
        rows = torch.randint(len(self.pictures), (_PROBES,), generator=draw)
        with torch.no_grad():
            lost = float(finite(self._rebuilt(rows, draw) + self._denoised(rows, draw)))
        self._latents = None
        return lost

    def latents(self) -> torch.Tensor:
        """(N, C, h, w) of all pictures, of deviation 1; the scale goes into the autoencoder's settings."""
        if self._latents is None:
            vae = self.parts["vae"]
            with torch.no_grad():
                plain = torch.cat([vae.encode(part).latent_dist.mean for part in self.pictures.split(16)])
            scale = float(1 / plain.std().clamp(min=1e-3))
            vae.register_to_config(scaling_factor=scale)
            self._latents = plain * scale
        return self._latents

    def _rebuilt(self, rows: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        vae, target = self.parts["vae"], self.pictures[rows]
        posterior = vae.encode(target).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=draw)
        output = vae.decode(posterior.mean + posterior.std * noise).sample
        rebuilt: torch.Tensor = functional.l1_loss(output, target) + functional.mse_loss(output, target)
        return rebuilt + 1e-6 * posterior.kl().mean()

    def _denoised(self, rows: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        clean = self.latents()[rows]
        noise = torch.randn(clean.shape, generator=draw)
        times = torch.randint(1000, (len(rows),), generator=draw)
        empty = ids_of("", self.words)
        left_out = torch.rand(len(rows), generator=draw) < _EMPTY
        ids = [empty if out else self.captions[i] for i, out in zip(rows.tolist(), left_out, strict=True)]
        context = self.parts["text_encoder"](torch.tensor(ids)).last_hidden_state
        noisy = self.scheduler.add_noise(clean, noise, times)
        guessed = self.parts["unet"](noisy, times, context).sample
        return functional.mse_loss(guessed, self.scheduler.get_velocity(clean, noise, times))


def _write(lesson: _Lesson, folder: Path) -> None:
    lesson.latents()
    quiet_libraries()  # before the name of the pipeline, whose import warns of what is not installed
    pipeline: Any = diffusers.StableDiffusionPipeline(
        **{name: part.eval() for name, part in lesson.parts.items()},
        tokenizer=build_tokenizer(lesson.words),
        scheduler=lesson.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    tidy(folder)
