"""Where a clip, or a part of it, lies in another file: "seconds a-b of this are seconds c-d of that".

A shared part shows as a diagonal of high correlations: the same shift between both clocks for several
slots on end. Its ends are then found to a bin or two, from single bins held against what lies between the
two nearest slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.video.clip_digest_reading import Span
from provenance.video.locate_alignment import align
from provenance.video.locate_clock import settled
from provenance.video.locate_overlay import align_uncovered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.video.clip_digest_placing import ClipSamples
    from provenance.video.locate_alignment import Alignment
    from provenance.watermark.interface import Geometry

SAME_OUTLINES = 0.8
"""Correlation from which a slot counts as found."""
_SAME_FLATTENED = 0.7
"""What a run's slots must have by flattened outlines as well: the edges of a letterbox or a station's bar are
alike in all clips that have one. Of clips that share such things 0.64 at most, of copies 0.8 and more."""
_LEAST_TOTAL = 0.1
"""What the slots of a run must have together beyond that: plain ones add nothing."""
_MOST_SPANS = 16
_LEAST_SLOTS = 2
"""One slot alone is found only where the clip or the file is not longer, or others told the clock."""
SAME_CLOCK = 1.5
"""Bins by which two runs' shifts may differ to be of one clock."""
_FRACTIONS = (0.0, -0.25, 0.25, -0.5, 0.5)
"""Shifts tried around the best whole one, in bins."""
MOSTLY = 0.7
"""Share of a file's time that must be of the clip for it to be called a copy; with less the clip is looked
for under something that lies over it."""
_JOINS, _STAYS = 0.5, 0.2
"""Shares of the correlation that a span's bins have (median): what a bin beyond its slots needs to speak for
being of the span, and what one within them needs, which was found there as part of a whole slot. Set on clips
that no result is reported of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Slots ``first`` to ``last`` - 1 found on one diagonal, slot 0 lying at bin ``shift`` of the file."""

    first: int
    last: int
    shift: float
    score: float
    about: bool = False
    """Whether shifts nearby fit nearly as well."""


def locate(digest: ClipDigest, samples: ClipSamples, geometry: Geometry | None = None) -> tuple[Span, ...]:
    """The parts of the signed clip in a file, in the file's order.

    Args:
        digest: of the signed clip.
        samples: the file, sampled (``clip_digest_placing.ClipSampler``).
        geometry: of the mark found in it; None takes its frames for whole ones.
    """
    found = found_in(digest, samples, geometry)
    return () if found is None else found[1]


def found_in(
    digest: ClipDigest, samples: ClipSamples, geometry: Geometry | None
) -> tuple[Alignment, tuple[Span, ...]] | None:
    """The file laid on the digest, and the parts that it shows; None if that is too little or too plain.

    Where a mark led here and says how the frames lie, also under what lies over them throughout.
    """
    aligned = align(digest, samples, geometry)
    if aligned is None or aligned.is_plain():
        return None
    found = aligned, _spans_of(aligned, digest, samples)
    if geometry is None or shown_seconds(found[1]) >= MOSTLY * samples.seconds:
        return found
    apart = align_uncovered(digest, samples, geometry)
    if apart is None or apart.is_plain():
        return found
    uncovered = apart, _spans_of(apart, digest, samples)
    return max(found, uncovered, key=lambda one: shown_seconds(one[1]))


def shown_seconds(spans: tuple[Span, ...]) -> float:
    """How much of the file is of the clip."""
    return sum(span.end - span.start for span in spans)


def _spans_of(aligned: Alignment, digest: ClipDigest, samples: ClipSamples) -> tuple[Span, ...]:
    """The runs as seconds, with their ends found; a stretch of the file belongs to one span at most."""
    spans: list[Span] = []
    for run in runs_of(aligned):
        span = _span(run, aligned, digest, samples)
        for taken in spans:
            span = _without(span, taken)
        if span.end - span.start > aligned.bin_seconds:
            spans.append(span)
    return tuple(sorted(spans, key=lambda span: span.start))


