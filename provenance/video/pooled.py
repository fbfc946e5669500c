"""Reading a clip's mark: many frames pooled into one plane, which is then read as a picture's is.

The tile lies still while the picture moves and compression errors change, so whitened frames add up to
the tile. Looks are taken after 1, 6, 16 and 40 frames, and every look is one more chance to be wrong: the
p-value counts the hypotheses of all of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.evidence import Evidence, Outcome
from provenance.video.pooled_marking import CLIP_DB, CLIP_SPREAD, ClipMarker
from provenance.watermark.detection import read
from provenance.watermark.front_end import Whitened, whiten
from provenance.watermark.interface import CLAIM, Effort
from provenance.watermark.statistic import GATE_LOG10_P, TRACE_LOG10_P, log10_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provenance.watermark.interface import WatermarkReading
    from provenance.watermark.key import WatermarkKey

__all__ = ["CLIP_DB", "CLIP_SPREAD", "ClipMarker", "PooledDetector"]

_SIDE = 400
"""Geometric mean of the plane's sides: the coarse tile has no lines beyond a third of what that holds."""
_LOOKS = (1, 6, 16)
_WINDOW = 40
"""Frames pooled before the next window begins."""
_WINDOWS = 12
"""Windows looked at; after that the clip counts as read."""
_SMALLEST = 96
"""Shorter side below which no payload was ever read."""


class PooledDetector:
    """Reads the frames of a copy, in order, until a mark is found or enough was seen.

    Args:
        keys: locator keys to look for.
        size: (width, height) of all frames, in pixels.
    """

    def __init__(self, keys: Sequence[WatermarkKey], size: tuple[int, int]) -> None:
        self._keys = tuple(keys)
        self._size = size
        factor = min(1.0, _SIDE / float(np.sqrt(size[0] * size[1])))
        self._small = (max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))
        self._pool = np.zeros(self._small[::-1], np.float32)
        self._seen = 0
        self._windows = 0
        self._hypotheses = 0
        self._best: WatermarkReading | None = None

    @property
    def decided(self) -> bool:
        """True when further frames change nothing: a mark was read, or enough was looked at."""
        cannot = not self._keys or min(self._size) < _SMALLEST
        return cannot or self._found() or self._windows >= _WINDOWS

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:  # noqa: ARG002 - part of the interface
        """Look at the next frame; costs nothing once ``decided``."""
        if self.decided:
            return
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        luma = cv2.resize(gray, self._small, interpolation=cv2.INTER_AREA)
        self._pool += whiten(luma).plane
        self._seen += 1
        if self._seen in _LOOKS:
            self._look(Effort.QUICK)
        elif self._seen == _WINDOW:
            self._look(Effort.NORMAL)
            self._pool[:] = 0
            self._seen = 0
            self._windows += 1

    def result(self) -> Evidence:
        """What was found; same outcomes and gates as for a picture (``interface.detect``)."""
        reason = self._cannot_look()
        if reason:
            return Evidence(claim=CLAIM, channel="watermark", outcome=Outcome.NOT_CHECKED, reason=reason)
        if not self.decided and self._seen:
            self._look(Effort.NORMAL)
        reading = self._best
        if reading is None:
            reason = "the clip has no frames to look at"
            return Evidence(claim=CLAIM, channel="watermark", outcome=Outcome.NOT_CHECKED, reason=reason)
        outcome, reason = _judge(reading)
        return Evidence(claim=CLAIM, channel="watermark", outcome=outcome, reason=reason, detail=reading)

    def _cannot_look(self) -> str | None:
        if not self._keys:
            return "no locator key was given"
        if min(self._size) < _SMALLEST:
            return f"{self._size[0]}x{self._size[1]} is too small to look for a mark"
        return None

    def _look(self, effort: Effort) -> None:
        reduction = (self._small[0] / self._size[0], self._small[1] / self._size[1])
        plane = np.asarray(self._pool / self._seen, np.float32)
        whitened = Whitened(plane=plane, reduction=reduction)
        reading = read(whitened, self._keys, effort)
        self._hypotheses += reading.hypotheses
        if self._best is None or _rank(reading) > _rank(self._best):
            self._best = reading
        p = log10_p(self._best.statistic, self._hypotheses)
        self._best = replace(self._best, hypotheses=self._hypotheses, log10_p=p)

    def _found(self) -> bool:
        return self._best is not None and self._best.crc_ok and self._best.log10_p <= GATE_LOG10_P


def _rank(reading: WatermarkReading) -> tuple[bool, float]:
    return reading.crc_ok, reading.statistic


def _judge(reading: WatermarkReading) -> tuple[Outcome, str | None]:
    if reading.crc_ok and reading.log10_p <= GATE_LOG10_P:
        return Outcome.SUPPORTS, None
    if reading.log10_p <= TRACE_LOG10_P:
        return Outcome.INCONCLUSIVE, "a mark of this key seems to be there, but its payload cannot be read"
    return Outcome.ABSENT, None
