"""The text encoder and the U-Net of the bundled model: latent diffusion on the standardised latents.

v-prediction (Salimans and Ho 2022) on a schedule with zero terminal signal-to-noise ratio (Lin et al.
2023), attributes left out of captions at random, and 10 % empty captions for classifier-free guidance (Ho
and Salimans 2022). What a caption leaves open is meant evenly: the target is the mean of all drawings that it
may mean, each as likely as the others before one looks at the noisy picture.
"""

from __future__ import annotations

import json
import logging
import math
import random
from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel

from generators.tensors_adapter import read_tensors
from generators.training.emoji_autoencoder import LATENT_CHANNELS, draw
from generators.training.emoji_labels import MAX_TOKENS, Label, draw_kept, encode, vocabulary
from generators.training.latent_parts import text_encoder
from generators.training.loop import Budget, Run
from generators.training.stable_targets import Encoded, Shown, encode_all

if TYPE_CHECKING:
    from pathlib import Path

    from generators.training.emoji_data import Corpus

_BATCH = 32
_DROP = 0.2
_EMPTY = 0.15
_BARE = 0.2
"""Share of the other captions that name the subject only."""
_NOTO = 0.2
_THINGS = 0.3
"""Share of the batch: people are 19 figures in many variants, things are 145."""
_CALIBRATED = {
    "person": 0.35,
    "woman": 1.2,
    "yellow": 2.0,
    "light": 1.3,
    "medium-light": 1.3,
    "medium-dark": 1.5,
    "dark": 1.3,
}
"""How often a caption that leaves it open means these, beside 1 for every other. A finished network draws
what lies between others too often and what lies outside too seldom; these make what it draws even."""
_VARIANTS = 12
"""Compositions (ground, scale, shift) of each drawing that are encoded before training."""
_LOG = logging.getLogger(__name__)


def build_text_encoder(width: int = 128) -> Any:
    """Two transformer layers over the corpus's own words."""
    return text_encoder(len(vocabulary()), width=width, longest=MAX_TOKENS)


def build_unet(text_width: int = 128) -> Any:
    """6.7 million parameters at 16 × 16 × 8."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(64, 128, 128),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text_width,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def build_scheduler() -> Any:
    """The schedule of training and of sampling; ``steps_offset`` as the pipeline insists on."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


class Denoiser(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """U-Net and text encoder as one module, trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.text_encoder = build_text_encoder()
        self.unet = build_unet()

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Predicted velocity, (N, 8, 16, 16)."""
        context = self.text_encoder(tokens).last_hidden_state
        result: torch.Tensor = self.unet(noisy, times, context).sample
        return result


def train(
    corpus: Corpus,
    work: Path,
    budget: Budget,
    *,
    seed: int,
    start: Path | None = None,
    batch: int = _BATCH,
) -> Denoiser:
    """Train (or continue) and leave a checkpoint in ``work/diffusion``; returns the averaged model.

    Args:
        start: a finished model's folder, whose weights it goes on from, at a quarter of the rates: what is
            drawn well must not be learnt anew.
    """
    torch.manual_seed(seed)
    model, pace = (Denoiser(), 1.0) if start is None else (adopt(Denoiser(), start), 0.25)
    run = Run(model, matrix_rate=0.02 * pace, rate=1e-3 * pace, average=0.996, seed=seed)
    if run.resume(work / "diffusion"):
        _LOG.info("resumed at step %d", run.step)
    vae = AutoencoderKL.from_pretrained(work / "autoencoder" / "vae", use_safetensors=True).eval()
    encoded = encode_all(vae, corpus, corpus.train, variants=_VARIANTS, seed=seed + 1)
    _LOG.info("encoded %d × %d latents", *encoded.values.shape[:2])
    words = random.Random(seed + run.step)  # noqa: S311 simulation, not secrets
    where = {int(index): row for row, index in enumerate(corpus.train)}
    signals, total = build_scheduler().alphas_cumprod, 0.0
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        chosen = draw(corpus, corpus.train, batch, _NOTO, run.rng, things=_THINGS)
        shown = lessons(encoded, [where[int(index)] for index in chosen], run.rng, words)
        loss = _loss(model, encoded, shown, signals, run.rng)
        run.advance(loss, spent, power=0.7)
        total += loss.item()
        if run.step % 100 == 0:
            _LOG.info("step %d  %.0f s  loss %.4f", run.step, run.seconds, total / 100)
            total = 0.0
        if run.step % 500 == 0:
            run.save(work / "diffusion")
    run.save(work / "diffusion")
    run.use_average()
    return model.eval()  # type: ignore[no-any-return]  # torch is untyped to mypy here


def adopt(model: Denoiser, folder: Path) -> Denoiser:
    """``model`` with a finished one's weights; words that both know keep their meaning, others begin anew."""
    model.unet.load_state_dict(read_tensors(folder / "unet" / "diffusion_pytorch_model.safetensors"))
    tensors = read_tensors(folder / "text_encoder" / "model.safetensors")
    name = next(key for key in tensors if key.endswith("token_embedding.weight"))
    tokenizer = json.loads((folder / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))
    theirs = tokenizer["model"]["vocab"]
    own = model.text_encoder.state_dict()
    rows, ours = own[name].clone(), vocabulary()
    for word in ours.keys() & theirs.keys():
        rows[ours[word]] = tensors[name][theirs[word]]
    model.text_encoder.load_state_dict({**tensors, name: rows})
    return model


def calibrated(label: Label) -> float:
    """How often a drawing is meant, beside the others, by a caption that may mean it."""
    return math.prod(_CALIBRATED.get(value, 1.0) for value in (label.presentation, label.tone) if value)


def lessons(encoded: Encoded, rows: list[int], rng: torch.Generator, words: random.Random) -> list[Shown]:
    """What is shown of ``rows``, and which of its words: all, some, the subject only, or none.

    Where none are said, another drawing of the subject is shown, at its calibrated share: guidance leads away
    from empty captions, and would change every share in which they differ from bare ones.
    """
    variants = torch.randint(_VARIANTS, (len(rows),), generator=rng).tolist()
    said = [
        None if words.random() < _EMPTY else draw_kept(words, 1.0 if words.random() < _BARE else _DROP)
        for _ in rows
    ]
    rows = [
        row if kept is not None else encoded.drawn(row, rng, calibrated)
        for row, kept in zip(rows, said, strict=True)
    ]
    return [Shown(variant=v, row=r, kept=k) for v, r, k in zip(variants, rows, said, strict=True)]


def _loss(
    model: Denoiser, encoded: Encoded, shown: list[Shown], signals: torch.Tensor, rng: torch.Generator
) -> torch.Tensor:
    noised, table = encoded.noised(shown, signals, rng, calibrated), vocabulary()
    tokens = torch.tensor([encode(encoded.caption(lesson), table) for lesson in shown])
    return noised.loss(model(noised.noisy, noised.times, tokens))
