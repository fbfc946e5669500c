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
        self._means: list[NDArray[np.float16]] = []  # of stretches that are over; 0.06 at most off
        self._counts: list[int] = []
        self._sum = np.zeros((*grid, 3), np.float32)  # of the stretch that is not
        self._count = 0
        self._elapsed = 0.0
        self._step = _USUAL_STEP
        self._shown = self._sum

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
        if not (self._count or self._counts):
            self.start = seconds
        elif seconds - self.start > self._elapsed:
            self._step = seconds - self.start - self._elapsed
            self._elapsed = seconds - self.start
        self._open(self._elapsed)
        self._shown = _cell_means(rgb, self._grid)
        self._sum = self._sum + self._shown
        self._count += 1

    def means(self) -> NDArray[np.float16]:
        """(stretches, rows, columns, 3) RGB, 0..255; the last stretch may be shorter than the others.

        Raises:
            ValueError: there was no frame.
        """
        if not (self._count or self._counts):
            raise ValueError("there was no frame")
        self._open(self.seconds - 4 * _SAME_MOMENT)
        last = [self._sum / self._count] if self._count else [self._shown]
        return np.stack([*self._means, *(mean.astype(np.float16) for mean in last)])

    def _open(self, elapsed: float) -> None:
        """Make the stretch of a moment the open one."""
        while int((elapsed + _SAME_MOMENT) / self.length) >= self._most:
            self._join()
        while len(self._means) < int((elapsed + _SAME_MOMENT) / self.length):
            self._close()

    def _close(self) -> None:
        mean = self._sum / self._count if self._count else self._shown
        self._means.append(mean.astype(np.float16))
        self._counts.append(max(self._count, 1))
        self._sum, self._count = np.zeros_like(self._shown), 0

    def _join(self) -> None:
        self.length *= 2
        pairs = len(self._means) // 2
        if len(self._means) % 2:  # the open stretch is the second half of its new one
            self._sum = self._sum + self._means[-1].astype(np.float32) * self._counts[-1]
            self._count += self._counts[-1]
        weights = [(self._counts[2 * pair], self._counts[2 * pair + 1]) for pair in range(pairs)]
        self._means = [
            np.average(self._means[2 * pair : 2 * pair + 2], axis=0, weights=weight).astype(np.float16)
            for pair, weight in enumerate(weights)
        ]
        self._counts = [one + two for one, two in weights]


def _cell_means(rgb: NDArray[np.uint8], grid: tuple[int, int]) -> NDArray[np.float32]:
    down, across = (max(1, side // (cells * _SAMPLES)) for side, cells in zip(rgb.shape, grid, strict=False))
    return area_means(rgb[::down, ::across].astype(np.float32), *grid)
