"""Blind detection: candidates, cheapest first, until one decodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provenance.evidence import Evidence, Outcome
from provenance.watermark.decoding import log10_tail_of, payload_of, statistic_of
from provenance.watermark.fine_tile import FINE_SPREAD
from provenance.watermark.front_end import whiten_picture
from provenance.watermark.interface import ALGORITHM, Effort, Geometry, WatermarkReading
from provenance.watermark.layout import T, layout_of
from provenance.watermark.search import QUICK_STAGES, SPREADS, STAGES, Search
from provenance.watermark.statistic import GATE_LOG10_P, TRACE_LOG10_P, corrected
from provenance.watermark.telling import CLAIM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provenance.media import Frames
    from provenance.watermark.front_end import Whitened
    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.layout import Layout
    from provenance.watermark.search import Candidate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The best of the hypotheses followed so far.

    Attributes:
        key: it was read with.
        z: its statistic.
        log10_tail: log10 of the probability of such a statistic under a random key.
        payload: 8 bytes when the CRC passed.
        matrix: from plane pixels to tile coordinates.
        offset: tile coordinates of the plane's origin.
    """

    key: WatermarkKey
    z: float
    log10_tail: float
    payload: bytes | None
    matrix: NDArray[np.float64]
    offset: tuple[float, float]


def detect_picture(frames: Frames, keys: Sequence[WatermarkKey], effort: Effort) -> Evidence:
    """Look for a mark of one of ``keys`` in one picture (see ``interface.detect``)."""
    reading = read(whiten_picture(frames), keys, effort)
    outcome, reason = judge(reading)
    return Evidence(claim=CLAIM, channel="watermark", outcome=outcome, reason=reason, detail=reading)


def read(whitened: Whitened, keys: Sequence[WatermarkKey], effort: Effort) -> WatermarkReading:
    """The best reading over all keys, stages and hypotheses; stops at the first accepted one."""
    stages = QUICK_STAGES if effort is Effort.QUICK else STAGES
    return read_in(Search(whitened.plane), whitened, keys, stages)


def read_in(
    search: Search, whitened: Whitened, keys: Sequence[WatermarkKey], stages: int
) -> WatermarkReading:
    """The same in a plane that may have been searched before; what does not depend on the key is shared."""
    best: Found | None = None
    followed = 0
    for stage in range(stages):
        for key in keys:
            layout = layout_of(key)
            for candidate in search.candidates(stage, layout):
                followed += 1
                found = follow(candidate, key, layout, followed)
                if best is None or rank(found) > rank(best):
                    best = found
                if found.payload is not None:
                    return reading_of(found, followed, whitened)
    return nothing_read(keys[0]) if best is None else reading_of(best, followed, whitened)


def follow(candidate: Candidate, key: WatermarkKey, layout: Layout, followed: int) -> Found:
    """Read one hypothesis, the ``followed``-th: the statistic, and the payload where it could be believed."""
    lines = candidate.lines
    found = Found(
        key=key,
        z=statistic_of(lines, layout),
        log10_tail=log10_tail_of(lines, layout),
        payload=None,
        matrix=candidate.matrix,
        offset=lines.offset,
    )
    if corrected(found.log10_tail, followed) > GATE_LOG10_P:
        return found  # whatever the CRC says would not be believed
    payload, passed = payload_of(lines, layout, key.payload_sizes)
    return replace(found, payload=payload) if passed else found


def rank(found: Found) -> tuple[bool, float]:
    """Higher is better: a payload, then the less likely statistic."""
    return found.payload is not None, -found.log10_tail


def reading_of(found: Found, followed: int, whitened: Whitened) -> WatermarkReading:
    """The best of ``followed`` hypotheses, told in the copy's own pixels."""
    p = corrected(found.log10_tail, followed)
    told = found.payload is not None or p <= TRACE_LOG10_P
    return WatermarkReading(
        algorithm=ALGORITHM,
        key_id=found.key.key_id,
        epoch=found.key.epoch,
        payload=found.payload,
        crc_ok=found.payload is not None,
        statistic=found.z,
        log10_p=p,
        hypotheses=followed,
        geometry=_geometry(found, whitened) if told else None,
    )


def nothing_read(key: WatermarkKey) -> WatermarkReading:
    """No candidate was worth following: a picture without structure, for instance."""
    return WatermarkReading(
        algorithm=ALGORITHM,
        key_id=key.key_id,
        epoch=key.epoch,
        payload=None,
        crc_ok=False,
        statistic=0.0,
        log10_p=0.0,
        hypotheses=0,
        geometry=None,
    )


def _geometry(found: Found, whitened: Whitened) -> Geometry:
    """Undo the reduction of large copies; pixel centres of both grids lie at whole coordinates."""
    shrink = np.array(whitened.reduction)
    matrix = found.matrix * shrink[None]
    # Area reduction puts plane pixel 0 at copy pixel (1 / shrink - 1) / 2.
    offset = (np.array(found.offset) - found.matrix @ ((1 - shrink) / 2)) % T
    (a, b), (c, d) = matrix.tolist()
    spreads = (*SPREADS, FINE_SPREAD)
    return Geometry(
        matrix=((a, b), (c, d)), offset=(float(offset[0]), float(offset[1])), period=float(T), spreads=spreads
    )


def judge(reading: WatermarkReading) -> tuple[Outcome, str | None]:
    """Outcome and reason of the gates: the CRC and the statistic together."""
    if reading.crc_ok and reading.log10_p <= GATE_LOG10_P:
        return Outcome.SUPPORTS, None
    if reading.log10_p <= TRACE_LOG10_P:
        return Outcome.INCONCLUSIVE, "a mark of this key seems to be there, but its payload cannot be read"
    return Outcome.ABSENT, None
