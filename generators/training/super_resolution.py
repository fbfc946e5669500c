"""Train the step from 128 to 512 pixels: ``python -m generators.training.super_resolution …`` (resumes).

Target: a Fluent drawing at 512 pixels on a coloured ground. Input: the same picture reduced to 128 pixels and
passed through the autoencoder with a little noise in its latent, as the diffusion model's pictures come.
Drawings of held-out combinations stay out.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch.nn import functional

from generators.cascade_adapter import WEIGHTS
from generators.pinned import listed
from generators.super_resolution_adapter import FACTOR, SuperResolution
from generators.training.emoji_data import SIZE, Corpus, compose, prepare_fluent
from generators.training.loop import Budget, Run
from generators.training.oracle import load_autoencoder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LARGE = SIZE * FACTOR
_PICTURES, _CROPS, _CROP = 4, 4, 32
"""Pictures a step, crops of each, and the side of a crop on the small grid."""
_LATENT_NOISE = 0.1
_LOG = logging.getLogger(__name__)


def train(corpus: Corpus, work: Path, budget: Budget, *, seed: int) -> SuperResolution:
    """Train (or continue) with checkpoints in ``work/super_resolution``; returns the averaged network.

    Args:
        corpus: drawings at 512 pixels.
    """
    torch.manual_seed(seed)
    run = Run(model := SuperResolution(), matrix_rate=0.01, rate=5e-4, average=0.995, seed=seed)
    run.resume(work / "super_resolution")
    autoencoder = load_autoencoder(work)
    while (spent := budget.spent(run.step, run.seconds)) < 1:
        chosen = corpus.train[torch.randint(len(corpus.train), (_PICTURES,), generator=run.rng)]
        small, large = pairs(corpus, chosen, autoencoder, run.rng)
        small, large = _crops(small, large, run.rng)
        run.advance(loss := difference(model(small), large), spent)
        if run.step % 100 == 0:
            _LOG.info("step %d  %.0f s  loss %.4f", run.step, run.seconds, loss.item())
        if run.step % 500 == 0:
            run.save(work / "super_resolution")
    run.save(work / "super_resolution")
    run.use_average()
    model.eval()
    return model


def pairs(
    corpus: Corpus, chosen: torch.Tensor, autoencoder: Any, rng: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """What comes out of the first stage, (N, 3, 128, 128), and what should come out of this one."""
    large = compose(corpus.rgba[chosen], rng)
    with torch.no_grad():
        latents = autoencoder.encode(functional.avg_pool2d(large, FACTOR)).latent_dist.mean
        noisy = latents + _LATENT_NOISE * torch.randn(latents.shape, generator=rng)
        return autoencoder.decode(noisy).sample.clamp(-1, 1), large


def difference(made: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Charbonnier loss (Lai et al. 2017) on the pixels and on their differences, which keeps edges."""
    error = made - target
    parts = error, error.diff(dim=3), error.diff(dim=2)
    return torch.stack([(part.square() + 1e-6).sqrt().mean() for part in parts]).sum()


def psnr(
    model: SuperResolution, corpus: Corpus, autoencoder: Any, indices: Sequence[int]
) -> dict[str, float]:
    """Mean PSNR in dB over drawings: of this network, and of bicubic enlargement of the same input."""
    rng = torch.Generator().manual_seed(1)
    ours, plain = [], []
    with torch.no_grad():
        for index in indices:
            small, large = pairs(corpus, torch.tensor([index]), autoencoder, rng)
            enlarged = functional.interpolate(small, scale_factor=FACTOR, mode="bicubic", align_corners=False)
            ours.append(_decibels(model(small), large))
            plain.append(_decibels(enlarged, large))
    return {"psnr_db": sum(ours) / len(ours), "bicubic_db": sum(plain) / len(plain), "pictures": len(ours)}


def _decibels(made: torch.Tensor, target: torch.Tensor) -> float:
    return float(-10 * torch.log10(((made.clamp(-1, 1) - target) / 2).square().mean()))


def _crops(
    small: torch.Tensor, large: torch.Tensor, rng: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """``_CROPS`` windows of each picture: corresponding ones on both grids."""
    inputs, targets = [], []
    for picture, wanted in zip(small, large, strict=True):
        for y, x in torch.randint(0, SIZE - _CROP + 1, (_CROPS, 2), generator=rng).tolist():
            inputs.append(picture[:, y : y + _CROP, x : x + _CROP])
            y, x, side = y * FACTOR, x * FACTOR, _CROP * FACTOR  # noqa: PLW2901 - the same place, enlarged
            targets.append(wanted[:, y : y + side, x : x + side])
    return torch.stack(inputs), torch.stack(targets)


def main(arguments: list[str] | None = None) -> None:
    """Command-line entry."""
    parser = argparse.ArgumentParser(
        prog="python -m generators.training.super_resolution", description=__doc__
    )
    parser.add_argument("--work", type=Path, required=True, help="folder with the trained autoencoder")
    parser.add_argument("--fluent", type=Path, required=True, help="unpacked fluentui-emoji 1.3.0")
    parser.add_argument("--out", type=Path, required=True, help="folder for super_resolution.safetensors")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(options.threads)
    corpus = _drawn(options.work / "large", options.fluent)
    model = train(corpus, options.work, Budget(steps=options.steps), seed=options.seed)
    report = psnr(model, corpus, load_autoencoder(options.work), corpus.held_out.tolist())
    logging.info("%s", report)
    export(model, report, options.out)


def export(model: SuperResolution, report: Mapping[str, float], out: Path) -> None:
    """Write ``super_resolution.safetensors`` in half precision, and its digest with what was measured."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, out / WEIGHTS)
    (out / WEIGHTS).chmod(0o644)
    listed(out, licence="Apache-2.0", data_licence="MIT (Fluent emoji)", measured=dict(report))


def _drawn(folder: Path, fluent: Path) -> Corpus:
    """The drawings at 512 pixels, a gigabyte, drawn once."""
    if not (folder / "corpus.json").exists():
        prepare_fluent(fluent, _LARGE).save(folder)
    return Corpus.load(folder)


if __name__ == "__main__":
    main()
