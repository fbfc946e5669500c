"""A latent diffusion model of one's own, from a folder of pictures with captions: small, from nothing.

1. an autoencoder with a quarter of the resolution     (the first two fifths of the steps)
2. a U-Net and a text encoder on its latents            (the rest)

The result is a diffusers ``StableDiffusionPipeline``. Its words are those of the captions.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel

from generators.training import checkpoints
from generators.training.emoji_diffusion import build_scheduler
from generators.training.emoji_export import build_tokenizer, tidy
from generators.training.emoji_labels import BEGIN, END, UNKNOWN
from generators.training.orders import METHODS, Trained, run_digest
from provenance.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from generators.training.orders import Example, TrainingOrder

_CHANNELS, _FACTOR, _WIDTH = 4, 4, 64
"""Latent channels, pixels to a latent, numbers of a word."""
_AUTOENCODER = 0.4
"""Share of the steps."""
_EMPTY = 0.1
_LONGEST = 30
"""Words of a caption that count."""
_WARM_UP, _PROBES = 20, 4
_WORD = re.compile(r"[a-z0-9-]+")


def train(
    generator: Any,  # noqa: ARG001 - there is no base model
    examples: tuple[Example, ...],
    order: TrainingOrder,
    work: Path,
    heard: Callable[[int, float], None],
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
    for step in range(resumed, order.steps):
        heard(step + 1, lesson.advance(step))
        if (step + 1) % order.save_every == 0 or step + 1 == order.steps:
            progress = checkpoints.Progress(step=step + 1, loss_before=before)
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
        self.words = _words(examples)
        self.captions = [_ids(one.caption, self.words) for one in examples]
        self.pictures = torch.stack([square(one.pixels, order.size) for one in examples])
        with torch.random.fork_rng():
            torch.manual_seed(order.seed)
            self.parts: dict[str, Any] = _networks(order.size, len(self.words))
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
        draw = _stream(self.order.seed, f"step {step}")
        rows = torch.randint(len(self.pictures), (self.order.batch,), generator=draw)
        loss = self._rebuilt(rows, draw) if step < self.first else self._denoised(rows, draw)
        if not torch.isfinite(loss):
            raise IntegrityError(
                "train.not-finite", "the loss is no number any more", hint="--rate with a lower number"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.detach())

    def probe(self) -> float:
        """What both stages lose on draws that are the same before and after."""
        self._latents = None
        draw = _stream(self.order.seed, "probe")
        rows = torch.randint(len(self.pictures), (_PROBES,), generator=draw)
        with torch.no_grad():
            lost = float(self._rebuilt(rows, draw) + self._denoised(rows, draw))
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
        empty = _ids("", self.words)
        left_out = torch.rand(len(rows), generator=draw) < _EMPTY
        ids = [empty if out else self.captions[i] for i, out in zip(rows.tolist(), left_out, strict=True)]
        context = self.parts["text_encoder"](torch.tensor(ids)).last_hidden_state
        noisy = self.scheduler.add_noise(clean, noise, times)
        guessed = self.parts["unet"](noisy, times, context).sample
        return functional.mse_loss(guessed, self.scheduler.get_velocity(clean, noise, times))


def _networks(side: int, words: int) -> dict[str, Any]:
    """3.5 million parameters, a few more for each word."""
    blocks = (16, 32, 64)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=blocks,
        layers_per_block=1,
        latent_channels=_CHANNELS,
        norm_num_groups=8,
        sample_size=side,
        mid_block_add_attention=False,
    )
    with torch.no_grad():
        # Start with little latent noise: at the default deviation of 1 nothing gets through at first.
        vae.quant_conv.weight[_CHANNELS:] *= 0.1
        vae.quant_conv.bias[_CHANNELS:] = -6
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=words,
            hidden_size=_WIDTH,
            intermediate_size=2 * _WIDTH,
            projection_dim=_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=_LONGEST + 2,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=side // _FACTOR,
        in_channels=_CHANNELS,
        out_channels=_CHANNELS,
        block_out_channels=(64, 96),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )
    return {"vae": vae, "text_encoder": text_encoder, "unet": unet}


def _words(examples: Sequence[Example]) -> dict[str, int]:
    found = sorted({word for one in examples for word in _WORD.findall(one.caption.lower())})
    return {word: i for i, word in enumerate([BEGIN, END, UNKNOWN, *found])}


def _ids(caption: str, words: dict[str, int]) -> list[int]:
    said = [words[word] for word in _WORD.findall(caption.lower())[:_LONGEST]]
    ids = [words[BEGIN], *said, words[END]]
    return ids + [words[END]] * (_LONGEST + 2 - len(ids))


def square(pixels: NDArray[np.uint8], side: int) -> torch.Tensor:
    """(3, side, side) in [-1, 1]: the middle square."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    middle = Image.fromarray(pixels[top : top + short, left : left + short])
    small = np.asarray(middle.resize((side, side), Image.Resampling.LANCZOS), np.float32)
    return torch.from_numpy(small / 127.5 - 1).permute(2, 0, 1).contiguous()


def _stream(seed: int, purpose: str) -> torch.Generator:
    number = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()[:7]
    return torch.Generator().manual_seed(int.from_bytes(number, "big"))


def _write(lesson: _Lesson, folder: Path) -> None:
    lesson.latents()
    pipeline = StableDiffusionPipeline(
        **{name: part.eval() for name, part in lesson.parts.items()},
        tokenizer=build_tokenizer(lesson.words, _LONGEST + 2),
        scheduler=lesson.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    tidy(folder)
