"""The labels of the emoji corpus: people and things, styles, grounds, captions, held-out combinations.

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
OBJECTS = (
    "airplane",
    "alarm clock",
    "ambulance",
    "anchor",
    "automobile",
    "backpack",
    "balloon",
    "banana",
    "basketball",
    "bear",
    "bed",
    "bell",
    "bicycle",
    "bird",
    "bread",
    "broccoli",
    "bus",
    "butterfly",
    "cactus",
    "camel",
    "camera",
    "candle",
    "carrot",
    "castle",
    "cat",
    "chair",
    "cherries",
    "chicken",
    "church",
    "cookie",
    "couch and lamp",
    "cow",
    "crab",
    "croissant",
    "crown",
    "cupcake",
    "deer",
    "dog",
    "dolphin",
    "door",
    "doughnut",
    "dragon",
    "dress",
    "drum",
    "duck",
    "eagle",
    "egg",
    "eggplant",
    "elephant",
    "envelope",
    "factory",
    "fire",
    "fire engine",
    "fish",
    "flamingo",
    "fox",
    "frog",
    "ghost",
    "giraffe",
    "glasses",
    "grapes",
    "guitar",
    "hamburger",
    "hammer",
    "headphone",
    "helicopter",
    "horse",
    "hospital",
    "house",
    "ice cream",
    "jack-o-lantern",
    "key",
    "kite",
    "koala",
    "ladder",
    "laptop",
    "lemon",
    "light bulb",
    "lion",
    "lobster",
    "locomotive",
    "maple leaf",
    "microscope",
    "mobile phone",
    "monkey",
    "motorcycle",
    "mountain",
    "mouse",
    "mushroom",
    "octopus",
    "owl",
    "palm tree",
    "pancakes",
    "panda",
    "parrot",
    "peach",
    "pear",
    "pencil",
    "penguin",
    "pig",
    "pineapple",
    "pizza",
    "popcorn",
    "rabbit",
    "rainbow",
    "red apple",
    "ring",
    "robot",
    "rocket",
    "rooster",
    "rose",
    "sailboat",
    "sandwich",
    "school",
    "scissors",
    "shark",
    "ship",
    "skateboard",
    "snail",
    "snake",
    "snowman",
    "soccer ball",
    "spider",
    "strawberry",
    "sunflower",
    "teapot",
    "telephone",
    "television",
    "tent",
    "tiger",
    "tomato",
    "tractor",
    "train",
    "trophy",
    "tulip",
    "turtle",
    "umbrella",
    "unicorn",
    "violin",
    "volcano",
    "watch",
    "watermelon",
    "whale",
    "wolf",
    "zebra",
)
"""Things, by their CLDR short names; a drawing of one has neither presentation nor tone."""
PRESENTATIONS = ("person", "man", "woman")
"""How the drawing presents; the vendors' own labels."""
TONES = ("yellow", "light", "medium-light", "medium", "medium-dark", "dark")
"""Unicode's five skin tones, after the yellow that stands for none."""
GROUNDS = {
    "red": (0.80, 0.30, 0.28),
    "orange": (0.88, 0.55, 0.28),
    "gold": (0.86, 0.76, 0.36),
    "green": (0.42, 0.68, 0.38),
    "teal": (0.30, 0.64, 0.62),
    "blue": (0.36, 0.52, 0.82),
    "purple": (0.58, 0.42, 0.76),
    "pink": (0.88, 0.58, 0.70),
    "brown": (0.56, 0.42, 0.32),
    "gray": (0.60, 0.60, 0.62),
}
"""Words for the colour of the ground, and its sRGB centre in [0, 1]."""
STYLES = ("flat", "modern", "noto")
"""The two Fluent drawings, and Noto."""

LEAD = ("a", "portrait", "of", "a")
OBJECT_LEAD = ("a", "picture", "of", "a")
MAX_TOKENS = 16
"""Tokens in a caption, start and end included: the longest one has 15."""
BEGIN, END, UNKNOWN = "<|startoftext|>", "<|endoftext|>", "<unk>"
_HOLD_EVERY = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What one drawing of the corpus shows: a person at work, or a thing.

    Attributes:
        subject: one of ``PROFESSIONS`` or ``OBJECTS``.
        style: whose drawing it is.
        presentation: of a person; None for a thing.
        tone: of a person; None for a thing.
    """

    subject: str
    style: str
    presentation: str | None = None
    tone: str | None = None

    @property
    def is_person(self) -> bool:
        """Whether it shows a person at work."""
        return self.presentation is not None

    @property
    def held_out(self) -> bool:
        """True for one drawing in twelve, never trained on; of people in every style, of things in one.

        A fixed sum of letters rather than a draw, so that anyone can recompute the split. A thing is seen in
        its other styles: what is held out is the combination.
        """
        parts = (self.presentation, self.tone) if self.is_person else (self.style,)
        text = self.subject + "".join(map(str, parts))
        return sum(map(ord, text)) % _HOLD_EVERY == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Which attributes a caption says."""

    presentation: bool = True
    tone: bool = True
    style: bool = True
    ground: bool = True


def caption(label: Label, kept: Kept = Kept(), *, ground: str | None = None) -> tuple[str, ...]:
    """The words of a caption: "a portrait of a dark skin woman firefighter modern style on blue".

    ``ground`` is one of ``GROUNDS``, for a picture on such a ground.
    """
    words = list(LEAD if label.is_person else OBJECT_LEAD)
    if kept.tone and label.tone is not None:
        words += ["yellow"] if label.tone == "yellow" else [label.tone, "skin"]
    if kept.presentation and label.presentation in PRESENTATIONS[1:]:
        words.append(str(label.presentation))
    words += label.subject.split()
    # Noto always says its name: a prompt without a style then gives the crisper Fluent drawing.
    if kept.style or label.style == "noto":
        words += [label.style, "style"]
    if kept.ground and ground is not None:
        words += ["on", ground]
    return tuple(words)


def draw_kept(rng: random.Random, drop: float) -> Kept:
    """Each attribute is left out of a caption with probability ``drop``."""
    return Kept(
        presentation=rng.random() >= drop,
        tone=rng.random() >= drop,
        style=rng.random() >= drop,
        ground=rng.random() >= drop,
    )


def vocabulary() -> dict[str, int]:
    """Word to token id, in a fixed order; the end mark doubles as padding."""
    words = [BEGIN, END, UNKNOWN, *LEAD, *OBJECT_LEAD, "skin", "style", *PRESENTATIONS[1:], *TONES, *STYLES]
    words += [word for subject in (*PROFESSIONS, *OBJECTS) for word in subject.split()]
    words += ["on", *GROUNDS]
    return {word: index for index, word in enumerate(dict.fromkeys(words))}


def encode(words: tuple[str, ...], table: dict[str, int]) -> list[int]:
    """``MAX_TOKENS`` ids: begin, words, end, then end marks as padding."""
    ids = [table[BEGIN], *(table[word] for word in words), table[END]]
    return ids + [table[END]] * (MAX_TOKENS - len(ids))
