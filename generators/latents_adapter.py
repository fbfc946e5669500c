"""Between pictures and the latents of a diffusers pipeline: the noise it starts from, and the way back.

``initial_noise`` draws what the pipeline itself would draw, so that a mark can be put into it;
``DiffusersInverter`` follows a picture back to such noise: take back what was done to its pixels after
the model, encode them, run the sampler backwards.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from generators.finishes import finish_named
from generators.inversion import ROBUST, InversionReport, Limits
from generators.inversion_adapter import invert
from generators.parts_adapter import call_of, core_of
from generators.prompts import prepare
from provenance.codecs import resize
from provenance.digest_grid import opaque_rgb
from provenance.errors import InputError
from provenance.watermark.latent_reading import Noise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from generators.diffusers_adapter import DiffusersGenerator
    from generators.interface import LatentInit
    from generators.recipe import StageRecord
    from provenance.media import Frames


def initial_noise(
    pipeline: Any, *, width: int | None, height: int | None, seeds: Sequence[int], frames: int = 1
) -> NDArray[np.float32]:
    """(pictures, …) standard normal noise as the pipeline draws it for these seeds, packed if it packs.

    Args:
        pipeline: a text-to-image pipeline; its scheduler's timesteps need not be set.
        width: of the model's own pixels; None is what the model was made for.
        height: of the model's own pixels; None is what the model was made for.
        seeds: one per picture, each with its own stream on the CPU.
        frames: of each clip; 1 for pictures.

    Raises:
        InputError: ``latent.pipeline``: the pipeline prepares its latents in a way that is not known here.
    """
    known: dict[str, Any] = {
        "batch_size": len(seeds),
        "num_channels_latents": _channels(pipeline),
        "height": height or own_side(pipeline),
        "width": width or own_side(pipeline),
        "num_frames": frames,
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
        "latents": None,
    }
    prepare_latents: Callable[..., Any] = getattr(pipeline, "prepare_latents", lambda unknown: unknown)
    asked = inspect.signature(prepare_latents).parameters
    needed = {name for name, argument in asked.items() if argument.default is argument.empty}
    if not needed <= known.keys():
        raise InputError(
            "latent.pipeline", "noise for this pipeline is not known here", where=type(pipeline).__name__
        )
    drawn = prepare_latents(**{name: value for name, value in known.items() if name in asked})
    noise = drawn[0] if isinstance(drawn, tuple) else drawn
    scaled: NDArray[np.float32] = (noise / getattr(pipeline.scheduler, "init_noise_sigma", 1.0)).numpy()
    return scaled


def starting_noise(
    pipeline: Any,
    size: tuple[int, int] | None,
    seeds: Sequence[int],
    latents: LatentInit | None,
    *,
    frames: int = 1,
) -> tuple[NDArray[np.float32] | None, tuple[tuple[StageRecord, ...], ...]]:
    """(pictures, …) noise as ``latents`` changes it, None for the pipeline's own; what was done to each."""
    if latents is None:
        return None, ((),) * len(seeds)
    width, height = size or (None, None)
    plain = initial_noise(pipeline, width=width, height=height, seeds=seeds, frames=frames)
    changed = [latents(noise) for noise in plain]
    return np.stack([noise for noise, _ in changed]), tuple((record,) for _, record in changed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiffusersInverter:
    """Follows pictures back to the noise of a generator's model.

    Attributes:
        generator: of the model that may have drawn them.
        prompt: as it was asked for; "" where it is not known, which is then followed without guidance.
        negative_prompt: as it was asked for.
        steps: denoising steps; None is the model's default.
        guidance_scale: None is the model's default; without a prompt it is 1.
        limits: how exactly each step is solved.
        refinements: gradient steps that bring what the latent decodes to nearer to the picture.
    """

    generator: DiffusersGenerator
    prompt: str = ""
    negative_prompt: str = ""
    steps: int | None = None
    guidance_scale: float | None = None
    limits: Limits = ROBUST
    refinements: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels at which the model's pictures are released."""
        return self.generator.info.width, self.generator.info.height

    def invert(self, frames: Frames) -> Noise:
        """The noise from which a picture like ``frames`` (one frame, any size) is drawn.

        Raises:
            InputError: ``inversion.scheduler``, ``latent.pipeline``.
        """
        noise, report = self.followed([frames])
        return Noise(values=noise[0], residual=report.worst)

    def followed(self, pictures: Sequence[Frames]) -> tuple[NDArray[np.float32], InversionReport]:
        """(pictures, …) noise of several at once, and how well each step was inverted."""
        pipeline = self.generator.pipeline
        latents = [
            encode(pipeline, self._model_pixels(frames), refinements=self.refinements) for frames in pictures
        ]
        asked = self._arguments()
        words = ("prompt", "negative_prompt")
        asked = {name: [value] * len(latents) if name in words else value for name, value in asked.items()}
        noise, report = invert(pipeline, torch.cat(latents), asked, self.limits)
        return noise.float().cpu().numpy(), report

    def _model_pixels(self, frames: Frames) -> NDArray[np.float32]:
        """(H, W, 3) in 0..1 at the model's own size, with what was done after the model taken back."""
        if self.size != (frames.width, frames.height):
            frames = resize(frames, *self.size)
        pixels = opaque_rgb(frames)
        if self.generator.defaults.finished_size is None:
            return pixels
        finish = finish_named(self.generator.defaults.finish)
        return finish.reduce(pixels, side=own_side(self.generator.pipeline))

    def _arguments(self) -> dict[str, Any]:
        pipeline, defaults = self.generator.pipeline, self.generator.defaults
        accepted = call_of(pipeline)
        prompt = prepare(self.prompt, pipeline, self.generator.vocabulary).text
        negative = prepare(self.negative_prompt, pipeline, self.generator.vocabulary, subject=False).text
        guidance = 1.0 if not prompt else self.guidance_scale or defaults.guidance_scale
        asked = {
            "prompt": prompt,
            "negative_prompt": negative or None,
            "num_inference_steps": self.steps or defaults.steps,
            "guidance_scale": guidance,
        }
        if defaults.finished_size is None:
            asked |= dict(zip(("width", "height"), self.size, strict=True))
        return {name: value for name, value in asked.items() if value is not None and name in accepted}


def encode(pipeline: Any, pixels: NDArray[np.float32], *, refinements: int = 0) -> torch.Tensor:
    """(1, …) the latent that decodes to ``pixels``, scaled, shifted and packed as the pipeline keeps it.

    Args:
        pipeline: with an autoencoder ``vae``.
        pixels: (H, W, 3) in 0..1, at the model's own size.
        refinements: gradient steps on the decoder's error; each costs one pass there and back.

    Raises:
        InputError: ``latent.pipeline``: no autoencoder for pictures.
    """
    vae = getattr(pipeline, "vae", None)
    if vae is None or not hasattr(vae.config, "scaling_factor"):
        raise InputError(
            "latent.pipeline", "this pipeline has no picture autoencoder", where=type(pipeline).__name__
        )
    picture = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None] * 2 - 1
    picture = picture.to(device=vae.device, dtype=vae.dtype)
    with torch.no_grad():
        plain = vae.encode(picture).latent_dist.mode()
    plain = _refined(vae, plain, picture, refinements)
    latent = (plain - (getattr(vae.config, "shift_factor", None) or 0.0)) * vae.config.scaling_factor
    if hasattr(pipeline, "_pack_latents"):
        packed: torch.Tensor = pipeline._pack_latents(latent, *latent.shape)  # noqa: SLF001 - its own layout
        return packed
    return latent


