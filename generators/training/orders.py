"""What a training run is asked for and what it gives back, as values; no heavy library here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from generators.training.effort import Effort
from provenance.canonical import digest
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from provenance.canonical import Json

CHECKPOINT, STATE = "checkpoint.safetensors", "state.safetensors"
"""What a run leaves in its folder to go on from: of one optimiser, and of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to train: where its code is, what it needs, and its rate when none is given.

    Attributes:
        trainer: "module:function", called as ``Trainer``.
        summary: one line for people.
        rate: AdamW's (Adam's, of a GAN's players), by default.
        word: it learns a new word, ``--token``.
        prior: pictures of the class, drawn by the model itself, keep the class as it was.
        clips: it learns from clips.
        whole: it makes a model of its own, from nothing; there is no base.
        checkpoint: the file that it goes on from.
    """

    trainer: str
    summary: str
    rate: float
    word: bool = False
    prior: bool = False
    clips: bool = False
    whole: bool = False
    checkpoint: str = CHECKPOINT


_TUNING = "generators.training.tuning:train"
METHODS: Mapping[str, Method] = {
    "lora": Method(
        trainer=_TUNING, rate=1e-3, summary="Teach a style or subject: low-rank changes of the attention."
    ),
    "dreambooth": Method(
        trainer=_TUNING,
        rate=1e-3,
        prior=True,
        summary="Teach one subject from a few pictures, and keep its class as it was.",
    ),
    "textual-inversion": Method(
        trainer=_TUNING, rate=5e-3, word=True, summary="Teach one new word; the model stays as it is."
    ),
    "custom-diffusion": Method(
        trainer=_TUNING,
        rate=1e-3,
        word=True,
        prior=True,
        summary="Teach one new word, and the keys and values that read words.",
    ),
    "motion": Method(
        trainer="generators.training.motion_tuning:train",
        rate=1e-3,
        clips=True,
        summary="Teach a picture model to move, or one that moves how: from clips.",
    ),
    "ldm": Method(
        trainer="generators.training.own_ldm:train",
        rate=1e-3,
        whole=True,
        summary="Train a small latent diffusion model of your own, from nothing.",
    ),
    "gan": Method(
        trainer="generators.training.own_gan:train",
        rate=2.5e-3,
        whole=True,
        checkpoint=STATE,
        summary="Train a GAN of your own, from nothing.",
    ),
}
"""Name → how. Other kinds of training add a line."""


MOST_FRAMES = 16
"""Frames of a clip that is learned from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOrder:
    """One run.

    Attributes:
        method: name in ``METHODS``.
        steps: optimiser steps altogether; a resumed run may ask for more than the one before.
        seed: of everything random; every step draws from a stream of its own.
        rank: of low-rank changes.
        rate: of the optimiser; None: the method's.
        batch: pictures of one step.
        token: the new word, as ``<pet>``; None for methods without.
        start_from: a word the model knows, whose vector the new one begins with; None: the mean of all.
        class_prompt: what the class is called; None: no prior preservation.
        class_pictures: how many the model draws of it.
        prior_weight: of the class's loss against the pictures'.
        save_every: steps between two checkpoints.
        device: "cpu", "cuda", …; None: where the model was loaded; whole models are trained on the CPU.
        frames: of a clip, for methods that learn from clips; 1 for the others.
        size: pixels to a side, of a model that is made from nothing.
    """

    method: str
    steps: int = 200
    seed: int = 0
    rank: int = 8
    rate: float | None = None
    batch: int = 1
    token: str | None = None
    start_from: str | None = None
    class_prompt: str | None = None
    class_pictures: int = 0
    prior_weight: float = 1.0
    save_every: int = 25
    device: str | None = None
    frames: int = 1
    size: int = 64

    def __post_init__(self) -> None:
        method = METHODS.get(self.method)
        if method is None:
            raise _bad(f"there is no method {self.method!r}", f"choose from {', '.join(METHODS)}")
        if method.word is not (self.token is not None):
            verb = "needs a new word" if method.word else "learns no new word"
            raise _bad(f"{self.method} {verb}", "guard train textual-inversion … --token '<pet>'")
        token = self.token or "<a>"
        if not (token[0] == "<" and token[-1] == ">" and token[1:-1].replace("-", "").isalnum()):
            raise _bad("a new word is written in angle brackets, of letters and digits", "--token '<pet>'")
        if (self.class_prompt is None) is not (self.class_pictures == 0):
            raise _bad(
                "pictures of a class need its prompt, and the prompt pictures", "--class-prompt 'a pilot'"
            )
        if not (2 <= self.frames <= MOST_FRAMES if method.clips else self.frames == 1):
            raise _bad(
                f"{self.method} takes {'2 to 16 frames' if method.clips else 'single pictures'}", "--frames 8"
            )
        if self.class_prompt is not None and not method.prior:
            raise _bad(f"{self.method} has no prior preservation", "guard train dreambooth … --class-prompt")
        if method.whole and self.device not in (None, "cpu"):
            what = f"{self.method} is trained on the processor"
            raise InputError("train.device", what, where=str(self.device), hint="leave out --device")

    def identity(self) -> dict[str, Json]:
        """Everything that makes this run another one; not how long it goes on or where."""
        # How fast a model from nothing learns depends on how many steps there will be.
        others = {"save_every", "device"}
        others |= set() if METHODS[self.method].whole else {"steps", "size"}
        # Runs of pictures keep the name they had before there were clips.
        others |= {"frames"} if self.frames == 1 else set()
        names = [n for n in self.__slots__ if n not in others]
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A picture (H, W, 3) or clip (T, H, W, 3) to learn from, uint8; its words; SHA-256 of its file."""

    pixels: NDArray[np.uint8]
    caption: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """What a run gives back.

    Attributes:
        tensors: what goes into the adapter's file, by name; nothing of a whole model.
        weights_sha256: digest over names, types, shapes and bytes of ``tensors``; empty for a whole model,
            whose files are digested when they are written.
        loss_before: mean loss on fixed draws of noise, before the first step.
        loss_after: the same draws, after the last.
        class_seeds: of the pictures that the model drew of the class.
        resumed_at: step an earlier session had reached; 0 for none.
        side: pixels to a side of what was learned from.
        modules: configuration of new motion modules, whose tensors these are; None for adapters.
        write: writes the files of a whole model into a folder; None for adapters.
    """

    tensors: Mapping[str, Any]
    weights_sha256: str
    loss_before: float | None
    loss_after: float | None
    class_seeds: tuple[int, ...]
    resumed_at: int
    side: int
    modules: Mapping[str, Json] | None = None
    write: Callable[[Path], None] | None = None


def train(
    generator: Any,
    examples: tuple[Example, ...],
    order: TrainingOrder,
    work: Path,
    heard: Callable[[int, float], None],
    *,
    effort: Effort | None = None,
) -> Trained:
    """Train as ``order`` says; a checkpoint in ``work`` of the same run is continued.

    Args:
        generator: the loaded base model; None for methods that make a whole one.
        examples: at least one.
        order: what to do.
        work: an existing folder for checkpoints.
        heard: called with step and loss after every step.
        effort: counts time and energy, on top of what the checkpoint says.

    Raises:
        InputError: ``train.unsupported-model``, ``train.other-run``, ``train.device``.
        IntegrityError: ``train.checkpoint-damaged``, ``train.not-finite``.
    """
    module, _, name = METHODS[order.method].trainer.partition(":")
    trainer = cast("Callable[..., Trained]", getattr(importlib.import_module(module), name))
    effort = effort or Effort()

    def told(step: int, loss: float) -> None:
        effort.energy()
        heard(step, loss)

    return trainer(generator, examples, order, work, told, effort=effort)


def run_digest(order: TrainingOrder, examples: tuple[Example, ...], weights_sha256: str) -> str:
    """Names one run: a checkpoint with another digest belongs to another run. For private files only."""
    shown: list[Json] = [[one.sha256, one.caption] for one in examples]
    return digest({"order": _printable(order.identity()), "examples": shown, "base": weights_sha256})


def _printable(values: dict[str, Json]) -> dict[str, Json]:
    return {name: repr(v) if isinstance(v, float) else v for name, v in values.items()}


def _bad(what: str, hint: str) -> InputError:
    return InputError("train.bad-order", what, hint=hint)
