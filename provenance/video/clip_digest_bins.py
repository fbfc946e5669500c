"""Frames summed up by time: the mean picture of every stretch of a clip, in bounded memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import area_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLES = 10
"""Pixels taken to a cell's side: 100 say its mean well enough, and every frame has its say."""
_USUAL_STEP = 1 / 24
"""How long the last frame is shown when the clip has no other."""
_SAME_MOMENT = 5e-4
"""Time stamps are multiples of 1/90000 s and the like: half a millisecond is the same moment."""


def cells_of(width: int, height: int, longer: int, *, least: int) -> tuple[int, int]:
    """(rows, columns): ``longer`` cells along the longer side, cells as square as whole numbers allow."""
    shorter = max(least, round(longer * min(width, height) / max(width, height)))
    return (shorter, longer) if width >= height else (longer, shorter)


class Bins:
    """Mean pictures of the stretches [0, length), [length, 2 length), … of a clip, from its first frame on.

    A frame counts in the stretch in which it begins; a stretch in which none begins shows what was shown
    last. When there are more stretches than ``most``, each two become one twice as long.

    Attributes:
        length: seconds to a stretch.
        start: time stamp of the first frame.
    """

    def __init__(self, grid: tuple[int, int], length: float, *, most: int) -> None:
        self.length = length
        self.start = 0.0
        self._grid = grid
        self._most = most
        self._sums: list[NDArray[np.float32]] = []
        self._counts: list[int] = []
        self._elapsed = 0.0
        self._step = _USUAL_STEP
        self._shown = np.zeros((*grid, 3), np.float32)

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last, to a millisecond."""
        return round(self._elapsed + self._step, 3)

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """The next frame; a time stamp that goes back counts as no time passed.

        Raises:
            ValueError: ``seconds`` is not a finite number.
        """
        if not math.isfinite(seconds):
            raise ValueError("the time of a frame must be finite")
        if not self._sums:
            self.start = seconds
        elif seconds - self.start > self._elapsed:
            self._step = seconds - self.start - self._elapsed
            self._elapsed = seconds - self.start
        index = self._index(self._elapsed)
        self._hold(index)
        if len(self._sums) == index:
            self._append(np.zeros_like(self._shown), 0)
        self._shown = _cell_means(rgb, self._grid)
        self._sums[-1] += self._shown
        self._counts[-1] += 1

    def means(self) -> NDArray[np.float32]:
        """(stretches, rows, columns, 3) RGB, 0..255; the last stretch may be shorter than the others.

        Raises:
            ValueError: there was no frame.
        """
        if not self._sums:
            raise ValueError("there was no frame")
        self._hold(self._index(self.seconds - 4 * _SAME_MOMENT) + 1)
        return np.stack([total / count for total, count in zip(self._sums, self._counts, strict=True)])

    def _index(self, elapsed: float) -> int:
        """The stretch of a moment, after making room for it."""
        while int((elapsed + _SAME_MOMENT) / self.length) >= self._most:
            self._join()
        return int((elapsed + _SAME_MOMENT) / self.length)

    def _hold(self, until: int) -> None:
        while len(self._sums) < until:
            self._append(self._shown.copy(), 1)

    def _append(self, total: NDArray[np.float32], count: int) -> None:
        self._sums.append(total)
        self._counts.append(count)

    def _join(self) -> None:
        self.length *= 2
        if len(self._sums) % 2:
            self._append(np.zeros_like(self._shown), 0)
        self._sums = [one + two for one, two in zip(self._sums[::2], self._sums[1::2], strict=True)]
        self._counts = [one + two for one, two in zip(self._counts[::2], self._counts[1::2], strict=True)]


def _cell_means(rgb: NDArray[np.uint8], grid: tuple[int, int]) -> NDArray[np.float32]:
    down, across = (max(1, side // (cells * _SAMPLES)) for side, cells in zip(rgb.shape, grid, strict=False))
    return area_means(rgb[::down, ::across].astype(np.float32), *grid)
