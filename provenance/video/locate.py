"""Where a clip, or a part of it, lies in another file: "seconds a-b of this are seconds c-d of that".

Every slot of the signed clip is correlated with the copy's mean picture over as long a stretch, begun at
every time of the copy. A shared part shows as a diagonal of high values: the same shift between both
clocks for several slots on end. Outlines are correlated (steps between neighbouring cells), as two pictures
with a bright sky have grounds alike, but not outlines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from provenance.video.clip_digest_placing import lab_of, placements
from provenance.video.clip_digest_reading import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.video.clip_digest_placing import ClipSamples, Placement
    from provenance.watermark.interface import Geometry

SAME_OUTLINES = 0.8
"""Correlation from which a slot counts as found: copies lie above 0.9, other pictures below 0.7."""
_LEAST_COVERED = 0.6
"""Share of a slot that the copy must show for it to be looked at."""
_PLACING_SLOTS, _PLACING_STARTS = 24, 160
"""Slots and times at which the placements are weighed against each other."""
_MOST_SPANS = 16
_LEAST_SPAN_SLOTS = 2
"""One slot alone is found only where the clip or the file is not longer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alignment:
    """A copy laid on the digest's grid, with both clocks compared.

    Attributes:
        placement: how its frames lie in the signed ones.
        signed: (slots, rows, columns, 3) L*a*b* of the digest.
        slot_bins: bins to a slot.
        prefix: (bins + 1, rows, columns, 3) running sums of the copy's bins on the digest's grid, RGB.
        scores: (slots, starts) correlation of each slot with the copy from each bin on; -1 where the copy
            has too little of it. Column 0 begins ``lead`` bins before the copy does.
        lead: bins.
    """

    placement: Placement
    signed: NDArray[np.float32] = field(repr=False)
    slot_bins: int
    prefix: NDArray[np.float64] = field(repr=False)
    scores: NDArray[np.float32] = field(repr=False)
    lead: int


def locate(digest: ClipDigest, samples: ClipSamples, geometry: Geometry | None = None) -> tuple[Span, ...]:
    """The parts of the signed clip in a file, in the file's order.

    Args:
        digest: of the signed clip.
        samples: the file, sampled.
        geometry: of the mark found in it; None takes its frames for whole ones.
    """
    aligned = align(digest, samples, geometry)
    return () if aligned is None else spans_of(aligned, digest, samples)


def align(digest: ClipDigest, samples: ClipSamples, geometry: Geometry | None) -> Alignment | None:
    """The copy under the placement that fits best; None if it shows nothing of the frame."""
    signed, slot_bins = _slots_of(digest, samples)
    best, best_score = None, -2.0
    for placement in placements(digest, samples, geometry):
        score = _fits(placement, signed, samples)
        if score > best_score:
            best, best_score = placement, score
    if best is None:
        return None
    laid = best.lay(samples.means)
    prefix = np.concatenate([np.zeros_like(laid[:1], np.float64), np.cumsum(laid, axis=0, dtype=np.float64)])
    lead = int((1 - _LEAST_COVERED) * slot_bins)
    starts = np.arange(-lead, len(laid) - int(_LEAST_COVERED * slot_bins) + 1)
    windows = window_means(prefix, starts, slot_bins)
    outlines = _outlines(lab_of(windows), best.covered)
    scores = _outlines(signed, best.covered) @ outlines.T
    return Alignment(
        placement=best, signed=signed, slot_bins=slot_bins, prefix=prefix, scores=scores, lead=lead
    )


def window_means(prefix: NDArray[np.float64], starts: NDArray[np.int64], length: int) -> NDArray[np.float32]:
    """(n, rows, columns, 3) mean over ``length`` bins from each start; what lies outside is left out."""
    first, last = np.clip(starts, 0, len(prefix) - 1), np.clip(starts + length, 0, len(prefix) - 1)
    count = np.maximum(last - first, 1)[:, None, None, None]
    return np.asarray((prefix[last] - prefix[first]) / count, np.float32)


