"""The autoencoder of the bundled model: 128 × 128 pictures to 16 × 16 × 8 latents and back.

A ``diffusers.AutoencoderKL`` (Kingma and Welling 2013; Rombach et al. 2022) without attention. Eight
latent channels: with four, small tools and glasses came out soft whatever the diffusion model did.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL
from torch.nn import functional

from generators.training.emoji_data import SIZE, Corpus, compose
from generators.training.latent_parts import autoencoder
from generators.training.loop import Budget, Run

if TYPE_CHECKING:
    from pathlib import Path

LATENT_CHANNELS = 8
_BATCH = 4
_THINGS = 0.35
_CROPPED = 0.65
"""Share of the budget spent on quarter-size crops: four times the steps while edges are learnt."""
_LOG = logging.getLogger(__name__)


def build(widths: tuple[int, ...] = (16, 24, 48, 96)) -> Any:
    """The untrained autoencoder; ``widths`` from full resolution to an eighth of it."""
    return autoencoder(widths, channels=LATENT_CHANNELS, side=SIZE)


def draw(
    corpus: Corpus,
    indices: torch.Tensor,
    count: int,
    noto: float,
    rng: torch.Generator,
    *,
    things: float = _THINGS,
) -> torch.Tensor:
    """``count`` of ``indices`` at random: a ``noto`` share in that style, ``things`` of them no people.

    Both on average; within such a group every drawing is as likely as any other.
    """
    labels = [corpus.labels[i] for i in indices.tolist()]
    groups = torch.tensor([2 * (x.style == "noto") + x.is_person for x in labels])
    shares = torch.tensor([things, 1 - things]).repeat(2) * torch.tensor([1 - noto, 1 - noto, noto, noto])
    sizes = torch.bincount(groups, minlength=4).clamp(min=1)
    return indices[torch.multinomial((shares / sizes)[groups], count, replacement=True, generator=rng)]


def train(
    corpus: Corpus,
    folder: Path,
    budget: Budget,
    *,
    seed: int,
    start: Path | None = None,
    batch: int = _BATCH,
) -> dict[str, float]:
    """Train (or continue) and write ``vae/`` and ``report.json`` into ``folder``.

    Args:
        start: a finished model's folder, whose ``vae/`` it goes on from, at half the rates.

    Returns:
        Held-out PSNR in dB (mean over pictures), its count, and the steps taken.
    """
    torch.manual_seed(seed)
    model = AutoencoderKL.from_pretrained(start / "vae", use_safetensors=True).float() if start else build()
    scale = 0.5 if start else 1.0
    run = Run(model.train(), matrix_rate=0.02 * scale, rate=1e-3 * scale, average=0.995, seed=seed)
    run.resume(folder)
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        target = compose(corpus.rgba[draw(corpus, corpus.train, batch, 0.2, run.rng)], run.rng)
        if spent < _CROPPED:
            target = _cropped(target, run.rng)
        loss = reconstruction_loss(model, target, run.rng)
        run.advance(loss, spent)
        if run.step % 100 == 0:
            _LOG.info("step %d  %.0f s  loss %.4f", run.step, run.seconds, loss.item())
        if run.step % 500 == 0:
            run.save(folder)
            _LOG.info("held-out PSNR of the raw weights %.2f dB", psnr(model, corpus, count=32))
    run.save(folder)
    run.use_average()
    standardise(model.eval(), corpus)
    model.save_pretrained(folder / "vae")
    report = {"psnr_db": psnr(model, corpus), "pictures": len(corpus.held_out), "steps": run.step}
    (folder / "report.json").write_text(json.dumps(report))
    return report


def _cropped(pictures: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    y, x = torch.randint(0, SIZE // 2 + 1, (2,), generator=rng).tolist()
    return pictures[:, :, y : y + SIZE // 2, x : x + SIZE // 2].contiguous()


def reconstruction_loss(model: Any, target: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Absolute and squared error, error of the image gradient (keeps edges), and a weak KL term."""
    posterior = model.encode(target).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=rng)
    output = model.decode(posterior.mean + posterior.std * noise).sample
    across, down = (output - target).diff(dim=3), (output - target).diff(dim=2)
    edges = 0.5 * across.abs().mean() + 0.5 * down.abs().mean()
    result: torch.Tensor = functional.l1_loss(output, target) + functional.mse_loss(output, target) + edges
    return result + 1e-6 * posterior.kl().mean()


def psnr(model: Any, corpus: Corpus, *, count: int | None = None) -> float:
    """Mean PSNR in dB over held-out pictures on fixed grounds."""
    with torch.no_grad():
        rng = torch.Generator().manual_seed(1)
        values: list[float] = []
        for index in corpus.held_out.tolist()[:: max(1, len(corpus.held_out) // count) if count else 1]:
            target = compose(corpus.rgba[index : index + 1], rng)
            output = model.decode(model.encode(target).latent_dist.mean).sample.clamp(-1, 1)
            values.append(-10 * torch.log10(((output - target) / 2).pow(2).mean()).item())
        return sum(values) / len(values)


def standardise(model: Any, corpus: Corpus, *, pictures: int = 256) -> None:
    """Give every latent channel mean 0 and deviation 1 over training pictures, decoding unchanged.

    The pipeline knows one scale for all channels; folding a scale and shift per channel into the two
    1 × 1 convolutions around the latent makes that one scale 1.
    """
    with torch.no_grad():
        rng = torch.Generator().manual_seed(2)
        count = min(pictures, 4 * len(corpus.train))
        chosen = draw(corpus, corpus.train, count, 0.2, rng)
        latents = torch.cat(
            [model.encode(compose(corpus.rgba[part], rng)).latent_dist.mean for part in chosen.split(16)]
        )
        mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
        n = LATENT_CHANNELS
        into, out = model.quant_conv, model.post_quant_conv
        into.bias[:n] = (into.bias[:n] - mean) / std
        into.weight[:n] /= std[:, None, None, None]
        into.bias[n:] -= 2 * std.log()  # log-variance of the rescaled latent
        out.bias += out.weight[:, :, 0, 0] @ mean
        out.weight *= std[None, :, None, None]
        model.register_to_config(scaling_factor=1.0)
