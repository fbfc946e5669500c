"""Video diffusion with a 3D U-Net: ``python -m generators.training.video_diffusion --work W --out FOLDER …``.

VDM (Ho et al. 2022): every convolution and attention factorised over space and time, trained from nothing on
the same encoded clips as the motion modules (``emoji_motion prepare``), and read from the same words through
the picture model's frozen text encoder. One command trains (or continues), samples, and writes weights and a
card that says how far it got.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import UNet3DConditionModel

from generators.learned_words_adapter import WithWords, leaned
from generators.movements import MOVEMENTS
from generators.oracle.motion import read_motion
from generators.training.emoji_data import Corpus
from generators.training.emoji_motion import BANK, captions, read_base, tokens_of
from generators.training.emoji_motion_data import drawn_movements, load_bank, rows_for, take
from generators.training.loop import Budget, Run
from generators.training.motion_model import drawn_conditions, loss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generators.training.emoji_motion_data import Bank

CHECKPOINT = "video_diffusion"
FRAMES = 8
_BATCH = 2
_LOG = logging.getLogger(__name__)


def build(channels: int, side: int, text_width: int, widths: tuple[int, ...] = (64, 128)) -> Any:
    """The network; 5.3 million parameters at the bundled model's sizes."""
    return UNet3DConditionModel(
        sample_size=side,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=text_width,
        attention_head_dim=min(16, widths[0] // 2),
        norm_num_groups=min(16, widths[0] // 2),
    )


class VideoDenoiser(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """A 3D U-Net, the picture model's text encoder, frozen, and vectors of the words of movement."""

    def __init__(self, base: Any, widths: tuple[int, ...] = (64, 128)) -> None:
        super().__init__()
        self.text_encoder = base.text_encoder.requires_grad_(requires_grad=False)
        table = base.text_encoder.get_input_embeddings()
        self.first = int(table.weight.shape[0])
        entry = table.weight.detach().mean(0).repeat(len(MOVEMENTS), 1)
        self.text_encoder.set_input_embeddings(WithWords(table, self.first, entry))
        self.offsets = torch.nn.Embedding(len(MOVEMENTS), table.weight.shape[1])
        torch.nn.init.zeros_(self.offsets.weight)
        leaned(self.text_encoder, self.first, self.offsets.weight)
        config = base.unet.config
        self.unet = build(config.in_channels, config.sample_size, config.cross_attention_dim, widths)

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Predictions (N, C, T, h, w)."""
        context = self.text_encoder(tokens)[0]
        result: torch.Tensor = self.unet(noisy, times, context).sample
        return result


def train(corpus: Corpus, base: Any, bank: Bank, work: Path, budget: Budget, *, seed: int) -> tuple[Any, Run]:
    """Train (or continue) with checkpoints in ``work``; the averaged model, and the run."""
    torch.manual_seed(seed)
    run = Run(model := VideoDenoiser(base), matrix_rate=0.02, rate=1e-3, average=0.995, seed=seed)
    run.resume(work / CHECKPOINT)
    words = random.Random(seed + run.step)  # noqa: S311 simulation, not secrets
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        movements = drawn_movements(_BATCH, run.rng)
        rows = rows_for(bank, movements, run.rng)
        clips = [take(bank, row, said, FRAMES, run.rng) for row, said in zip(rows, movements, strict=True)]
        tokens = tokens_of(base.tokenizer, model.first, captions(corpus, bank, rows, movements, words))
        times = base.scheduler.config.num_train_timesteps
        conditions = drawn_conditions(_BATCH, FRAMES, times, run.rng)
        clean = torch.stack(clips).transpose(1, 2)
        value = loss(model, base.scheduler, clean, tokens, conditions=conditions, rng=run.rng)
        run.advance(value, spent)
        if run.step % 50 == 0:
            _LOG.info("step %d  %.0f s  loss %.4f", run.step, run.seconds, value.item())
            run.save(work / CHECKPOINT)
    run.save(work / CHECKPOINT)
    run.use_average()
    model.eval()
    return model, run


def sample(
    model: Any, base: Any, said: tuple[str, ...], *, seed: int, steps: int = 20, guidance: float = 2.0
) -> NDArray[np.uint8]:
    """One clip (``FRAMES``, H, W, 3) for the words of a caption, with DDIM and classifier-free guidance."""
    config = base.unet.config
    rng = torch.Generator().manual_seed(seed)
    shape = 1, config.in_channels, FRAMES, config.sample_size, config.sample_size
    noisy = torch.randn(shape, generator=rng)
    tokens = tokens_of(base.tokenizer, model.first, [said, ()])
    base.scheduler.set_timesteps(steps)
    with torch.no_grad():
        for time in base.scheduler.timesteps:
            asked, free = model(noisy.repeat(2, 1, 1, 1, 1), time.repeat(2), tokens).chunk(2)
            noisy = base.scheduler.step(free + guidance * (asked - free), time, noisy).prev_sample
        frames = base.vae.decode(noisy[0].transpose(0, 1) / base.vae.config.scaling_factor).sample
    pixels: NDArray[np.uint8] = ((frames.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return pixels


def progress(model: Any, base: Any, run: Run, *, clips: int, seed: int) -> dict[str, Any]:
    """How far a run got: steps, time, and how many sampled clips move as they were asked to."""
    read: Counter[str] = Counter()
    right, seconds = 0, round(run.seconds)  # before sampling, which is no training
    for i in range(clips):
        movement = MOVEMENTS[i % len(MOVEMENTS)]
        pixels = sample(model, base, ("a", "portrait", "of", "a", "cook", movement), seed=seed + i)
        seen = read_motion(pixels).movement
        read[seen] += 1
        right += seen == movement
    return {
        "steps": run.step,
        "seconds": seconds,
        "parameters": sum(p.numel() for p in model.unet.parameters()),
        "clips": clips,
        "movement_right": right,
        "read_as": dict(sorted(read.items())),
    }


CARD = """# Video diffusion with a 3D U-Net

A video diffusion model (Ho et al. 2022) of {parameters:,} parameters on the latents of the bundled picture
model, trained on its captioned moving emoji. Its weights are not shipped: this card says how far one run got.

- Steps of {batch} clips of {frames} frames: {steps}, in {seconds} s of wall clock on one thread.
- Clips sampled afterwards: {clips}; moved as asked, by the motion oracle: {movement_right}.
  Drawing lots would give about {chance:.1f}.
- Whether their content can be recognised was not measured.
"""


def write(model: Any, figures: dict[str, Any], out: Path) -> None:
    """Weights in diffusers' layout, ``progress.json`` and ``MODEL_CARD.md``."""
    out.mkdir(parents=True, exist_ok=True)
    model.unet.save_pretrained(out / "unet", safe_serialization=True)
    (out / "progress.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    chance = figures["clips"] / len(MOVEMENTS)
    text = CARD.format(batch=_BATCH, frames=FRAMES, chance=chance, **figures)
    (out / "MODEL_CARD.md").write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    parser = argparse.ArgumentParser(
        prog="python -m generators.training.video_diffusion", description=__doc__
    )
    parser.add_argument("--work", type=Path, required=True, help="folder of emoji_motion prepare")
    parser.add_argument("--base", default="bundled:emoji", help="reference of the picture model")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and card")
    parser.add_argument("--minutes", type=float, help="wall clock, over all sessions")
    parser.add_argument("--steps", type=int, help="optimiser steps, over all sessions (repeatable)")
    parser.add_argument("--clips", type=int, default=18, help="sampled for the card")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    base = read_base(options.base).pipeline
    budget = Budget(steps=options.steps, minutes=options.minutes)
    bank = load_bank(options.work / BANK)
    model, run = train(Corpus.load(options.work), base, bank, options.work, budget, seed=options.seed)
    figures = progress(model, base, run, clips=options.clips, seed=options.seed)
    _LOG.info("%s", figures)
    write(model, figures, options.out)


if __name__ == "__main__":
    main()