def runs_of(aligned: Alignment) -> list[Run]:
    """Diagonals of found slots, the strongest first; what one takes no other may."""
    scores, step = aligned.scores.copy(), aligned.slot_bins
    least = min(_LEAST_SLOTS, len(scores), max(1, aligned.bins // step))
    runs: list[Run] = []
    for _ in range(_MOST_SPANS):
        found = _strongest(scores, step)
        if found is None:
            break
        first, last, column = found
        gain = np.maximum(scores - SAME_OUTLINES, 0)
        shift, about = settled(first, last, column - aligned.lead, gain, aligned)
        run = _sharpened(first, last, shift, aligned, about=about)
        if last - first < least and not any(abs(run.shift - other.shift) <= SAME_CLOCK for other in runs):
            break
        if _is_alike(run, aligned):
            runs.append(run)
        scores[first:last] = -1
        column, half = shift + aligned.lead, max(1, step // 2)
        begin, end = column + first * step, column + last * step
        # Windows that reach by more than half a slot into what was taken are taken too.
        scores[:, max(0, begin - half) : max(0, end - half)] = -1
    return runs


def _strongest(scores: NDArray[np.float32], step: int) -> tuple[int, int, int] | None:
    """(first slot, last slot + 1, column of slot 0) of the best run on one diagonal; a run ends where a
    slot is not found.
    """
    slots, starts = scores.shape
    gain = np.maximum(scores - SAME_OUTLINES, 0)
    best, best_total = None, _LEAST_TOTAL
    total, began = np.zeros(starts), np.zeros(starts, int)
    for slot in range(slots):
        before, before_began = np.zeros(starts), np.full(starts, slot)
        if step < starts:
            before[step:], before_began[step:] = total[:-step], began[:-step]
        found = gain[slot] > 0
        began = np.where(found & (before > 0), before_began, slot)
        total = np.where(found, before + gain[slot], 0)
        peak = int(total.argmax())
        if total[peak] > best_total:
            best_total = float(total[peak])
            best = (int(began[peak]), slot + 1, peak - slot * step)
    return best


def _sharpened(first: int, last: int, shift: int, aligned: Alignment, *, about: bool) -> Run:
    """The shift to a fraction of a bin, where whole ones can be told apart."""
    fractions = (0.0,) if about else _FRACTIONS
    some = _some(first, last)
    scores = [
        float(np.mean([aligned.match(slot, shift + part + slot * aligned.slot_bins) for slot in some]))
        for part in fractions
    ]
    # The first of those that are as good, give or take rounding: the whole shift where nothing moves.
    best_score = max(scores)
    best_shift = shift + next(
        part for part, score in zip(fractions, scores, strict=True) if score >= best_score - 1e-4
    )
    return Run(first=first, last=last, shift=best_shift, score=best_score, about=about)


def _is_alike(run: Run, aligned: Alignment) -> bool:
    likeness = [
        aligned.likeness(slot, run.shift + slot * aligned.slot_bins) for slot in _some(run.first, run.last)
    ]
    told = [one for one in likeness if one is not None]
    return bool(told) and float(np.median(told)) >= _SAME_FLATTENED


def _some(first: int, last: int) -> list[int]:
    """Slots from ``first`` to ``last`` - 1, eight at most."""
    return [int(slot) for slot in np.unique(np.linspace(first, last - 1, 8).astype(int))]


def _span(run: Run, aligned: Alignment, digest: ClipDigest, samples: ClipSamples) -> Span:
    begin, end = _ends(run, aligned)
    shift = run.shift * aligned.bin_seconds  # file time at which the signed clip begins
    start = max(begin * aligned.bin_seconds, shift, 0.0)
    stop = min(end * aligned.bin_seconds, digest.seconds + shift, samples.seconds)
    return Span(
        start=round(start, 3),
        end=round(stop, 3),
        signed_start=round(start - shift, 3),
        signed_end=round(stop - shift, 3),
        score=run.score,
        about=run.about,
    )


def _ends(run: Run, aligned: Alignment) -> tuple[int, int]:
    """First bin and last bin + 1, at most a slot from where the run's own slots end."""
    step = aligned.slot_bins
    moments = aligned.moments(run.shift)
    begin, end = (round(run.shift + slot * step) for slot in (run.first, run.last))
    begin, end = max(begin, 0), min(end, aligned.bins)
    shown = moments / max(float(np.median(moments[begin:end])), 1e-6)
    return _edge(shown, begin, -1, step), _edge(shown, end, 1, step)


def _edge(shown: NDArray[np.float32], at: int, way: int, most: int) -> int:
    """The boundary at most ``most`` bins from ``at`` up to which bins fit best, going outwards (``way``).

    All bins on the way are added up: one that fits badly, as where the camera moves fast, ends no span.
    """
    first, last = (min(max(at + way * side * most, 0), len(shown)) for side in (-1, 1))
    bins = np.arange(first, last, way) - (way < 0)  # those behind each boundary
    needed = np.where(bins < at if way > 0 else bins >= at, _STAYS, _JOINS)
    fits = np.concatenate([[0.0], np.cumsum(shown[bins] - needed)])
    return first + way * int(fits.argmax())


def _without(span: Span, taken: Span) -> Span:
    """What of ``span`` lies in no stretch of the file that another one has."""
    if span.end <= taken.start or span.start >= taken.end:
        return span
    cut_start, cut_end = span.start, span.end
    if span.start < taken.start:
        cut_end = taken.start
    elif span.end > taken.end:
        cut_start = taken.end
    else:
        cut_end = cut_start
    offset = span.signed_start - span.start
    return Span(
        start=cut_start,
        end=cut_end,
        signed_start=round(cut_start + offset, 3),
        signed_end=round(cut_end + offset, 3),
        score=span.score,
        about=span.about,
    )
