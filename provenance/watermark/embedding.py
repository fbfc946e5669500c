"""Marking: the least strength that outlives a simulated JPEG-50, never below the quality floor.

Two spreads of the tile are weighed first, by what is left of each at half size and JPEG-50. Texture
carries the fine one better; flat art, where the quantiser wipes fine structure out, the coarse one
(measured on flat art at 41 dB: Eb/N0 8.0 against 1.5 dB after crop, half size and JPEG-50 together).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome
from provenance.watermark.decoding import clearness, read_lines
from provenance.watermark.detection import detect_picture
from provenance.watermark.front_end import luma_of, whiten
from provenance.watermark.interface import Effort, Marked, WatermarkReading
from provenance.watermark.layout import layout_of
from provenance.watermark.search import SPREADS
from provenance.watermark.tile import data_signs, lay, pixels_per_sample, tile_of, visibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.media import Frames
    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.layout import Layout

_STEP_DB = 0.7
"""Between strengths tried."""
_ENOUGH_DB = 5.0
"""Eb/N0 wanted after JPEG-50: the code decodes 99 of 100 at 2 dB, the rest is margin."""
_LEAST_DB = 3.0
"""At the floor this much is accepted, and below it the picture cannot carry a mark."""
_ENOUGH_HALF_DB = 6.0
"""Eb/N0 aimed at after half size and JPEG-50, so that a crop on top of both still decodes."""
_GAIN_PER_DB = 1.6
"""Clearness gained for each dB of quality given up, near the quantiser's dead zone (measured 1.2-1.8)."""
_PREFER_FINE_DB = 2.0
"""The coarse tile shows more on flat ground: it must be this much clearer to be chosen."""
_JPEG_QUALITY = 50
_CLOSE_DB, _ROUNDS = 0.05, 4
"""How near the quality asked for is met, and how often that is tried before only the floor counts."""
_MOST_CLIPPED = 1.3
"""How much stronger than planned the pattern may become to make up for clipped pixels. White paper takes the
dark half only (1.41): the mark would still be read, and be seen as dirt. 1.3 is 82 % of white."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Job:
    """One picture at one spread, strength still open."""

    frames: Frames
    pattern: NDArray[np.float32]  # (H, W): tile × visibility, in 8-bit steps at strength 1
    shown: NDArray[np.bool_] | None  # where alpha > 0; None for everywhere
    layout: Layout
    signs: NDArray[np.int64]
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Try:
    """One picture marked at one strength."""

    frames: Frames
    strength: float
    psnr: float
    half_db: float  # Eb/N0 after half size and JPEG-50


def embed_picture(
    frames: Frames, payload: bytes, key: WatermarkKey, *, floor_db: float, target_db: float
) -> Marked:
    """Mark one picture (see ``interface.embed``).

    1. at the target quality, choose the spread  2. raise the strength until the simulated copies are
    clear, or the floor is reached  3. decode the final pixels blindly
    """
    layout = layout_of(key)
    # Step 1
    job, made = _choose(frames, payload, layout, target_db)
    quality, attempts = target_db, 1
    # Step 2
    while not _clear(job, made, room_db=quality - floor_db):
        quality = max(quality - _STEP_DB, floor_db)
        made = _mark(job, quality)
        attempts += 1
    # Step 3
    evidence = detect_picture(made.frames, [key], Effort.QUICK)
    if not _carries(evidence, payload):
        raise _exceeded(frames, floor_db)
    return Marked(
        frames=made.frames,
        payload=payload,
        psnr=made.psnr,
        strength=made.strength,
        attempts=attempts,
        evidence=evidence,
    )


def _choose(frames: Frames, payload: bytes, layout: Layout, quality: float) -> tuple[_Job, _Try]:
    luma = luma_of(frames)
    shown = None if frames.alpha is None else frames.alpha[0] > 0
    if shown is not None and not shown.any():
        raise _exceeded(frames, quality)
    hiding = visibility(luma)
    if shown is not None:
        hiding = hiding * shown
    tile, signs = tile_of(payload, layout), data_signs(payload, layout)
    tried = []
    for spread in SPREADS:
        scale = pixels_per_sample(frames.width, frames.height, spread)
        pattern = hiding * lay(tile, frames.width, frames.height, scale)
        job = _Job(frames=frames, pattern=pattern, shown=shown, layout=layout, signs=signs, spread=spread)
        made = _mark(job, quality)
        tried.append((made.half_db - _PREFER_FINE_DB * (spread > 1), job, made))
    _, job, made = max(tried, key=lambda item: item[0])
    return job, made


def _mark(job: _Job, quality: float) -> _Try:
    """Add the pattern so strongly that the rounded picture has ``quality`` dB, at least.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when too much of it is clipped.
    """
    peak = 255.0 if job.frames.depth == 8 else 65535.0
    pattern = job.pattern * np.float32(peak / 255.0)
    wanted = peak * 10 ** (-quality / 20)
    shown_share = 1.0 if job.shown is None else float(job.shown.mean())
    rms = float(np.sqrt(np.mean(pattern * pattern) / shown_share))
    planned = strength = float(np.sqrt(max(wanted**2 - 1 / 12, 0.0))) / max(rms, 1e-9)  # rounding adds 1/12
    for rounds in count():
        frames = add_change(job.frames, pattern * np.float32(strength))
        psnr = _psnr(job, frames, peak)
        if psnr >= quality and (psnr <= quality + _CLOSE_DB or rounds >= _ROUNDS):
            break
        if strength > _MOST_CLIPPED * planned:
            raise _exceeded(job.frames, quality)
        nearer = float(10 ** ((psnr - quality - _CLOSE_DB / 2) / 20))
        strength *= nearer if rounds < _ROUNDS else 0.99
    half_db = _after_jpeg(job, frames, half=True)
    return _Try(frames=frames, strength=strength, psnr=psnr, half_db=half_db)


def add_change(frames: Frames, change: NDArray[np.float32]) -> Frames:
    """The picture with (H, W) ``change`` on every channel, rounded and clipped to its depth."""
    pixels = frames.pixels[0]
    depth = cv2.CV_8U if frames.depth == 8 else cv2.CV_16U
    channels = cv2.merge([change] * pixels.shape[-1])
    marked = cv2.add(pixels, channels.reshape(pixels.shape), dtype=depth)
    return replace(frames, pixels=np.asarray(marked).reshape(1, *pixels.shape))


def _psnr(job: _Job, frames: Frames, peak: float) -> float:
    before, after = job.frames.pixels[0], frames.pixels[0]
    mask = None if job.shown is None else job.shown.astype(np.uint8)
    squared = cv2.norm(before, after, cv2.NORM_L2SQR, mask)
    counted = before.shape[-1] * (before[..., 0].size if job.shown is None else int(job.shown.sum()))
    return float(20 * np.log10(peak) - 10 * np.log10(max(squared / counted, 1e-9)))


def _clear(job: _Job, made: _Try, *, room_db: float) -> bool:
    """JPEG-50 leaves it clear, and half size too unless that is out of reach.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when there is no room left and too little came through.
    """
    after = _after_jpeg(job, made.frames, half=False)
    if room_db <= 0 and after < _LEAST_DB:
        raise _exceeded(job.frames, made.psnr)
    if room_db <= 0:
        return True
    if after < _ENOUGH_DB:
        return False
    missing = _ENOUGH_HALF_DB - made.half_db
    return missing <= 0 or missing > _GAIN_PER_DB * room_db


def _after_jpeg(job: _Job, frames: Frames, *, half: bool) -> float:
    """Eb/N0 in dB after JPEG-50, at full or half size. The geometry is known: nothing is searched."""
    luma = luma_of(frames)
    height, width = luma.shape
    if half:
        luma = cv2.resize(luma, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, coded = cv2.imencode(".jpg", np.rint(luma).astype(np.uint8), flags)
    copy = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32)
    plane = whiten(copy).plane
    scale = pixels_per_sample(width, height, job.spread)
    matrix = np.diag([width / plane.shape[1], height / plane.shape[0]]) / scale
    return clearness(read_lines(plane, matrix, job.layout), job.layout, job.signs)


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
        f"this {frames.width}x{frames.height} picture cannot carry a mark at {floor_db:.1f} dB",
        hint="enlarge it, or let the policy release it without a mark",
    )