def _refined(vae: Any, plain: torch.Tensor, picture: torch.Tensor, count: int) -> torch.Tensor:
    """``plain`` moved downhill on the mean squared error of what it decodes to."""
    moved = plain.clone()
    moved.requires_grad = True
    optimiser = torch.optim.Adam([moved], lr=_STEP_SIZE)
    for _ in range(count):
        optimiser.zero_grad()
        (vae.decode(moved, return_dict=False)[0] - picture).square().mean().backward()
        optimiser.step()
    return moved.detach()


_STEP_SIZE = 0.05
"""In units of the autoencoder's latent; larger steps overshoot where the decoder is steep."""


def _channels(pipeline: Any) -> int:
    core = core_of(pipeline)
    channels = int(getattr(getattr(core, "config", None), "in_channels", 4))
    # Those that pack pictures fold 2 × 2 places into the channels and are asked for the unfolded number.
    folds = hasattr(pipeline, "_pack_latents") and not hasattr(pipeline, "vae_temporal_compression_ratio")
    return channels // 4 if folds else channels


def own_side(pipeline: Any) -> int:
    """Pixels to a side of the pictures a model was made for."""
    core = core_of(pipeline)
    sample = getattr(pipeline, "default_sample_size", None)
    sample = sample or getattr(getattr(core, "config", None), "sample_size", None)
    side = sample[0] if isinstance(sample, list | tuple) else sample
    return int(side or 64) * _scale(pipeline)


def _scale(pipeline: Any) -> int:
    """Pixels to a side of one latent; pipelines that do not say have it in the autoencoder, if in any."""
    known = getattr(pipeline, "vae_scale_factor", None)
    blocks = getattr(getattr(getattr(pipeline, "vae", None), "config", None), "block_out_channels", (0,))
    return int(known or 2 ** (len(blocks) - 1))
