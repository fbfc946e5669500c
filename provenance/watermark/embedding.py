"""Marking: the least strength that outlives a simulated JPEG-50, never below the quality floor.

Everything is weighed on the picture's luma, large pictures reduced, as the reader will meet them. Two
spreads of the tile are compared first, by what is left of each at half size and JPEG-50. Texture carries
the fine one better; flat art, where the quantiser wipes fine structure out, the coarse one (measured on
flat art at 41 dB: Eb/N0 8.0 against 1.5 dB after crop, half size and JPEG-50 together).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome
from provenance.watermark.applying import add_change, psnr
from provenance.watermark.decoding import clearness, lines_in
from provenance.watermark.detection import detect_picture
from provenance.watermark.fine_tile import ENERGY, FineTile, carries_fine_tile
from provenance.watermark.folding import tile_spectrum
from provenance.watermark.front_end import reduced, whiten
from provenance.watermark.interface import Effort, Marked, WatermarkReading, why_narrow
from provenance.watermark.layout import layout_of
from provenance.watermark.search import SPREADS
from provenance.watermark.tile import data_signs, lay, pixels_per_sample, tile_of, visibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Frames
    from provenance.watermark.front_end import Luma
    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.layout import Layout

_STEP_DB, _JUMP_DB = 0.3, 0.7
"""Between strengths tried, at least, and where nothing says how much is missing."""
_ENOUGH_DB = 4.0
"""Eb/N0 wanted after JPEG-50: the code decodes 99 of 100 at 0.5 dB, the rest is margin."""
_LEAST_DB = 1.5
"""At the floor this much is accepted, and below it the picture cannot carry a mark."""
_ENOUGH_HALF_DB = 5.0
"""Eb/N0 aimed at after half size and JPEG-50, so that a crop on top of both still decodes. JPEG-50 alone
leaves more then: 7 dB at least, on 22 pictures."""
_GAIN_PER_DB = 1.6
"""Clearness gained for each dB of quality given up, near the quantiser's dead zone (measured 1.2-1.8)."""
_PREFER_FINE_DB = 2.0
"""The coarse tile shows more on flat ground: it must be this much clearer to be chosen."""
_FINE_ENOUGH = 0.8
"""Where half size leaves neither spread readable, full size decides. From so many pixels to a sample on, the
fine tile outlived JPEG-50 better on all five such pictures of 22; in smaller ones both are tried."""
_JPEG_QUALITY = 50
_CLOSE_DB, _ROUNDS = 0.05, 4
"""How near the quality asked for is met, and how often that is tried before only the floor counts."""
_MOST_CLIPPED = 1.3
"""How much stronger than planned the pattern may become to make up for clipped pixels. White paper takes the
dark half only (1.41): the mark would still be read, and be seen as dirt. 1.3 is 82 % of white."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Job:
    """One picture at one spread, strength still open.

    Attributes:
        luma: (h, w) of the picture as it is weighed.
        pattern: (h, w) tile × visibility, in 8-bit steps at strength 1.
        rms: of the whole change where the picture shows, at strength 1.
        fine: the tile for small pieces; None in pictures that are small themselves.
        matrix: (2, 2) from pixels of ``luma`` to tile samples.
        offset: (2,) tile samples at the middle of the first pixel of ``luma``.
        layout: of the key.
        signs: what the data lines carry.
        size: bytes of the payload.
    """

    luma: NDArray[np.float32]
    pattern: NDArray[np.float32]
    rms: float
    fine: FineTile | None
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    layout: Layout
    signs: NDArray[np.int64]
    size: int


def embed_picture(
    frames: Frames, payload: bytes, key: WatermarkKey, *, floor_db: float, target_db: float
) -> Marked:
    """Mark one picture (see ``interface.embed``).

    1. at the target quality, choose the spread  2. raise the strength until the simulated copies are
    clear, or the floor is reached  3. mark the picture itself  4. decode its final pixels blindly
    """
    # Step 1
    job, half_db = _choose(frames, payload, layout_of(key), target_db, floor_db)
    quality, attempts = target_db, 1
    # Step 2
    while step := _missing(job, frames, quality, floor_db, half_db):
        quality = max(quality - step, floor_db)
        half_db = _after_jpeg(job, quality, half=True)
        attempts += 1
    # Step 3
    marked, strength = _marked(frames, job, quality)
    # Step 4
    evidence = detect_picture(marked, [key], Effort.QUICK)
    if not _carries(evidence, payload):
        raise _exceeded(frames, floor_db)
    return Marked(
        frames=marked,
        payload=payload,
        psnr=psnr(frames, marked),
        strength=strength,
        attempts=attempts,
        evidence=evidence,
    )


def _choose(
    frames: Frames, payload: bytes, layout: Layout, target_db: float, floor_db: float
) -> tuple[_Job, float]:
    """The picture at the better spread, and its Eb/N0 after half size and JPEG-50."""
    luma = reduced(frames)
    if luma.shown is not None and not luma.shown.any():
        raise _exceeded(frames, floor_db)
    hiding = visibility(luma.plane)
    if luma.shown is not None:
        hiding = hiding * luma.shown
    tile, signs = tile_of(payload, layout), data_signs(payload, layout)
    size, fine = (frames.width, frames.height), None
    if carries_fine_tile(*size):
        fine = FineTile(tile=tile, hiding=hiding, size=size)
    jobs = [
        _job(
            luma,
            hiding,
            tile,
            pixels_per_sample(*size, spread),
            fine=fine,
            layout=layout,
            signs=signs,
            size=len(payload),
        )
        for spread in SPREADS
    ]
    half_db = clear_db = [_after_jpeg(job, target_db, half=True) for job in jobs]
    if max(half_db) < _LEAST_DB:
        if pixels_per_sample(*size, 1.0) > _FINE_ENOUGH:
            return jobs[0], half_db[0]
        clear_db = [_after_jpeg(job, target_db, half=False) for job in jobs]
    coarse = clear_db[1] - clear_db[0] > _PREFER_FINE_DB
    return jobs[coarse], half_db[coarse]


def _job(
    luma: Luma,
    hiding: NDArray[np.float32],
    tile: NDArray[np.float32],
    scale: float,
    *,
    fine: FineTile | None,
    layout: Layout,
    signs: NDArray[np.int64],
    size: int,
) -> _Job:
    height, width = luma.plane.shape
    pattern = hiding * lay(tile, width, height, scale, reduction=luma.reduction)
    shown = 1.0 if luma.shown is None else float(luma.shown.mean())
    rms = float(np.sqrt(np.mean(pattern * pattern) / shown))
    if fine is not None:  # both tiles have the same energy at the same strength
        pattern *= np.float32(np.sqrt(1 - ENERGY))
    return _Job(
        luma=luma.plane,
        pattern=pattern,
        rms=max(rms, 1e-9),
        fine=fine,
        matrix=np.diag(1 / (scale * np.array(luma.reduction))),
        offset=(0.5 / np.array(luma.reduction) - 0.5) / scale,
        layout=layout,
        signs=signs,
        size=size,
    )


def _strength(job: _Job, quality: float, depth: int = 8) -> float:
    """What takes the picture to ``quality`` dB if nothing is clipped."""
    rounding = 1 / 12 if depth == 8 else 0.0
    return float(np.sqrt(max(255.0**2 * 10 ** (-quality / 10) - rounding, 0.0))) / job.rms


def _missing(job: _Job, frames: Frames, quality: float, floor_db: float, half_db: float) -> float:
    """Quality in dB to give up next; 0 where half size and JPEG-50 leave it clear, or JPEG-50 does and half
    size is out of reach.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when there is no room left and too little came through.
    """
    missing, room_db = _ENOUGH_HALF_DB - half_db, quality - floor_db
    if missing <= 0:
        return 0.0  # full size is clearer by far
    if 0 < missing <= _GAIN_PER_DB * room_db:
        return max(missing / _GAIN_PER_DB, _STEP_DB)
    after = _after_jpeg(job, quality, half=False)
    if room_db <= 0 and after < _LEAST_DB:
        raise _exceeded(frames, quality)
    return _JUMP_DB if room_db > 0 and after < _ENOUGH_DB else 0.0


def _after_jpeg(job: _Job, quality: float, *, half: bool) -> float:
    """Eb/N0 in dB after JPEG-50, at full or half size. The geometry is known: nothing is searched."""
    luma = job.luma + job.pattern * np.float32(_strength(job, quality))
    height, width = luma.shape
    if half:
        luma = cv2.resize(luma, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    pixels = cv2.add(luma, 0, dtype=cv2.CV_8U)  # rounds and clips
    _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    copy = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32)
    plane = whiten(copy).plane
    smaller = np.array([width / plane.shape[1], height / plane.shape[0]])
    x, y = job.offset + job.matrix @ (smaller / 2 - 0.5)  # pixels are counted from their centres
    spectrum = tile_spectrum(plane, job.matrix * smaller)
    lines = lines_in(spectrum, job.layout, offset=(float(x), float(y)))
    return clearness(lines, job.layout, job.signs, job.size)


def _marked(frames: Frames, job: _Job, quality: float) -> tuple[Frames, float]:
    """The picture with the pattern so strong that, rounded and clipped, it has ``quality`` dB, at least.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when too much of it is clipped.
    """
    planned = strength = _strength(job, quality, frames.depth)
    steps = np.float32(1 if frames.depth == 8 else 257)
    for rounds in count():
        marked = _changed(frames, job, steps * np.float32(strength))
        reached = psnr(frames, marked)
        if reached >= quality and (reached <= quality + _CLOSE_DB or rounds >= _ROUNDS):
            return marked, strength
        nearer = float(10 ** ((reached - quality - _CLOSE_DB / 2) / 20))
        strength *= nearer if rounds < _ROUNDS else 0.99
        if strength > _MOST_CLIPPED * planned:
            raise _exceeded(frames, quality)
    raise AssertionError("unreachable: count() does not end")


def _changed(frames: Frames, job: _Job, strength: np.float32) -> Frames:
    if job.fine is None:
        return add_change(frames, job.pattern * strength)
    rows, share = job.fine.rows, strength * np.float32(np.sqrt(ENERGY))
    return add_change(frames, job.pattern * strength, lambda start, count: rows(start, count) * share)


def _carries(evidence: Evidence, payload: bytes) -> bool:
    reading = evidence.detail
    return (
        evidence.outcome is Outcome.SUPPORTS
        and isinstance(reading, WatermarkReading)
        and reading.payload == payload
    )


def _exceeded(frames: Frames, floor_db: float) -> InputError:
    return InputError(
        "watermark.capacity-exceeded",
        f"this {frames.width}x{frames.height} picture cannot carry a mark at {floor_db:.1f} dB"
        + why_narrow(frames.width, frames.height),
        hint="enlarge it, or let the policy release it without a mark",
    )
