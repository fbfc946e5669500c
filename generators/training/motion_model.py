"""Motion modules, spatial changes and words of movement on a frozen picture model, as one trainable module.

Loss: velocity (or whatever the picture model predicts) of the frames that are not given. Some frames of some
clips are given clean (RaMViD, Höppe et al. 2022), so that the same model predicts, fills in and animates; in
some the frames share a part of their noise (VideoFusion, Luo et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from peft.utils import get_peft_model_state_dict

from generators.learned_words_adapter import WithWords, drifting, leaned
from generators.motion_modules_adapter import MOST_FRAMES, moving_unet, new_modules
from generators.shared_noise import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

RANK = 8
"""Of the spatial changes: 0.4 million numbers on the bundled model, beside 2.8 of the motion modules."""
_GIVEN, _SHARED = 0.15, 0.25
"""Shares of the clips in which some frames are given, and whose frames share noise."""
_MOST_SHARED = 0.9


class MotionDenoiser(torch.nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """The picture model's network and text encoder, frozen, with what is trained of motion in between.

    Attributes:
        unet: a ``UNetMotionModel``.
        text_encoder: reads the model's own words and the new ones.
        offsets: what each new word adds to a text; their ids begin at ``first``; None where there are none.
        drifts: what each adds more from frame to frame; likewise.
    """

    def __init__(self, pipeline: Any, words: Sequence[str], *, rank: int, frames: int = MOST_FRAMES) -> None:
        super().__init__()
        self.words = tuple(words)
        unet, encoder = (
            part.requires_grad_(requires_grad=False) for part in (pipeline.unet, pipeline.text_encoder)
        )
        self.unet = moving_unet(unet, new_modules(unet, frames=frames), rank=rank)
        self.text_encoder = encoder
        table = encoder.get_input_embeddings()
        self.first = int(table.weight.shape[0])
        self.offsets: torch.nn.Embedding | None = None
        self.drifts: torch.nn.Embedding | None = None
        self._handles: tuple[Any, ...] = ()
        if self.words:
            # Into the encoder all go alike, as the mean of what it knows.
            self.entry = table.weight.detach().mean(0).repeat(len(self.words), 1)
            encoder.set_input_embeddings(WithWords(table, self.first, self.entry))
            self.offsets, self.drifts = (_zeros(len(self.words), table.weight.shape[1]) for _ in range(2))
            # By reference, so that what the optimiser changes is what is added.
            self._handles = (
                leaned(encoder, self.first, self.offsets.weight),
                *drifting(encoder, self.unet, self.first, self.drifts.weight),
            )
        for name, parameter in self.unet.named_parameters():
            parameter.requires_grad = "motion_modules" in name or "lora_" in name

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Predictions (N, C, T, h, w) for noisy clips, a time each, and ids (N, length)."""
        return denoised(self.unet, self.text_encoder, noisy, times, tokens)

    def restore(self) -> None:
        """Take the words off the text encoder again, which belongs to the picture model."""
        table = self.text_encoder.get_input_embeddings()
        if isinstance(table, WithWords):
            self.text_encoder.set_input_embeddings(table.table)
        for handle in self._handles:
            handle.remove()

    def vectors(self) -> dict[str, torch.Tensor]:
        """Of each new word (3, width): what goes into the encoder, its offset and its drift."""
        if self.offsets is None or self.drifts is None:
            return {}
        rows = torch.stack([self.entry, self.offsets.weight.detach(), self.drifts.weight.detach()], dim=1)
        return dict(zip(self.words, rows, strict=True))

    def spatial(self) -> dict[str, torch.Tensor]:
        """The low-rank changes by name; nothing for rank 0."""
        if not any("lora_" in name for name, _ in self.unet.named_parameters()):
            return {}
        return dict(get_peft_model_state_dict(self.unet, adapter_name="spatial"))

    def modules_state(self) -> dict[str, torch.Tensor]:
        """The motion modules by name, as a ``MotionAdapter`` has them."""
        return {name: value for name, value in self.unet.state_dict().items() if "motion_modules" in name}


def _zeros(words: int, width: int) -> torch.nn.Embedding:
    table = torch.nn.Embedding(words, width)
    torch.nn.init.zeros_(table.weight)
    return table


def denoised(
    unet: Any, encoder: Any, noisy: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor
) -> torch.Tensor:
    """What a motion network predicts for noisy clips (N, C, T, h, w), on its own device."""
    noisy, times, tokens = (value.to(unet.device) for value in (noisy, times, tokens))
    context = encoder(tokens)[0].repeat_interleave(noisy.shape[2], dim=0)
    result: torch.Tensor = unet(noisy.to(unet.dtype), times, context).sample
    return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditions:
    """How a batch of clips is noised: times (N,), share of common noise (N,), given frames (N, T) bool."""

    times: torch.Tensor
    share: torch.Tensor
    given: torch.Tensor


def drawn_conditions(count: int, frames: int, times: int, rng: torch.Generator) -> Conditions:
    """At random; late times (much noise) more often, because that is where the movement is decided."""
    when = (times * torch.rand(count, generator=rng) ** 0.25).long().clamp(max=times - 1)
    shared = torch.rand(count, generator=rng) < _SHARED
    share = torch.where(shared, _MOST_SHARED * torch.rand(count, generator=rng), torch.zeros(()))
    given = torch.rand(count, frames, generator=rng) < torch.rand(count, 1, generator=rng) * 0.5
    given &= (torch.rand(count, 1, generator=rng) < _GIVEN) & ~given.all(1, keepdim=True)
    return Conditions(times=when, share=share, given=given)


def loss(
    model: Any,
    scheduler: Any,
    clean: torch.Tensor,
    tokens: torch.Tensor,
    *,
    conditions: Conditions,
    rng: torch.Generator,
) -> torch.Tensor:
    """Mean squared error over frames that are not given.

    Args:
        model: called with noisy clips, times and ``tokens``.
        scheduler: adds noise; its ``prediction_type`` says what is predicted.
        clean: (N, C, T, h, w).
        tokens: whatever ``model`` takes as its third argument.
        conditions: of these clips.
        rng: of the noise.
    """
    noise = mixed(torch.randn(clean.shape, generator=rng), conditions.share.reshape(-1, 1, 1, 1, 1), axis=2)
    noisy = scheduler.add_noise(clean, noise, conditions.times)
    given = conditions.given[:, None, :, None, None]
    guessed = model(torch.where(given, clean, noisy), conditions.times, tokens)
    wanted = _wanted(scheduler, clean, noise, conditions.times)
    squares = (guessed.float().to(wanted.device) - wanted).square().mean((1, 3, 4))
    asked = ~conditions.given
    result: torch.Tensor = (squares * asked).sum() / asked.sum()
    return result


def _wanted(scheduler: Any, clean: torch.Tensor, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        return noise
    if kind == "sample":
        return clean
    velocity: torch.Tensor = scheduler.get_velocity(clean, noise, times)
    return velocity
