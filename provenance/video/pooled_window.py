"""Some frames' planes, added up so that those in which the mark is heard best count most.

Motion compensation carries the mark of one frame along with the picture into the next ones, where it
lies in the wrong place; only frames that are coded whole, and some after them, show it where it belongs.
How well a frame does is told by its pilots: weights by the square of their agreement raised the pooled
statistic from 3.9 to 7.0 and from 6.0 to 8.2 on two panning clips at x264 CRF 35.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark.decoding import lines_in
from provenance.watermark.folding import tile_spectrum
from provenance.watermark.layout import T
from provenance.watermark.search import Candidate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.key import WatermarkKey
    from provenance.watermark.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """A geometry that is followed through a clip.

    Attributes:
        key: the tile's.
        candidate: the geometry, with the lines of all frames so far.
        folded: (T, T) weighted sum of the frames' folded transforms.
    """

    key: WatermarkKey
    candidate: Candidate
    folded: NDArray[np.complexfloating] = field(repr=False)


class Window:
    """The whitened planes of some frames."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._sum = np.zeros(shape, np.float32)
        self._planes: list[NDArray[np.float16]] = []

    def __len__(self) -> int:
        return len(self._planes)

    def add(self, plane: NDArray[np.float32]) -> None:
        """Take in the next frame's plane."""
        self._sum += plane
        self._planes.append(plane.astype(np.float16))

    @property
    def pooled(self) -> NDArray[np.float32]:
        """(h, w): the mean of all planes."""
        return np.asarray(self._sum / max(len(self), 1), np.float32)

    def followed(
        self, key: WatermarkKey, layout: Layout, candidate: Candidate, before: Track | None = None
    ) -> Track:
        """A geometry read with every frame weighted by its pilots.

        Args:
            key: the tile's.
            layout: of the key.
            candidate: geometry, and the lines whose offset the pilots are held against.
            before: the same geometry, followed through frames before these.
        """
        total = np.zeros((T, T), np.complex64) if before is None else before.folded.copy()
        for plane in self._planes:
            transform = tile_spectrum(plane.astype(np.float32), candidate.matrix)
            heard = _heard(transform, layout, candidate.lines.offset)
            total += max(heard, 0.0) ** 2 * transform
        if total.any():
            candidate = Candidate(matrix=candidate.matrix, lines=lines_in(total, layout))
        return Track(key=key, candidate=candidate, folded=total)


def _heard(transform: NDArray[np.complexfloating], layout: Layout, offset: tuple[float, float]) -> float:
    """How far a frame's pilots agree at an offset, in standard deviations of noise. Other lines have no
    say: the statistic rests on the verify lines.
    """
    u, v = layout.u[layout.pilots], layout.v[layout.pilots]
    back = np.exp(-2j * np.pi * (u * offset[0] + v * offset[1]) / T - 1j * layout.phase[layout.pilots])
    pilots = transform[v % T, u % T] * back
    return float(pilots.real.sum() / np.sqrt((np.abs(pilots) ** 2).sum() / 2 + 1e-12))
