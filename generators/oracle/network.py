"""The classifier: five convolutional stages on 128 × 128 pixels, and one linear head for each question."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from generators.oracle.questions import QUESTIONS

__all__ = ["QUESTIONS", "SIDE", "OracleNetwork"]

SIDE = 128
"""Pixels of the pictures it looks at; others are brought to this size first."""
_WIDTHS = (24, 48, 96, 160, 192)


class OracleNetwork(nn.Module):  # type: ignore[misc]  # torch is untyped to mypy here
    """(N, 3, 128, 128) float in [-1, 1] to one row of logits for each question; 0.7 million parameters."""

    def __init__(self, widths: tuple[int, ...] = _WIDTHS) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for before, width in zip((3, *widths), widths, strict=False):
            stages += [
                nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False),
                nn.GroupNorm(8, width),
                nn.SiLU(),
                nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
                nn.Conv2d(width, width, 1),
                nn.GroupNorm(8, width),
                nn.SiLU(),
            ]
        self.stages = nn.Sequential(*stages)
        # Colour and shape of the four quarters as well as of the whole: hair and tools have their places.
        self.heads = nn.ModuleDict(
            {question: nn.Linear(5 * widths[-1], len(answers)) for question, answers in QUESTIONS.items()}
        )

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by question."""
        return self.answers(self.features(pictures))

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 5 D): D means over the whole picture, then those of its quarters."""
        maps = self.stages(pictures)
        quarters = functional.adaptive_avg_pool2d(maps, 2).flatten(1)
        return torch.cat([maps.mean((2, 3)), quarters], dim=1)

    def answers(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by question, read off ``features``."""
        return {question: head(features) for question, head in self.heads.items()}
