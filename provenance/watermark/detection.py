"""Blind detection: candidates, cheapest first, until one decodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provenance.evidence import Evidence, Outcome
from provenance.watermark import synchronisation as sync
from provenance.watermark.decoding import payload_of, read_lines, statistic_of
from provenance.watermark.front_end import luma_of, whiten
from provenance.watermark.interface import ALGORITHM, CLAIM, Effort, Geometry, WatermarkReading
from provenance.watermark.layout import T, layout_of
from provenance.watermark.spectrum import spectrum_of
from provenance.watermark.statistic import GATE_LOG10_P, TRACE_LOG10_P, log10_p, needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from provenance.media import Frames
    from provenance.watermark.front_end import Whitened
    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.layout import Layout
    from provenance.watermark.spectrum import Spectrum

SPREADS = (1.0, 1.6)
"""Sizes at which the tile is laid: fine for texture, coarse for flat art (see ``embedding``)."""


_FAINTEST = 4.5
"""Coherent score from which a candidate is followed: half of all wrong ones end below 5.0, every copy
whose payload could be read lay above 6 (24 pictures × 5 attacks)."""
_COARSE_GRID = 48
"""Offsets tried to a side while ranking: the pilots reach 22 cycles, so 45 are enough."""
_SIEVE = 320
"""Candidates of a stage that are judged coherently."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The best of the hypotheses followed so far.

    Attributes:
        key: it was read with.
        z: its statistic.
        payload: 8 bytes when the CRC passed.
        matrix: from plane pixels to tile coordinates.
        offset: tile coordinates of the plane's origin.
    """

    key: WatermarkKey
    z: float
    payload: bytes | None
    matrix: NDArray[np.float64]
    offset: tuple[float, float]


def detect_picture(frames: Frames, keys: Sequence[WatermarkKey], effort: Effort) -> Evidence:
    """Look for a mark of one of ``keys`` in one picture (see ``interface.detect``)."""
    whitened = whiten(luma_of(frames))
    reading = read(whitened, keys, effort)
    outcome, reason = _judge(reading)
    return Evidence(claim=CLAIM, channel="watermark", outcome=outcome, reason=reason, detail=reading)


def read(whitened: Whitened, keys: Sequence[WatermarkKey], effort: Effort) -> WatermarkReading:
    """The best reading over all keys, stages and hypotheses; stops at the first accepted one."""
    height, width = whitened.plane.shape
    spectrum = spectrum_of(whitened.plane, sync.highest((width, height)))
    best: Found | None = None
    followed = 0
    for stage in range(2 if effort is Effort.QUICK else 5):
        for key in keys:
            layout = layout_of(key)
            for matrix in _candidates(stage, spectrum, layout, (width, height)):
                followed += 1
                found = _follow(whitened.plane, matrix, key, layout, needed(GATE_LOG10_P, followed))
                if best is None or _rank(found) > _rank(best):
                    best = found
                if found.payload is not None:
                    return _reading(found, followed, whitened)
    return _nothing(keys[0]) if best is None else _reading(best, followed, whitened)


def _candidates(
    stage: int, spectrum: Spectrum, layout: Layout, size: tuple[int, int]
) -> Iterator[NDArray[np.float64]]:
    """Refined frequency matrices of one stage, the most promising first."""
    if stage == 0:
        matrices, keep = sync.suggested(size, SPREADS), 3
    elif stage == 1:
        matrices, keep = sync.upright(size, tight=spectrum.longest > 640), 4
    elif stage == 2:
        matrices, keep = sync.rotations(spectrum, layout, size, keep=160), 5
    elif stage == 3:
        matrices, keep = sync.tilted(size, max(SPREADS)), 3
    else:
        matrices, keep = sync.uneven(size), 3
    if stage != 3:  # there power says too little
        matrices = sync.promising(spectrum, layout, matrices, keep=_SIEVE)
    scores = sync.coherent(spectrum, layout, matrices, grid=T if stage == 0 else _COARSE_GRID)
    taken: list[NDArray[np.float64]] = []
    for index in np.argsort(-scores):
        matrix = matrices[index]
        if any(np.abs(matrix - other).max() < 0.012 * np.abs(matrix).max() for other in taken):
            continue
        taken.append(matrix)
        score, refined = sync.refine(spectrum, layout, matrix)
        if score >= _FAINTEST:
            yield refined
        if len(taken) == keep:
            return


def _follow(
    plane: NDArray[np.float32],
    frequency: NDArray[np.float64],
    key: WatermarkKey,
    layout: Layout,
    threshold: float,
) -> Found:
    lines = read_lines(plane, frequency.T, layout)
    z = statistic_of(lines, layout)
    found = Found(key=key, z=z, payload=None, matrix=frequency.T, offset=lines.offset)
    if z < threshold:
        return found  # whatever the CRC says would not be believed
    payload, passed = payload_of(lines, layout)
    return replace(found, payload=payload) if passed else found


def _rank(found: Found) -> tuple[bool, float]:
    return found.payload is not None, found.z


def _reading(found: Found, followed: int, whitened: Whitened) -> WatermarkReading:
    p = log10_p(found.z, followed)
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


def _nothing(key: WatermarkKey) -> WatermarkReading:
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
    return Geometry(
        matrix=((a, b), (c, d)), offset=(float(offset[0]), float(offset[1])), period=float(T), spreads=SPREADS
    )


def _judge(reading: WatermarkReading) -> tuple[Outcome, str | None]:
    if reading.crc_ok and reading.log10_p <= GATE_LOG10_P:
        return Outcome.SUPPORTS, None
    if reading.log10_p <= TRACE_LOG10_P:
        return Outcome.INCONCLUSIVE, "a mark of this key seems to be there, but its payload cannot be read"
    return Outcome.ABSENT, None
