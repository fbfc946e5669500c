"""Reading a clip's mark: many frames pooled into one plane, which is then read as a picture's is.

The tile lies still while the picture moves and compression errors change, so whitened frames add up to
the tile. Looks are taken after 1, 6, 16 and 40 frames. A look searches for geometries in the mean of all
planes, follows them, and reads the most promising ones again with frames weighted by their pilots; the best
of them is followed on through the next window of frames. Every reading is one more chance to be wrong: the
p-value counts the hypotheses of all looks, windows and keys. Pilots and data lines choose geometries,
weights and offsets; verify lines have no say in any of it, so the statistic is what it is for pictures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.evidence import Evidence, Outcome
from provenance.video.pooled_marking import CLIP_DB, CLIP_SPREAD, ClipMarker
from provenance.video.pooled_window import Window
from provenance.watermark.decoding import promise
from provenance.watermark.detection import follow, judge, nothing_read, rank, reading_of
from provenance.watermark.front_end import LONGEST_SIDE, Whitened, whiten
from provenance.watermark.layout import layout_of
from provenance.watermark.search import QUICK_STAGES, STAGES, Search
from provenance.watermark.telling import CLAIM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provenance.video.pooled_window import Track
    from provenance.watermark.detection import Found
    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.search import Candidate

__all__ = ["CLIP_DB", "CLIP_SPREAD", "ClipMarker", "PooledDetector"]

_SIDE = 400
"""Geometric mean of the plane's sides: the coarse tile has no lines beyond half of what that holds."""
_LOOKS = (1, 6, 16)
"""Frames of the first windows after which a look is taken; most clips are read at the first one."""
_WINDOW = 40
"""Frames to a window: 13 MB of planes."""
_GAPS = (0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 30.0, 120.0)
"""Seconds left out before each window: the first minute is looked at closely, the rest of an hour here and
there. After the last window the clip counts as read."""
_WEIGHED = 2
"""Geometries of a look that are read again with weights."""
_SMALLEST = 96
"""Shorter side below which no payload was ever read."""


class PooledDetector:
    """Reads the frames of a copy, in order, until a mark is found or enough was seen.

    Memory is bounded by one window of frames, time by the number of windows.

    Args:
        keys: locator keys to look for.
        size: (width, height) of all frames, in pixels.
    """

    def __init__(self, keys: Sequence[WatermarkKey], size: tuple[int, int]) -> None:
        self._keys = tuple(keys)
        self._size = size
        factor = min(1.0, _SIDE / float(np.sqrt(size[0] * size[1])), LONGEST_SIDE / max(size))
        self._small = (max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))
        self._window = Window(self._small[::-1])
        self._windows = 0
        self._resume = -np.inf
        self._followed = 0
        self._best: Found | None = None
        self._track: Track | None = None

    @property
    def decided(self) -> bool:
        """True when further frames change nothing: a mark was read, or enough was looked at."""
        return bool(self._cannot_look()) or self._found() or self._windows >= len(_GAPS)

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """Look at the next frame: (H, W, 3) uint8, shown from ``seconds`` on."""
        if self.decided or seconds < self._resume:
            return
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        luma = cv2.resize(gray, self._small, interpolation=cv2.INTER_AREA)
        self._window.add(whiten(luma).plane)
        if len(self._window) == _WINDOW:
            self._close(seconds)
        elif len(self._window) in _LOOKS and not _GAPS[self._windows]:
            self._look(QUICK_STAGES)

    def result(self) -> Evidence:
        """What was found; same outcomes and gates as for a picture (``interface.detect``)."""
        reason = self._cannot_look()
        if not reason and not self.decided and len(self._window):
            self._look(STAGES)
        if not reason and not self._windows and not len(self._window):
            reason = "the clip has no frames to look at"
        if reason:
            return Evidence(claim=CLAIM, channel="watermark", outcome=Outcome.NOT_CHECKED, reason=reason)
        reduction = (self._small[0] / self._size[0], self._small[1] / self._size[1])
        whitened = Whitened(plane=self._window.pooled, reduction=reduction)
        reading = nothing_read(self._keys[0])
        if self._best is not None:
            reading = reading_of(self._best, self._followed, whitened)
        if reading.geometry is not None:
            geometry = replace(reading.geometry, spreads=(CLIP_SPREAD,))
            reading = replace(reading, geometry=geometry)
        outcome, reason = judge(reading)
        return Evidence(claim=CLAIM, channel="watermark", outcome=outcome, reason=reason, detail=reading)

    def _cannot_look(self) -> str | None:
        if not self._keys:
            return "no locator key was given"
        if min(self._size) < _SMALLEST:
            return f"{self._size[0]}x{self._size[1]} is too small to look for a mark"
        return None

    def _found(self) -> bool:
        return self._best is not None and self._best.payload is not None

    def _close(self, seconds: float) -> None:
        """The last look at a full window; the next one begins after its gap."""
        self._look(STAGES)
        if self._found():
            return
        self._window = Window(self._small[::-1])
        self._windows += 1
        if not self.decided:
            self._resume = seconds + _GAPS[self._windows]

    def _look(self, stages: int) -> None:
        """Read the window under every geometry worth it, until a payload is found.

        1. geometries in the mean of its planes  2. what was tracked so far, read on  3. the most promising
        geometries again, frames weighted; the best of all is tracked from here on
        """
        search = Search(self._window.pooled)
        seen: list[tuple[float, WatermarkKey, Candidate]] = []
        # Step 1
        for stage in range(stages):
            for key in self._keys:
                layout = layout_of(key)
                for candidate in search.candidates(stage, layout):
                    if self._follow(key, candidate):
                        return
                    seen.append((promise(candidate.lines, layout), key, candidate))
        if len(self._window) == 1:
            return
        # Step 2
        seen.sort(key=lambda one: -one[0])
        tracks = []
        if self._track is not None:
            key, candidate = self._track.key, self._track.candidate
            tracks.append(self._window.followed(key, layout_of(key), candidate, self._track))
        # Step 3
        tracks += [
            self._window.followed(key, layout_of(key), candidate) for _, key, candidate in seen[:_WEIGHED]
        ]
        for track in tracks:
            if self._follow(track.key, track.candidate):
                return
        if stages == STAGES and tracks:
            self._track = max(tracks, key=lambda one: promise(one.candidate.lines, layout_of(one.key)))

    def _follow(self, key: WatermarkKey, candidate: Candidate) -> bool:
        self._followed += 1
        found = follow(candidate, key, layout_of(key), self._followed)
        if self._best is None or rank(found) > rank(self._best):
            self._best = found
        return found.payload is not None
