"""Write and read marks. Loading this file loads neither numpy nor OpenCV; using it does.

The mark is a random content id of 64 bits, or of 128 where the key says so. Where the picture came from is
said by the signed manifest that the id leads to, and only if the content digest in that manifest matches
the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from provenance.errors import InputError, missing_extra
from provenance.evidence import Evidence, Outcome
from provenance.watermark.key import WatermarkKey
from provenance.watermark.telling import CLAIM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provenance.media import Frames

__all__ = [
    "ALGORITHM",
    "Effort",
    "Geometry",
    "Marked",
    "WatermarkKey",
    "WatermarkReading",
    "detect",
    "embed",
    "minimum_size",
    "new_content_id",
]

ALGORITHM = "org.mediaguard.tile.1"
"""Our own name; not (yet) on the C2PA soft binding algorithm list, and described as unregistered."""
PAYLOAD_BYTES = 8
FLOOR_DB = 40.0
TARGET_DB = 42.0
_MINIMUM_SIDE = 256
"""Below this the tile repeats too finely to outlive a resize (measured: design floor 256 px)."""

_MOST_STRETCHED = 14
"""Up to this many times as long as wide all of 40 strips of photographs were marked (4000 and 9000 pixels
long); from 16 times on most were refused: the tile grows with the area, and little of one fits across."""

Matrix = tuple[tuple[float, float], tuple[float, float]]


class Effort(StrEnum):
    """How far ``detect`` searches before it says that nothing is there."""

    QUICK = "quick"
    """Upright, mirrored and quarter-turned copies at any scale and crop."""
    NORMAL = "normal"
    """Also any rotation, and uneven scaling up to ±34 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where the tile lies in the found copy.

    A pixel of the copy at ``x = (column, row)``, counted from the centre of the top-left pixel, lies
    at ``t = matrix @ x + offset`` in the tile's plane. In the released picture, ``width`` by
    ``height`` pixels, the pixel X lies at ``t = X / s`` with
    ``s = spread * sqrt(width * height) / 512`` for one of the ``spreads``. As the tile repeats,
    ``t`` is known modulo ``period`` only: rotation, mirror image and scale are exact, a crop is known
    up to whole tiles (``provenance.digest_compare`` finds which).

    Attributes:
        matrix: tile coordinates per pixel of the copy; negative determinant for a mirror image.
        offset: tile coordinates of the copy's top-left pixel, each in [0, period).
        period: side of the tile in tile coordinates.
        spreads: sizes at which tiles are laid; the copy alone cannot say which one it was.
    """

    matrix: Matrix
    offset: tuple[float, float]
    period: float = 128.0
    spreads: tuple[float, ...] = (1.0, 1.6, 0.31)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkReading:
    """What the decoder saw at its best hypothesis.

    Attributes:
        algorithm: always ``ALGORITHM`` here.
        key_id: key under which it was read.
        epoch: epoch of that key.
        payload: 8 or 16 bytes; None unless the CRC passed.
        crc_ok: the CRC-28 over the payload passed.
        statistic: matched filter over lines that neither payload nor synchronisation use, in
            standard deviations of the same sum under a random key.
        log10_p: bound on the probability of such a statistic without a mark, after Bonferroni over
            hypotheses and keys; at most 0.
        hypotheses: geometries that were followed to a decode, over all keys.
        geometry: where the tile lies; None when nothing was found.
    """

    algorithm: str
    key_id: str
    epoch: int
    payload: bytes | None
    crc_ok: bool
    statistic: float
    log10_p: float
    hypotheses: int
    geometry: Geometry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A marked picture, decoded back from its final, rounded pixels.

    Attributes:
        frames: the marked pixels; depth, alpha and profile as they came.
        payload: the bytes embedded.
        psnr: dB over all channels of the pixels that are not fully transparent, after rounding.
        strength: gain on the visibility mask, in its units.
        attempts: strengths tried.
        evidence: what the blind decoder reads in ``frames``.
        private_layer: whether the private layer was written and read back; None where none was asked for.
    """

    frames: Frames
    payload: bytes
    psnr: float
    strength: float
    attempts: int
    evidence: Evidence
    private_layer: bool | None = None


def minimum_size() -> int:
    """Shorter side in pixels below which marks are neither written nor looked for."""
    return _MINIMUM_SIDE


