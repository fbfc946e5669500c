"""The emoji corpus as a GAN sees it: small pictures on named grounds, and the numbers for what they show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from generators.gan_conditions import OF_PEOPLE, SUBJECT, Conditions
from generators.training.emoji_data import Corpus, Scene, compose, composed, ground_colours, near
from generators.training.emoji_labels import GROUNDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generators.training.emoji_labels import Label


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawings:
    """Training drawings at the size of the GAN.

    Attributes:
        rgba: (N, 4, side, side) uint8.
        labels: one per drawing.
        conditions: how labels become numbers.
    """

    rgba: torch.Tensor
    labels: tuple[Label, ...]
    conditions: Conditions

    def batch(self, count: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, 3, side, side) pictures on named grounds, in [-1, 1], and (count, …) conditions."""
        chosen = torch.randint(len(self.labels), (count,), generator=rng)
        colours, names = ground_colours(count, rng)
        return compose(self.rgba[chosen], rng, base=colours), self._conditions(chosen, names)

    def meant(self, z: torch.Tensor, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures and conditions as ``batch`` draws them, of which z, (count, ≥ 18), decides the scene.

        So a generator can be told which picture of its condition a z stands for. The ground's texture stays
        out: it is for the generator's noise.
        """
        n = len(z)
        chosen = torch.randint(len(self.labels), (n,), generator=rng)
        _, names = ground_colours(n, rng)
        chances = torch.special.ndtr(z)
        scene = Scene(
            scale=chances[:, 0],
            shift=chances[:, 1:3],
            ground=near(names, chances[:, 3:6]),
            corners=chances[:, 6:18].reshape(n, 3, 2, 2),
            texture=torch.zeros(n, 1, 8, 8),
        )
        return composed(self.rgba[chosen], scene), self._conditions(chosen, names)

    def _conditions(self, chosen: torch.Tensor, grounds: Sequence[str]) -> torch.Tensor:
        rows = [_said(self.labels[i], ground) for i, ground in zip(chosen.tolist(), grounds, strict=True)]
        return torch.tensor([self.conditions.vector(row) for row in rows])

    def halved(self) -> Drawings:
        """The same at half the size."""
        return replace(self, rgba=reduced(self.rgba, self.rgba.shape[-1] // 2))


def drawings(corpus: Corpus, side: int, *, things: bool) -> Drawings:
    """The drawings that are not held out, reduced to ``side`` pixels."""
    kept = [i for i in corpus.train.tolist() if things or corpus.labels[i].is_person]
    labels = tuple(corpus.labels[i] for i in kept)
    return Drawings(rgba=reduced(corpus.rgba[kept], side), labels=labels, conditions=_conditions(labels))


def reduced(rgba: torch.Tensor, side: int) -> torch.Tensor:
    """Averaged with premultiplied alpha, so that no transparent black enters the edges."""
    pixels = rgba.float()
    alpha = pixels[:, 3:] / 255
    mean = functional.adaptive_avg_pool2d(torch.cat([pixels[:, :3] * alpha, alpha], dim=1), side)
    colours = mean[:, :3] / mean[:, 3:].clamp(min=1e-3)
    return torch.cat([colours, mean[:, 3:] * 255], dim=1).round().clamp(0, 255).to(torch.uint8)


def _conditions(labels: tuple[Label, ...]) -> Conditions:
    """Every value that occurs, in the order of the first."""
    fields = (SUBJECT, *OF_PEOPLE, "style")
    values = {field: dict.fromkeys(getattr(label, field) for label in labels) for field in fields}
    blocks = [(field, tuple(v for v in values[field] if v is not None)) for field in fields]
    things = frozenset(label.subject for label in labels if not label.is_person)
    return Conditions(blocks=tuple(b for b in (*blocks, ("ground", tuple(GROUNDS))) if b[1]), things=things)


def _said(label: Label, ground: str) -> dict[str, str]:
    said = {field: getattr(label, field) for field in (SUBJECT, *OF_PEOPLE, "style")}
    return {**{field: value for field, value in said.items() if value is not None}, "ground": ground}