def spans_of(aligned: Alignment, digest: ClipDigest, samples: ClipSamples) -> tuple[Span, ...]:
    """Diagonals of found slots, the strongest first taken; what one takes no other may."""
    scores = aligned.scores.copy()
    found: list[tuple[int, int, int, float]] = []
    least = min(_LEAST_SPAN_SLOTS, len(scores), max(1, len(samples.means) // aligned.slot_bins))
    while len(found) < _MOST_SPANS:
        run = _strongest(scores, aligned.slot_bins)
        if run is None or run[1] - run[0] < least:
            break
        first, last, column, _ = run
        found.append(run)
        scores[first:last] = -1
        begin = column + first * aligned.slot_bins
        end = column + last * aligned.slot_bins
        # Windows that reach into what was taken by more than half a slot are taken too.
        half = aligned.slot_bins // 2
        scores[:, max(0, begin - half) : max(0, end - half)] = -1
    spans = [_span(run, aligned, digest, samples) for run in found]
    return tuple(sorted(spans, key=lambda span: span.start))


def _strongest(scores: NDArray[np.float32], step: int) -> tuple[int, int, int, float] | None:
    """(first slot, last slot + 1, column of slot 0, mean score) of the best run on one diagonal."""
    slots, starts = scores.shape
    gain = np.maximum(scores - SAME_OUTLINES, 0)
    best, best_total = None, 0.0
    total = np.zeros(starts)
    # Dynamic programme along the diagonals: a run ends where a slot is not found.
    began = np.zeros(starts, int)
    for slot in range(slots):
        moved, moved_began = np.zeros(starts), np.full(starts, slot)
        moved[step:], moved_began[step:] = total[:-step] if step < starts else [], began[: starts - step]
        on = gain[slot] > 0
        began = np.where(on & (moved > 0), moved_began, slot)
        total = np.where(on, moved + gain[slot], 0)
        peak = int(total.argmax())
        if total[peak] > best_total:
            best_total = float(total[peak])
            best = (int(began[peak]), slot + 1, peak - slot * step)
    if best is None:
        return None
    first, last, column = best
    mean = float(np.mean([scores[slot, column + slot * step] for slot in range(first, last)]))
    return first, last, column, mean


def _span(
    run: tuple[int, int, int, float], aligned: Alignment, digest: ClipDigest, samples: ClipSamples
) -> Span:
    first, last, column, score = run
    shift = (column - aligned.lead) * samples.bin_seconds  # file time of the signed clip's beginning
    slot_seconds = aligned.slot_bins * samples.bin_seconds
    start = max(first * slot_seconds + shift, 0.0)
    end = min(min(last * slot_seconds, digest.seconds) + shift, samples.seconds)
    return Span(
        start=round(start, 3),
        end=round(end, 3),
        signed_start=round(start - shift, 3),
        signed_end=round(end - shift, 3),
        score=score,
    )


def _slots_of(digest: ClipDigest, samples: ClipSamples) -> tuple[NDArray[np.float32], int]:
    """The digest's slots, joined until each is a whole number of the copy's bins; and that number."""
    signed, seconds = digest.pictures(), digest.slot_seconds
    while seconds < samples.bin_seconds - 1e-9:
        even = signed if len(signed) % 2 == 0 else np.concatenate([signed, signed[-1:]])
        signed, seconds = np.asarray((even[::2] + even[1::2]) / 2, np.float32), 2 * seconds
    return signed, max(1, round(seconds / samples.bin_seconds))


def _fits(placement: Placement, signed: NDArray[np.float32], samples: ClipSamples) -> float:
    """How well some slots find a like picture somewhere in the copy; more cells shown are better."""
    bins = np.unique(np.linspace(0, len(samples.means) - 1, _PLACING_STARTS).astype(int))
    slots = np.unique(np.linspace(0, len(signed) - 1, _PLACING_SLOTS).astype(int))
    copy = _outlines(lab_of(placement.lay(samples.means[bins])), placement.covered)
    scores = _outlines(signed[slots], placement.covered) @ copy.T
    best = np.sort(scores.max(axis=1))[len(slots) // 2 :]
    return float(best.mean()) * float(np.sqrt(placement.covered.mean()))


def _outlines(lab: NDArray[np.float32], covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, steps) steps of lightness between neighbouring cells shown, of length 1."""
    light = lab[..., 0]
    across = np.diff(light, axis=2)[:, covered[:, 1:] & covered[:, :-1]]
    down = np.diff(light, axis=1)[:, covered[1:] & covered[:-1]]
    steps = np.concatenate([across, down], axis=1)
    return np.asarray(steps / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), _PLAIN), np.float32)


_PLAIN = 6.0
"""Length of all steps together below which a picture is too plain to be recognised."""
