"""A clip under something that was laid over it throughout: a bar, a ticker, a box, a letterbox.

The outlines of such a thing are stronger than those of what it lies on, so that no second would be found.
Where it lies shows only once the clock is known. So the clock is guessed from outlines all cut to one height,
the cells that differ most of the time are left out (a quarter of the frame at most), and what is left tells
the clock, and with it those cells, better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.video.clip_digest_cells import excess, tone_of
from provenance.video.clip_digest_placing import lab_of
from provenance.video.locate_alignment import align, flattened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.video.clip_digest_cells import Pair
    from provenance.video.clip_digest_placing import ClipSamples
    from provenance.video.locate_alignment import Alignment
    from provenance.watermark.interface import Geometry

_MOST = 0.3
"""Share of the cells shown that may be left out: those that a quarter of the frame touches."""
_DIFFERS = 1.0
"""Times what copying may leave (``clip_digest_cells.excess``), in half of the slots, from which one does."""
_MOST_PAIRS = 48
"""Slots that say which cells differ."""
_ROUNDS = 2


def align_uncovered(digest: ClipDigest, samples: ClipSamples, geometry: Geometry | None) -> Alignment | None:
    """As ``locate_alignment.align``, but by the outlines of what nothing lies on; None where that tells no
    clock.
    """
    aligned = align(digest, samples, geometry, flat=True)
    if aligned is None:
        return None
    shown = lab_of(aligned.windows(aligned.starts))
    covered = aligned.placement.covered
    scores = np.asarray(flattened(aligned.signed, covered) @ flattened(shown, covered).T, np.float32)
    for _ in range(_ROUNDS):
        pairs = aligned.pairs(_clocks(aligned, _shift(scores, aligned)))
        if not pairs:
            return None
        aligned = aligned.apart_from(_overlaid(pairs, covered))
        scores = aligned.scores
    return aligned


def _shift(scores: NDArray[np.float32], aligned: Alignment) -> int:
    """The bin at which slot 0 lies where most slots agree."""
    starts, step = scores.shape[1], aligned.slot_bins
    before: int = (len(scores) - 1) * step
    totals = np.zeros(before + starts)
    for slot, agreement in enumerate(np.maximum(scores, 0)):
        totals[before - slot * step :][:starts] += agreement
    return int(totals.argmax()) - before - aligned.lead


def _clocks(aligned: Alignment, shift: int) -> dict[int, float]:
    """Where slots begin when slot 0 lies at ``shift``; those that the file would show, and not too many."""
    starts = shift + np.arange(len(aligned.signed)) * aligned.slot_bins
    inside = np.flatnonzero((starts >= aligned.starts[0]) & (starts <= aligned.starts[-1]))
    some = (
        inside[np.unique(np.linspace(0, len(inside) - 1, _MOST_PAIRS).astype(int))] if inside.size else inside
    )
    return {int(slot): float(starts[slot]) for slot in some}


def _overlaid(pairs: list[Pair], covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    tone = tone_of(pairs, covered)
    differs = np.median([excess(pair, tone, covered) for pair in pairs], axis=0)
    least = max(_DIFFERS, float(np.quantile(differs[covered], 1 - _MOST)))
    return np.asarray(covered & (differs > least))
