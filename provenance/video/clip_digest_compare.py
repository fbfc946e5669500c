"""A found copy of a clip against the signed digest.

1. lay its frames on the digest's cells and its clock on the signed one  2. fit brightness and colour
3. slot by slot, what differs beyond what copying does  4. what the copy is as a whole
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from provenance.evidence import Evidence, Outcome
from provenance.video.clip_digest_placing import lab_of
from provenance.video.clip_digest_reading import ClipMatch, ClipReading, SlotReading, SlotState
from provenance.video.locate import align, spans_of, window_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.video.clip_digest_placing import ClipSamples
    from provenance.video.clip_digest_reading import Span
    from provenance.video.locate import Alignment
    from provenance.watermark.interface import Geometry

CLAIM = "is the clip whose digest the manifest signs"
ALTERED = 14.0
"""|ΔL*| + |Δa*| + |Δb*| from which a cell counts as altered on plain ground."""
_EDGE, _MOTION = 0.35, 0.35
"""What steps to neighbours and to the seconds before and after add to that: a copy laid a little off, in
place or time, differs there first."""
_OTHER_OUTLINES = 0.5
_OTHER_FRACTION = 0.5
"""A slot with less agreement, or more altered cells, shows something else."""
_MOSTLY = 0.7
"""Share of the file's time that must be of the clip for the file to be a copy of it."""
_WHOLE = 0.95
_GAINS = (0.4, 2.5)


