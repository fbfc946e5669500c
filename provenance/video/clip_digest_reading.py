"""What a found copy of a clip is to the signed one, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

_ADDED = 0.03
"""Share of a file's frames from which what lies around the clip is worth a word, as of a picture."""
NOT_COMPARED = ("sound", "subtitles", "other tracks")
"""What a clip may hold beside its picture; the signed digest says nothing of it."""


class SlotState(StrEnum):
    """One slot (a second, in clips up to ten minutes) of the signed clip in the copy."""

    MATCHES = "matches"
    """The copy shows it."""
    ALTERED = "altered"
    """The copy shows it with something else in places."""
    OTHER = "other"
    """The copy shows something else at its time."""
    MISSING = "missing"
    """The copy does not have it, or too little of it to say."""


class ClipMatch(StrEnum):
    """What the copy is, as a whole."""

    SAME = "same"
    """The whole clip, unaltered as far as the digest can tell."""
    PART = "part"
    """Nothing but seconds of the clip, unaltered, in their order, not all of them."""
    ALTERED = "altered"
    """Mostly seconds of the clip, some of them altered, replaced or among others."""
    INSIDE = "inside"
    """Too much else for a copy (more than three tenths of its time), with seconds of the clip in it."""
    OTHER = "other"
    """Another clip."""
    UNDECIDED = "undecided"
    """Too short, too plain or too different to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Seconds ``start``-``end`` of the file are seconds ``signed_start``-``signed_end`` of the signed clip.

    Attributes:
        start: in the file, counted from its first frame.
        end: in the file.
        signed_start: in the signed clip.
        signed_end: in the signed clip; as far from its start as in the file.
        score: mean correlation of outlines over the span, -1 to 1.
        about: little moves there, so that other seconds nearby would fit nearly as well.
    """

    start: float
    end: float
    signed_start: float
    signed_end: float
    score: float
    about: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReading:
    """One slot of the signed clip.

    Attributes:
        start: second of the signed clip at which it begins.
        state: what the copy shows of it.
        altered_fraction: share of the cells shown that differ; 0 unless compared.
        box: (left, top, right, bottom) around what differs, in fractions of the signed frame, or None.
    """

    start: float
    state: SlotState
    altered_fraction: float = 0.0
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipReading:
    """A found copy held against a signed clip digest.

    Attributes:
        match: what the copy is, as a whole.
        spans: where the copy shows the signed clip, in the file's order.
        slots: every slot of the signed clip, in order.
        slot_seconds: length of a slot.
        seconds: of the file.
        shown_fraction: share of the file's time that is the signed clip.
        kept: (left, top, right, bottom) of what the copy shows, in fractions of the signed frame.
        other_seconds: (start, end) of stretches of the file that are not of the signed clip.
        cut_out: (start, end) of stretches of the signed clip that the file leaves out between two spans.
        around_fraction: share of the file's frames that lies around the clip.
        around_plain: that is one plain ground at every moment.
        not_compared: what the file may hold that nobody looked at.
    """

    match: ClipMatch
    spans: tuple[Span, ...]
    slots: tuple[SlotReading, ...] = field(repr=False)
    slot_seconds: float
    seconds: float
    shown_fraction: float
    kept: tuple[float, float, float, float]
    other_seconds: tuple[tuple[float, float], ...] = ()
    cut_out: tuple[tuple[float, float], ...] = ()
    around_fraction: float = 0.0
    around_plain: bool = True
    not_compared: tuple[str, ...] = NOT_COMPARED

    @property
    def framed(self) -> bool:
        """Whether there is something around the clip other than a plain border or a sliver."""
        return self.around_fraction >= _ADDED and not self.around_plain

    @property
    def added(self) -> bool:
        """Whether there is something beside the clip, in its frames or before, between or after them."""
        return self.framed or bool(self.other_seconds)

    @property
    def reordered(self) -> bool:
        """Whether seconds of the clip come in another order."""
        slack = self.slot_seconds / 2
        return any(after.signed_start < before.signed_end - slack for before, after in pairwise(self.spans))

    def count(self, state: SlotState) -> int:
        """How many slots are in that state."""
        return sum(slot.state is state for slot in self.slots)
