"""A found copy of a clip against the signed digest.

1. lay its frames on the digest's cells and its clock on the signed one  2. fit brightness and colour
3. slot by slot, what differs beyond what copying does  4. what the copy is as a whole
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provenance.evidence import Evidence, Outcome
from provenance.video.clip_digest_around import around
from provenance.video.clip_digest_cells import blocks, excess, tone_of
from provenance.video.clip_digest_reading import ClipMatch, ClipReading, SlotReading, SlotState
from provenance.video.clip_digest_whole import cuts, match_of, others, outcome_of
from provenance.video.locate import SAME_CLOCK, found_in, shown_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.video.clip_digest_cells import Pair, Tone
    from provenance.video.clip_digest_placing import ClipSamples
    from provenance.video.clip_digest_reading import Span
    from provenance.video.locate_alignment import Alignment
    from provenance.watermark.interface import Geometry

CLAIM = "is the clip whose digest the manifest signs"
_TOO_PLAIN = "what the file shows is too little or too plain to tell clips apart"
ALTERED = 1.4
"""Times what copying may leave, over 2 × 2 cells, from which a slot counts as altered."""
_MARKED_CELL = 0.9
"""The same for a cell next to such a block to count as part of what was altered."""
_OTHER_OUTLINES, _OTHER_FRACTION = 0.5, 0.5
"""A slot with less agreement, or more altered cells, shows something else."""
_SHOWN = 0.8
"""Share of a slot that the file must show for it to be compared."""
_LEAST = 0.5
"""Share of the file's time that must be of the clip for what lies between to count as replaced in place."""


def compare_clip(digest: ClipDigest, copy: ClipSamples, geometry: Geometry | None) -> Evidence:
    """Is ``copy`` the clip of ``digest``, or a part of it?

    SUPPORTS: it is, mostly; ``detail`` says which seconds, and which are altered. CONTRADICTS: another
    clip. INCONCLUSIVE: seconds of the clip within something else, or too little to say.

    Args:
        digest: from a manifest whose signature holds.
        copy: the found copy, sampled (``clip_digest_placing.ClipSampler``).
        geometry: of the mark found in it; None takes its frames for whole ones.
    """
    # Step 1
    found = found_in(digest, copy, geometry)
    if found is None:
        return Evidence(claim=CLAIM, channel="digest", outcome=Outcome.INCONCLUSIVE, reason=_TOO_PLAIN)
    aligned, spans = found
    shown = min(1.0, shown_seconds(spans) / copy.seconds)
    # Steps 2 and 3
    clocks = _clocks(aligned, digest, spans, whole=shown >= _LEAST)
    slots = _judged(aligned, clocks)
    # Step 4
    around_fraction, around_plain = around(aligned.placement, digest, copy)
    bin_, slot = aligned.bin_seconds, aligned.slot_bins * aligned.bin_seconds
    in_place = _in_place(aligned, clocks, slots)
    reading = ClipReading(
        match=ClipMatch.UNDECIDED,
        spans=spans,
        slots=slots,
        slot_seconds=slot,
        seconds=copy.seconds,
        shown_fraction=shown,
        kept=aligned.placement.kept,
        other_seconds=others(spans, in_place, copy.seconds, digest.seconds, bin_=bin_, slot=slot),
        cut_out=cuts(spans, bin_=bin_, slot=slot),
        around_fraction=around_fraction,
        around_plain=around_plain,
    )
    reading = replace(reading, match=match_of(reading))
    outcome, reason = outcome_of(reading)
    return Evidence(claim=CLAIM, channel="digest", outcome=outcome, reason=reason, detail=reading)


def _judged(aligned: Alignment, clocks: dict[int, float]) -> tuple[SlotReading, ...]:
    length = aligned.slot_bins * aligned.bin_seconds
    pairs = aligned.pairs(clocks)
    covered = aligned.placement.covered
    tone = tone_of([pair for pair in pairs if pair.outlines >= _OTHER_OUTLINES], covered)
    readings = {pair.slot: _slot(pair, tone, covered, length) for pair in pairs}
    missing = (
        SlotReading(start=slot * length, state=SlotState.MISSING) for slot in range(len(aligned.signed))
    )
    return tuple(readings.get(slot, none) for slot, none in enumerate(missing))


def _in_place(
    aligned: Alignment, clocks: dict[int, float], slots: tuple[SlotReading, ...]
) -> list[tuple[float, float]]:
    """(start, end) in the file of every slot that it shows, altered or not."""
    return [
        (at * aligned.bin_seconds, (at + aligned.length_of(slot)) * aligned.bin_seconds)
        for slot, at in clocks.items()
        if slots[slot].state is not SlotState.OTHER
    ]


def _clocks(
    aligned: Alignment, digest: ClipDigest, spans: tuple[Span, ...], *, whole: bool
) -> dict[int, float]:
    """For every slot that can be compared: the bin of the file at which it begins.

    Those of a span come first, then what lies between two spans of one clock, or in a copy of the whole
    clip before the first or after the last: it was replaced in its place.
    """
    length, bin_seconds = aligned.slot_bins * aligned.bin_seconds, aligned.bin_seconds
    ends = [min((slot + 1) * length, digest.seconds) for slot in range(len(aligned.signed))]
    clocks: dict[int, float] = {}
    for span in spans:
        shift = span.start - span.signed_start
        for slot, end in enumerate(ends):
            overlap = min(end, span.signed_end) - max(slot * length, span.signed_start)
            if overlap >= _SHOWN * (end - slot * length) and slot not in clocks:
                clocks[slot] = (slot * length + shift) / bin_seconds
    for shift, begin, stop in _replaced(spans, aligned, digest) if whole else ():
        for slot, end in enumerate(ends):
            if slot not in clocks and slot * length >= begin - length and end <= stop + length:
                at = (slot * length + shift) / bin_seconds
                inside = at > -0.5 and at + (end - slot * length) / bin_seconds < aligned.bins + 0.5
                if inside:
                    clocks[slot] = at
    return clocks


def _replaced(
    spans: tuple[Span, ...], aligned: Alignment, digest: ClipDigest
) -> list[tuple[float, float, float]]:
    """(shift, begin, end in the signed clip) of stretches that the file shows otherwise at their time."""
    shifts = [span.start - span.signed_start for span in spans]
    found = [(shifts[0], 0.0, spans[0].signed_start), (shifts[-1], spans[-1].signed_end, digest.seconds)]
    for (one, two), (before, after) in zip(
        itertools.pairwise(shifts), itertools.pairwise(spans), strict=True
    ):
        if abs(one - two) <= SAME_CLOCK * aligned.bin_seconds:
            found.append((one, before.signed_end, after.signed_start))
    return [(shift, begin, end) for shift, begin, end in found if end - begin > aligned.bin_seconds]


def _slot(pair: Pair, tone: Tone, covered: NDArray[np.bool_], length: float) -> SlotReading:
    cells = excess(pair, tone, covered)
    strong = blocks(cells) >= ALTERED
    altered = strong & (cells >= _MARKED_CELL) & covered
    share = float(altered[covered].mean())
    state = SlotState.MATCHES
    if share > _OTHER_FRACTION or pair.outlines < _OTHER_OUTLINES:
        state = SlotState.OTHER
    elif altered.any():
        state = SlotState.ALTERED
    return SlotReading(start=pair.slot * length, state=state, altered_fraction=share, box=_box(altered))


def _box(cells: NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    if not cells.any():
        return None
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    height, width = cells.shape
    left, right = float(columns[0] / width), float((columns[-1] + 1) / width)
    return left, float(rows[0] / height), right, float((rows[-1] + 1) / height)