def compare_clip(digest: ClipDigest, copy: ClipSamples, geometry: Geometry | None) -> Evidence:
    """Is ``copy`` the clip of ``digest``, or a part of it?

    SUPPORTS: it is, mostly; ``detail`` says which seconds, and which are altered. CONTRADICTS: another
    clip. INCONCLUSIVE: seconds of the clip within something else, or too little to say.

    Args:
        digest: from a manifest whose signature holds.
        copy: the found copy, sampled (``ClipSampler``).
        geometry: of the mark found in it; None takes its frames for whole ones.
    """
    # Step 1
    aligned = align(digest, copy, geometry)
    spans = () if aligned is None else spans_of(aligned, digest, copy)
    if aligned is None or not spans:
        return _nothing_found(digest, copy, aligned)
    # Steps 2 and 3
    slots = _judged(aligned, digest, copy, spans)
    # Step 4
    shown = min(1.0, sum(span.end - span.start for span in spans) / copy.seconds)
    match = _as_a_whole(slots, spans, shown)
    detail = ClipReading(
        match=match,
        spans=spans,
        slots=slots,
        slot_seconds=aligned.slot_bins * copy.bin_seconds,
        seconds=copy.seconds,
        shown_fraction=shown,
        kept=aligned.placement.kept,
    )
    inside = match is ClipMatch.INSIDE
    reason = f"only {shown:.0%} of this file is of the signed clip" if inside else None
    outcome = Outcome.INCONCLUSIVE if inside else Outcome.SUPPORTS
    return Evidence(claim=CLAIM, channel="digest", outcome=outcome, reason=reason, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pair:
    """A signed slot and what the copy shows at its time."""

    slot: int
    signed: NDArray[np.float32] = field(repr=False)  # (rows, columns, 3) L*a*b*
    found: NDArray[np.float32] = field(repr=False)
    outlines: float  # their correlation


def _judged(
    aligned: Alignment, digest: ClipDigest, copy: ClipSamples, spans: tuple[Span, ...]
) -> tuple[SlotReading, ...]:
    pairs = _pairs(aligned, copy, spans)
    close = [pair for pair in pairs if pair.outlines >= _OTHER_OUTLINES]
    gain, offset = _tone(close, aligned.placement.covered)
    motion = _motion(aligned.signed)
    length = aligned.slot_bins * copy.bin_seconds
    readings = {
        pair.slot: _slot(pair, pair.signed * gain + offset, motion[pair.slot], aligned, length)
        for pair in pairs
    }
    count = len(aligned.signed)
    return tuple(
        readings.get(slot, SlotReading(start=slot * length, state=SlotState.MISSING))
        for slot in range(count)
        if slot * length < digest.seconds
    )


def _pairs(aligned: Alignment, copy: ClipSamples, spans: tuple[Span, ...]) -> list[_Pair]:
    """Slots of the spans, and those between two spans on one diagonal: what was replaced in place."""
    pairs, step = {}, aligned.slot_bins
    for start_slot, end_slot, column in _stretches(aligned, copy, spans):
        for slot in range(start_slot, end_slot):
            at = column + slot * step
            if slot in pairs or not 0 <= at < aligned.scores.shape[1]:
                continue
            window = window_means(aligned.prefix, np.array([at - aligned.lead]), step)
            pairs[slot] = _Pair(
                slot=slot,
                signed=aligned.signed[slot],
                found=_half_colour(lab_of(window))[0],
                outlines=float(aligned.scores[slot, at]),
            )
    return list(pairs.values())


def _stretches(aligned: Alignment, copy: ClipSamples, spans: tuple[Span, ...]) -> list[tuple[int, int, int]]:
    length = aligned.slot_bins * copy.bin_seconds
    made, bridges = [], []
    last: tuple[int, int] | None = None
    for span in spans:
        column = round((span.start - span.signed_start) / copy.bin_seconds) + aligned.lead
        first, end = int(span.signed_start / length + 1e-6), int(np.ceil(span.signed_end / length - 1e-6))
        made.append((first, end, column))
        if last and abs(last[1] - column) <= 1:
            bridges.append((last[0], first, column))
        last = (end, column)
    return made + bridges


def _tone(pairs: list[_Pair], covered: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gain and offset of L*, a* and b* that the copy underwent, cells that differ most left out."""
    if not pairs:
        return np.ones(3, np.float32), np.zeros(3, np.float32)
    signed = np.concatenate([pair.signed[covered] for pair in pairs])
    found = np.concatenate([pair.found[covered] for pair in pairs])
    keep = np.ones(len(signed), bool)
    for _ in range(3):
        means = signed[keep].mean(axis=0), found[keep].mean(axis=0)
        covariance = ((signed[keep] - means[0]) * (found[keep] - means[1])).mean(axis=0)
        # The variance of a difference of 3 keeps plain clips from inventing a gain.
        gain = np.clip((covariance + 9) / (signed[keep].var(axis=0) + 9), *_GAINS)
        offset = means[1] - gain * means[0]
        error = np.abs(signed * gain + offset - found).sum(axis=1)
        keep = error <= max(float(np.quantile(error, 0.7)), ALTERED / 2)
    return gain.astype(np.float32), offset.astype(np.float32)


def _slot(
    pair: _Pair, expected: NDArray[np.float32], motion: NDArray[np.float32], aligned: Alignment, length: float
) -> SlotReading:
    covered = aligned.placement.covered
    difference = np.abs(pair.found - expected).sum(axis=-1)
    over = covered & (difference > ALTERED + _EDGE * _steps(expected) + _MOTION * motion)
    strong = over & (difference > 2 * (ALTERED + _EDGE * _steps(expected) + _MOTION * motion))
    altered = over & ((_neighbours(over) > 0) | strong)
    share = float(altered[covered].mean())
    state = SlotState.MATCHES
    if share > _OTHER_FRACTION or pair.outlines < _OTHER_OUTLINES:
        state = SlotState.OTHER
    elif altered.any():
        state = SlotState.ALTERED
    return SlotReading(start=pair.slot * length, state=state, altered_fraction=share, box=_box(altered))


def _as_a_whole(slots: tuple[SlotReading, ...], spans: tuple[Span, ...], shown: float) -> ClipMatch:
    if shown < _MOSTLY:
        return ClipMatch.INSIDE
    states = [slot.state for slot in slots]
    if SlotState.ALTERED in states or SlotState.OTHER in states or shown < _WHOLE:
        return ClipMatch.ALTERED
    in_order = all(one.signed_end <= two.signed_start + 1 for one, two in itertools.pairwise(spans))
    if SlotState.MISSING in states or len(spans) > 1 or not in_order:
        return ClipMatch.PART
    return ClipMatch.SAME


def _nothing_found(digest: ClipDigest, copy: ClipSamples, aligned: Alignment | None) -> Evidence:
    plain = aligned is None or float(aligned.scores.max(initial=-1)) == 0
    if plain:
        reason = "what the file shows is too little or too plain to tell clips apart"
        return Evidence(claim=CLAIM, channel="digest", outcome=Outcome.INCONCLUSIVE, reason=reason)
    reading = ClipReading(
        match=ClipMatch.OTHER,
        spans=(),
        slots=(),
        slot_seconds=digest.slot_seconds,
        seconds=copy.seconds,
        shown_fraction=0.0,
        kept=(0.0, 0.0, 1.0, 1.0) if aligned is None else aligned.placement.kept,
    )
    reason = "no second of this file is of the signed clip"
    return Evidence(claim=CLAIM, channel="digest", outcome=Outcome.CONTRADICTS, reason=reason, detail=reading)


def _half_colour(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours as coarse as the digest has them."""
    rows, columns = lab.shape[1:3]
    even = np.pad(lab[..., 1:], ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    half = even.reshape(len(lab), even.shape[1] // 2, 2, even.shape[2] // 2, 2, 2).mean(axis=(2, 4))
    colours = half.repeat(2, axis=1).repeat(2, axis=2)[:, :rows, :columns]
    return np.asarray(np.concatenate([lab[..., :1], colours], axis=-1), np.float32)


def _steps(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, columns): the largest step to a neighbour."""
    largest = np.zeros(lab.shape[:2], np.float32)
    across = np.abs(np.diff(lab, axis=1)).sum(axis=-1)
    down = np.abs(np.diff(lab, axis=0)).sum(axis=-1)
    for part, step in (
        (largest[:, 1:], across),
        (largest[:, :-1], across),
        (largest[1:], down),
        (largest[:-1], down),
    ):
        np.maximum(part, step, out=part)
    return largest


def _motion(signed: NDArray[np.float32]) -> NDArray[np.float32]:
    """(slots, rows, columns): the larger step to the slot before and after."""
    step = np.abs(np.diff(signed, axis=0)).sum(axis=-1)
    nothing = np.zeros_like(signed[:1, ..., 0])
    return np.asarray(
        np.maximum(np.concatenate([nothing, step]), np.concatenate([step, nothing])), np.float32
    )


def _neighbours(over: NDArray[np.bool_]) -> NDArray[np.int64]:
    rows, columns = over.shape
    padded = np.pad(over, 1).astype(int)
    around = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.asarray(np.sum(around, axis=0) - over)


def _box(cells: NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    if not cells.any():
        return None
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    height, width = cells.shape
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )
