"""Teaches a picture model to move, from clips; or one that moves already, how.

A picture model gets new motion modules (AnimateDiff), the rest stays frozen. A model with motion modules gets
low-rank changes of their attention (MotionLoRA, same paper), an adapter as any other.

1. encode the clips
2. lay the trainable parts into the model
3. continue from the checkpoint of the same run, if there is one
4. take steps, each with random numbers of its own
5. measure, take the parts off again, give them back
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from generators.latents_adapter import own_side
from generators.motion_modules_adapter import new_modules
from generators.prompts import prepare as words_for
from generators.training.draws import beginning, stream
from generators.training.emoji_motion_data import encoded
from generators.training.motion_model import MotionDenoiser, denoised, drawn_conditions, loss
from generators.training.orders import Example, Trained, TrainingOrder, run_digest
from generators.training.squares import square
from generators.training.tunables import Tunable, weights_digest
from generators.training.tuning import Encoded, TuningRun, move, supported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from generators.training.effort import Effort
    from provenance.canonical import Json

_NAME = "trained"
_MOTION_ATTENTION = r".*motion_modules.*\.(to_q|to_k|to_v|to_out\.0)$"
PREFIX = "motion."
"""Before the names of motion modules among what was trained."""


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
    data = _encoded(generator, examples)  # (1)
    with ExitStack() as undo:
        unet = _laid(pipeline, order, undo)  # (2)
        run = _MotionRun(unet, pipeline, data, order, effort=effort)
        resumed = run.continue_from(work, identity)  # (3)
        while run.step < order.steps:  # (4)
            heard(run.step + 1, run.advance())
            if run.step % order.save_every == 0 or run.step == order.steps:
                run.save(work, identity)
        tensors, modules = _trained(unet, pipeline)  # (5)
        after = run.probe()
    return Trained(
        tensors=tensors,
        weights_sha256=weights_digest(tensors),
        loss_before=run.before,
        loss_after=after,
        class_seeds=(),
        resumed_at=resumed,
        side=own_side(pipeline),
        modules=modules,
    )


class _MotionRun(TuningRun):
    """A run on clips."""

    probes = 4

    def __init__(self, unet: Any, pipeline: Any, data: Encoded, order: TrainingOrder, effort: Effort) -> None:
        self.unet = unet
        parameters = tuple(p for p in unet.parameters() if p.requires_grad)
        tunable = Tunable(pipeline=pipeline, parameters=parameters, word=None)
        super().__init__(tunable, data, None, order, effort=effort)

    def loss_of(self, lesson: Encoded, purpose: str, count: int) -> torch.Tensor:
        """As ``TuningRun.loss_of``, of clips."""
        rng = stream(self.order.seed, purpose)
        rows = torch.randint(len(lesson.latents), (count,), generator=rng)
        clean = lesson.latents[rows]
        times = self.noising.config.num_train_timesteps
        conditions = drawn_conditions(count, clean.shape[2], times, rng)
        encoder = self.tunable.pipeline.text_encoder

        def model(noisy: torch.Tensor, when: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            return denoised(self.unet, encoder, noisy, when, ids)

        return loss(model, self.noising, clean, lesson.ids[rows], conditions=conditions, rng=rng)


def _laid(pipeline: Any, order: TrainingOrder, undo: ExitStack) -> Any:
    """The network that moves, with everything frozen but what is to be trained."""
    for part in (pipeline.unet, pipeline.text_encoder, pipeline.vae):
        part.requires_grad_(requires_grad=False)
        part.eval()
    with beginning(order.seed):
        if not _moves(pipeline):
            return MotionDenoiser(pipeline, (), rank=0).unet.eval()
        config = LoraConfig(
            r=order.rank,
            lora_alpha=order.rank,
            init_lora_weights="gaussian",
            target_modules=_MOTION_ATTENTION,
        )
        pipeline.unet.add_adapter(config, adapter_name=_NAME)
        undo.callback(pipeline.unet.delete_adapters, _NAME)
    for parameter in pipeline.unet.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return pipeline.unet


def _moves(pipeline: Any) -> bool:
    return getattr(pipeline, "motion_adapter", None) is not None


def _trained(unet: Any, pipeline: Any) -> tuple[dict[str, torch.Tensor], Mapping[str, Json] | None]:
    """What was learned, by name, and how new modules are built."""
    if _moves(pipeline):
        state = get_peft_model_state_dict(unet, adapter_name=_NAME)
        return {f"unet.{name}": _own(value) for name, value in state.items()}, None
    state = {name: value for name, value in unet.state_dict().items() if "motion_modules" in name}
    config = new_modules(pipeline.unet).config
    kept = {name: _plain(value) for name, value in config.items() if not name.startswith("_")}
    return {PREFIX + name: _own(value) for name, value in state.items()}, kept


def _own(value: torch.Tensor) -> torch.Tensor:
    return value.detach().float().cpu().contiguous().clone()


def _plain(value: Any) -> Json:
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _encoded(generator: Any, examples: tuple[Example, ...]) -> Encoded:
    """Latents (N, C, T, h, w) of the middle squares, and the ids of the captions."""
    pipeline = generator.pipeline
    side = own_side(pipeline)
    vocabulary = getattr(generator, "vocabulary", None)
    texts = [words_for(one.caption, pipeline, vocabulary).text for one in examples]
    tokenizer = pipeline.tokenizer
    length = tokenizer.model_max_length
    ids = tokenizer(texts, padding="max_length", max_length=length, truncation=True).input_ids
    clips = []
    for one in examples:
        frames = np.stack([square(frame, side) for frame in one.pixels])
        pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
        clips.append(encoded(pipeline.vae, pixels.to(pipeline.vae.device)).cpu().transpose(0, 1))
    return Encoded(latents=torch.stack(clips), ids=torch.tensor(ids))
