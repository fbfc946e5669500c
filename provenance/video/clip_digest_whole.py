"""What a copy is as a whole: from the seconds that it shows, those that it lacks and those it has besides."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from provenance.evidence import Outcome
from provenance.video.clip_digest_reading import ClipMatch, SlotState
from provenance.video.locate import MOSTLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.video.clip_digest_reading import ClipReading, Span

    Stretch = tuple[float, float]

_EXACT_BINS = 2
"""Ends of spans are known to so many bins; between two spans, and where the signed clip is over, more than
that is something else."""
_LOOSE_SLOTS = 0.5
"""The same in slots where single bins may stop to fit a little early, or where little moves."""
_MOST_AROUND = 0.25
"""Share of the file's frames that may lie around the clip, as of a picture. A plain ground does not count, as
clips are padded to the shape of a screen every day."""


def others(
    spans: Sequence[Span],
    shown: Sequence[Stretch],
    seconds: float,
    signed: float,
    *,
    bin_: float,
    slot: float,
) -> tuple[Stretch, ...]:
    """Stretches of the file that are not of the signed clip.

    Args:
        spans: what is of it, in the file's order.
        shown: stretches of the file that show slots of it in their place, altered or not.
        seconds: length of the file.
        signed: length of the signed clip.
        bin_: seconds to a bin.
        slot: seconds to a slot.
    """
    if not spans:
        return ()
    exact, loose = _EXACT_BINS * bin_ + 1e-3, _LOOSE_SLOTS * slot
    first, last = spans[0], spans[-1]
    known = sorted([*shown, *((span.start, span.end) for span in spans), (seconds, seconds)])
    found, at = [], 0.0
    for start, end in known:
        early = at == 0 and (first.about or first.signed_start > bin_)
        early |= start == seconds and (last.about or signed - last.signed_end > bin_)
        least = max(exact, loose) if early else exact
        if start - at > least:
            found.append((round(at, 3), round(start, 3)))
        at = max(at, end)
    return tuple(found)


def cuts(spans: Sequence[Span], *, bin_: float, slot: float) -> tuple[Stretch, ...]:
    """Stretches of the signed clip that are left out between two spans."""
    found = []
    for before, after in itertools.pairwise(spans):
        jump = (after.signed_start - after.start) - (before.signed_start - before.start)
        about = before.about or after.about
        least = max(_EXACT_BINS * bin_, _LOOSE_SLOTS * slot if about else 0)
        if jump > least and after.signed_start - before.signed_end > least:
            found.append((before.signed_end, after.signed_start))
    return tuple(found)


def match_of(reading: ClipReading) -> ClipMatch:
    """What a copy is as a whole; ``reading`` has everything else."""
    if not reading.spans:
        # From two slots on a part of the clip shows at least one of them whole.
        short = reading.seconds < 2 * reading.slot_seconds
        return ClipMatch.UNDECIDED if short else ClipMatch.OTHER
    if reading.shown_fraction < MOSTLY:
        return ClipMatch.INSIDE
    states = {slot.state for slot in reading.slots}
    # A copy altered beyond recognition, or a clip that shares a strong part of its frames with this one.
    if 2 * reading.count(SlotState.OTHER) >= len(reading.slots) - reading.count(SlotState.MISSING):
        return ClipMatch.UNDECIDED
    if states & {SlotState.ALTERED, SlotState.OTHER} or reading.other_seconds or reading.reordered:
        return ClipMatch.ALTERED
    part = SlotState.MISSING in states or reading.cut_out
    return ClipMatch.PART if part else ClipMatch.SAME


def outcome_of(reading: ClipReading) -> tuple[Outcome, str | None]:
    """The outcome that goes with a reading, and why."""
    if reading.match is ClipMatch.OTHER:
        return Outcome.CONTRADICTS, "no second of this file is of the signed clip"
    if reading.match is ClipMatch.UNDECIDED and reading.count(SlotState.OTHER):
        what = "too much of its frames differs: an edited copy, or another clip like it"
        return Outcome.INCONCLUSIVE, what
    if reading.match is ClipMatch.UNDECIDED:
        slot = f"{reading.slot_seconds:g} s"
        return Outcome.INCONCLUSIVE, f"too short to say: the signed clip is told by stretches of {slot}"
    if reading.match is ClipMatch.INSIDE:
        what = f"only {reading.shown_fraction:.0%} of this file is of the signed clip"
        return Outcome.INCONCLUSIVE, what
    if reading.framed and reading.around_fraction > _MOST_AROUND:
        what = f"the clip is there, but {reading.around_fraction:.0%} of this file lies around it"
        return Outcome.INCONCLUSIVE, what
    return Outcome.SUPPORTS, None
