"""The labels of the emoji corpus: professions, presentations, tones, styles, captions, held-out cells.

No heavy imports: the audit of the bundled model reads the same tables as its training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

PROFESSIONS = (
    "farmer",
    "cook",
    "student",
    "singer",
    "artist",
    "teacher",
    "factory worker",
    "technologist",
    "office worker",
    "mechanic",
    "scientist",
    "astronaut",
    "firefighter",
    "health worker",
    "judge",
    "pilot",
    "police officer",
    "construction worker",
    "detective",
)
PRESENTATIONS = ("person", "man", "woman")
"""How the drawing presents; the vendors' own labels."""
TONES = ("yellow", "light", "medium-light", "medium", "medium-dark", "dark")
"""Unicode's five skin tones, after the yellow that stands for none."""
STYLES = ("flat", "modern", "noto")
"""The two Fluent drawings, and Noto."""

LEAD = ("a", "portrait", "of", "a")
MAX_TOKENS = 16
"""Tokens in a caption, start and end included: the longest one has 14."""
BEGIN, END, UNKNOWN = "<|startoftext|>", "<|endoftext|>", "<unk>"
_HOLD_EVERY = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What one drawing of the corpus shows."""

    profession: str
    presentation: str
    tone: str
    style: str

    @property
    def held_out(self) -> bool:
        """True for about one profession × presentation × tone in twelve; never trained on, in any style.

        A fixed sum of letters rather than a draw, so that anyone can recompute the split.
        """
        text = self.profession + self.presentation + self.tone
        return sum(map(ord, text)) % _HOLD_EVERY == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Which attributes a caption says."""

    presentation: bool = True
    tone: bool = True
    style: bool = True


def caption(label: Label, kept: Kept = Kept()) -> tuple[str, ...]:
    """The words of a caption: "a portrait of a dark skin woman firefighter modern style"."""
    words = list(LEAD)
    if kept.tone:
        words += ["yellow"] if label.tone == "yellow" else [label.tone, "skin"]
    if kept.presentation and label.presentation != "person":
        words.append(label.presentation)
    words += label.profession.split()
    # Noto always says its name: a prompt without a style then gives the crisper Fluent drawing.
    if kept.style or label.style == "noto":
        words += [label.style, "style"]
    return tuple(words)


def draw_kept(rng: random.Random, drop: float) -> Kept:
    """Each attribute is left out of a caption with probability ``drop``."""
    return Kept(
        presentation=rng.random() >= drop,
        tone=rng.random() >= drop,
        style=rng.random() >= drop,
    )


def vocabulary() -> dict[str, int]:
    """Word to token id, in a fixed order; the end mark doubles as padding."""
    words = [BEGIN, END, UNKNOWN, *dict.fromkeys(LEAD), "skin", "style", *PRESENTATIONS[1:], *TONES, *STYLES]
    words += [word for profession in PROFESSIONS for word in profession.split()]
    return {word: index for index, word in enumerate(dict.fromkeys(words))}


def encode(words: tuple[str, ...], table: dict[str, int]) -> list[int]:
    """``MAX_TOKENS`` ids: begin, words, end, then end marks as padding."""
    ids = [table[BEGIN], *(table[word] for word in words), table[END]]
    return ids + [table[END]] * (MAX_TOKENS - len(ids))
