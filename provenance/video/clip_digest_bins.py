"""Frames summed up by time: the mean picture of every stretch of a clip, in bounded memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import area_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

_USUAL_STEP = 1 / 24
"""How long the last frame is shown when the clip has no other."""
_MOMENT = 1e-3
"""A remainder of a millisecond is rounding of time stamps, not a stretch."""


def cells_of(width: int, height: int, longer: int, *, least: int) -> tuple[int, int]:
    """(rows, columns): ``longer`` cells along the longer side, cells as square as whole numbers allow."""
    shorter = max(least, round(longer * min(width, height) / max(width, height)))
    return (shorter, longer) if width >= height else (longer, shorter)


def stretches(seconds: float, length: float) -> int:
    """How many stretches of a length there are in a clip; the last one may be shorter."""
    return max(1, math.ceil((seconds - _MOMENT) / length))


class Bins:
    """Mean pictures of the stretches [0, length), [length, 2 length), … of a clip, from its first frame on.

    A frame counts for as long as it is shown, which is until the next one, in every stretch in which it
    is: were frames counted one by one, a burst of them that nobody can see would outweigh what is shown.
    When there are more stretches than ``most``, each two become one twice as long.

    Attributes:
        length: seconds to a stretch.
    """

    def __init__(self, grid: tuple[int, int], length: float, *, most: int) -> None:
        self.length = length
        self._grid = grid
        self._most = most
        self._means: list[NDArray[np.float16]] = []  # of stretches that are over; 0.06 at most off
        self._sum: NDArray[np.floating] = np.zeros((*grid, 3), np.float32)  # of the stretch that is not
        self._share = 0.0  # of its length that is in ``_sum``
        self._start: float | None = None
        self._elapsed = 0.0
        self._step = _USUAL_STEP
        self._shown = self._sum

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last, to a millisecond and one at least."""
        return max(_MOMENT, round(self._elapsed + self._step, 3))

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """The next frame; a time stamp that goes back counts as no time passed.

        Raises:
            ValueError: ``seconds`` is not a finite number.
        """
        start = seconds if self._start is None else self._start
        if not math.isfinite(seconds - start):
            raise ValueError("the time of a frame must be finite")
        self._start = start
        if seconds - start > self._elapsed:
            self._step = seconds - start - self._elapsed
            self._elapsed = seconds - start
        self._show_until(self._elapsed)
        # Every pixel has its say: one left out could show anything.
        self._shown = area_means(rgb.astype(np.float32), *self._grid)

    def means(self) -> NDArray[np.float16]:
        """(stretches, rows, columns, 3) RGB, 0..255; the last stretch may be shorter than the others.

        Raises:
            ValueError: there was no frame.
        """
        if self._start is None:
            raise ValueError("there was no frame")
        self._show_until(max(self._elapsed + self._step, self.seconds))
        last = [(self._sum / self._share).astype(np.float16)] if self._share else []
        return np.stack([*self._means, *last])[: stretches(self.seconds, self.length)]

    def _show_until(self, end: float) -> None:
        """Count what was shown last up to a moment, stretch by stretch."""
        while stretches(end, self.length) > self._most:
            self._join()
        while (share := min(1.0, end / self.length - len(self._means))) > self._share:
            self._sum = self._sum + self._shown * np.float32(share - self._share)
            self._share = share
            if share == 1:
                self._means.append(self._sum.astype(np.float16))
                self._sum, self._share = np.zeros_like(self._sum), 0.0

    def _join(self) -> None:
        self.length *= 2
        self._sum, self._share = self._sum / 2, self._share / 2
        if len(self._means) % 2:  # the open stretch is the second half of its new one
            self._sum = self._sum + self._means.pop().astype(np.float32) / 2
            self._share += 0.5
        pairs = zip(self._means[::2], self._means[1::2], strict=True)
        self._means = [((one.astype(np.float32) + two) / 2).astype(np.float16) for one, two in pairs]
