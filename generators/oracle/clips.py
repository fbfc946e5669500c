"""Whether a clip shows what was asked for: its subject recognisable, its movement right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from generators.oracle.motion import MotionReading, read_motion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provenance.media import Frames


class Answers(Protocol):
    """What the picture oracle says of one frame."""

    def __getitem__(self, question: str) -> str:
        """The answer to "subject" and other questions."""
        ...


class FrameReader(Protocol):
    """The picture oracle."""

    def read(self, frames: Frames) -> Sequence[Answers]:
        """One set of answers for each frame."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipJudgement:
    """One clip against what was asked for.

    Attributes:
        subject: what most of its frames show; among equals the first.
        motion: how it moves.
        subject_right: ``subject`` is the one asked for.
        movement_right: the movement is the one asked for.
    """

    subject: str
    motion: MotionReading
    subject_right: bool
    movement_right: bool

    @property
    def right(self) -> bool:
        """Content recognisable and motion right."""
        return self.subject_right and self.movement_right


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipShares:
    """Counts over ``n`` clips: subjects right, movements right, both."""

    n: int
    subjects: int
    movements: int
    both: int


def judge(clip: Frames, *, subject: str, movement: str, reader: FrameReader) -> ClipJudgement:
    """Hold a clip against the ``subject`` and ``movement`` of its prompt."""
    seen = Counter(answers["subject"] for answers in reader.read(clip)).most_common(1)[0][0]
    motion = read_motion(np.asarray(clip.pixels, np.uint8))
    return ClipJudgement(
        subject=seen,
        motion=motion,
        subject_right=seen == subject,
        movement_right=motion.movement == movement,
    )


def shares(judgements: Iterable[ClipJudgement]) -> ClipShares:
    """Counted."""
    found = list(judgements)
    return ClipShares(
        n=len(found),
        subjects=sum(one.subject_right for one in found),
        movements=sum(one.movement_right for one in found),
        both=sum(one.right for one in found),
    )