def why_narrow(width: int, height: int) -> str:
    """What to add where a picture cannot carry a mark and its shape is why; else nothing."""
    if max(width, height) <= _MOST_STRETCHED * min(width, height):
        return ""
    return f": it is more than {_MOST_STRETCHED} times as long as wide, and a mark finds little room across"


def new_content_id(random: Callable[[int], bytes]) -> bytes:
    """A fresh 64-bit content id; ``random(n)`` returns n unpredictable bytes."""
    return random(PAYLOAD_BYTES)


def embed(
    frames: Frames,
    payload: bytes,
    key: WatermarkKey,
    *,
    floor_db: float = FLOOR_DB,
    target_db: float = TARGET_DB,
) -> Marked:
    """Mark a picture with the least strength that still decodes after a simulated JPEG-50.

    Starts at ``target_db`` and goes down to ``floor_db`` (PSNR) where the picture needs it.

    Args:
        frames: one frame, at least ``minimum_size()`` on its shorter side.
        payload: 8 or 16 bytes, one of ``key.payload_sizes``; 16 need about 2.4 dB more in the copy.
        key: the locator key.
        floor_db: PSNR that is never gone below.
        target_db: PSNR to start at; at least ``floor_db``.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when the picture cannot carry the mark at the
            floor (too small, flat, saturated); ``watermark.clip`` for more than one frame;
            ``watermark.payload-size`` for a payload that no reader with this key would look for.
        ConfigurationError: ``extra.missing`` without OpenCV or scipy.
    """
    _require_markable(frames, payload, key, floor_db, target_db)
    _require_libraries()
    from provenance.watermark.embedding import embed_picture  # noqa: PLC0415 - numpy, scipy, OpenCV

    return embed_picture(frames, payload, key, floor_db=floor_db, target_db=target_db)


def _require_markable(
    frames: Frames, payload: bytes, key: WatermarkKey, floor_db: float, target_db: float
) -> None:
    if len(payload) not in key.payload_sizes:
        sizes = " or ".join(map(str, key.payload_sizes))
        raise InputError(
            "watermark.payload-size",
            f"marks of this key carry {sizes} bytes, not {len(payload)}",
            hint="take an id of that size, or a key made for this one",
        )
    if not 0 < floor_db <= target_db:
        raise ValueError("target_db must be at least floor_db")
    if len(frames.pixels) > 1:
        raise InputError("watermark.clip", "marks go into single pictures; this has several frames")
    if _too_small(frames):
        raise InputError(
            "watermark.capacity-exceeded",
            f"{frames.width}x{frames.height} is too small for a mark (shorter side {_MINIMUM_SIDE})",
            hint=f"enlarge it to {_MINIMUM_SIDE} pixels or more on its shorter side",
        )


def detect(frames: Frames, keys: Sequence[WatermarkKey], *, effort: Effort = Effort.NORMAL) -> Evidence:
    """Look for a mark of one of ``keys``.

    SUPPORTS: the CRC passed and so did the statistic's gate. ABSENT: neither did. INCONCLUSIVE: one
    of them did. NOT_CHECKED: no key, too small, or a clip.

    Raises:
        ConfigurationError: ``extra.missing`` without OpenCV or scipy.
    """
    reason = _cannot_look(frames, keys)
    if reason:
        return Evidence(claim=CLAIM, channel="watermark", outcome=Outcome.NOT_CHECKED, reason=reason)
    _require_libraries()
    from provenance.watermark.detection import detect_picture  # noqa: PLC0415 - numpy, scipy, OpenCV

    return detect_picture(frames, keys, effort)


def _cannot_look(frames: Frames, keys: Sequence[WatermarkKey]) -> str | None:
    if not keys:
        return "no locator key was given"
    if len(frames.pixels) > 1:
        return "marks are read from single pictures; this has several frames"
    if min(frames.width, frames.height) < _SMALLEST_COPY:
        return f"{frames.width}x{frames.height} is too small to look for a mark"
    return None


_SMALLEST_COPY = 96
"""A copy may be smaller than the picture that was marked; below this no payload was ever read."""


def _too_small(frames: Frames) -> bool:
    return min(frames.width, frames.height) < _MINIMUM_SIDE


def _require_libraries() -> None:
    """Say which extra is missing before any codec file is imported.

    Raises:
        ConfigurationError: ``extra.missing``.
    """
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("cv2") is None or find_spec("scipy") is None:
        raise missing_extra("watermark", "the watermark")
