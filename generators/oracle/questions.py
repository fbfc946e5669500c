"""What is asked of a picture of the bundled models, and the answers there are. No heavy imports."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from generators.training.emoji_labels import (
    GROUNDS,
    OBJECTS,
    PRESENTATIONS,
    PROFESSIONS,
    STYLES,
    TONES,
    Label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = "none"
"""The answer of a thing to a question about people."""
QUESTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "subject": (*PROFESSIONS, *OBJECTS),
        "presentation": (*PRESENTATIONS, NONE),
        "tone": (*TONES, NONE),
        "style": STYLES,
        "ground": tuple(GROUNDS),
    }
)
"""Question → possible answers, in the order of the network's outputs."""


def truth(label: Label, ground: str) -> dict[str, int]:
    """The right answers for a drawing on a ground of that colour, as indices into ``QUESTIONS``."""
    said = {
        "subject": label.subject,
        "presentation": label.presentation or NONE,
        "tone": label.tone or NONE,
        "style": label.style,
        "ground": ground,
    }
    return {question: QUESTIONS[question].index(answer) for question, answer in said.items()}
