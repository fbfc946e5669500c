"""A GAN of one's own, from a folder of pictures: the trainer of the bundled one, on the user's data.

Where the captions are few, each is a class, and a prompt asks for one of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch.nn import functional

from generators.gan_conditions import LONGEST_NAME, SUBJECT, Conditions
from generators.gan_files import CARD, KIND, WEIGHTS, WORDS
from generators.training import checkpoints, gan
from generators.training.loop import Budget
from generators.training.orders import METHODS, STATE, Trained, run_digest
from generators.training.squares import signed_square
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from generators.stylegan2_adapter import StyleGAN2
    from generators.training.effort import Effort
    from generators.training.orders import Example, TrainingOrder

_CHANNELS = (128, 128, 64, 48, 24, 16, 12)
"""Feature maps at 4, 8, … 256 pixels."""
_CLASSES = 100
"""More captions than that are no classes."""
_SILENT = ("a", "an", "the", "picture", "photo", "of", "portrait")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """Pictures at the size of the GAN: (N, 3, side, side) in [-1, 1], and the class of each."""

    pixels: torch.Tensor
    classes: tuple[str, ...]
    conditions: Conditions

    def batch(self, count: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, 3, side, side) and (count, …) conditions."""
        chosen = torch.randint(len(self.pixels), (count,), generator=rng)
        said = [{SUBJECT: self.classes[i]} if self.conditions.blocks else {} for i in chosen.tolist()]
        return self.pixels[chosen], torch.tensor([self.conditions.vector(row) for row in said])

    def halved(self) -> Pictures:
        """The same at half the size."""
        return replace(self, pixels=functional.avg_pool2d(self.pixels, 2))


def pictures(examples: Sequence[Example], side: int) -> Pictures:
    """Middle squares; captions become classes where there are 2 to ``_CLASSES`` of them.

    None where one is longer than the name of a class may be.
    """
    classes = tuple(" ".join(one.caption.lower().split()) for one in examples)
    names = tuple(sorted(set(classes)))
    named = 2 <= len(names) <= _CLASSES and max(map(len, names)) <= LONGEST_NAME
    blocks = ((SUBJECT, names),) if named else ()
    return Pictures(
        pixels=torch.stack([signed_square(one.pixels, side) for one in examples]),
        classes=classes,
        conditions=Conditions(blocks=blocks, things=frozenset(names) if blocks else frozenset()),
    )


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
    settings = _settings(order)
    data = pictures(examples, order.size)
    identity = run_digest(order, examples, "")
    resumed = checkpoints.reached(work / STATE, identity) or 0
    model = gan.train(
        data,
        work,
        Budget(steps=order.steps),
        seed=order.seed,
        settings=settings,
        identity=identity,
        heard=heard,
        effort=effort,
    )
    return Trained(
        tensors={},
        weights_sha256="",
        loss_before=None,
        loss_after=None,
        class_seeds=(),
        resumed_at=resumed,
        side=order.size,
        write=partial(_write, model, data),
    )


def _settings(order: TrainingOrder) -> gan.Settings:
    """The order in the trainer's words.

    Raises:
        InputError: ``train.bad-order``.
    """
    levels = order.size.bit_length() - 2
    if order.size != 4 << (levels - 1) or not 8 <= order.size <= 256:
        raise InputError("train.bad-order", "a GAN draws 8, 16, 32, … or 256 pixels", where="size")
    return gan.Settings(
        batch=order.batch,
        channels=_CHANNELS[:levels],
        rate=order.rate or METHODS[order.method].rate,
        save_rounds=order.save_every,
    )


def _write(model: StyleGAN2, data: Pictures, folder: Path) -> None:
    tensors = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)
    card: dict[str, Any] = {"kind": KIND, "name": "own GAN", "size": int(data.pixels.shape[-1])}
    if data.conditions.blocks:
        card["conditions"] = data.conditions.to_json()
        names = dict(data.conditions.blocks)[SUBJECT]
        words = {
            "professions": {},
            "things": {name: [name] for name in names},
            "extra_professions": {},
            "gendered": {},
            "silent": [word for word in _SILENT if word not in names],
        }
        (folder / WORDS).write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
