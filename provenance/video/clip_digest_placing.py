"""A copy's frames laid onto the cells of a clip digest: sampled once, placed as often as needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import to_lab
from provenance.tile_places import tile_places
from provenance.video.clip_digest_bins import Bins, cells_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from provenance.video.clip_digest import ClipDigest
    from provenance.watermark.interface import Geometry

_CELLS, _LEAST = 72, 8
"""Cells along the longer side of a sampled copy: three times the digest's, as crops are laid on it too."""
_BIN_SECONDS, _MOST_BINS = 0.125, 2400
"""Time resolution of copies up to five minutes; it halves with every doubling beyond (60 MB)."""
_SUBPOINTS = 6
"""Points to a digest cell's side at which the copy is looked up."""
_COVERED = 0.95
"""Share of a cell's points that must lie in the copy."""
_MOST_PLACES = 64
_AT_ONCE = 64
"""Bins laid at once: 4 MB of them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipSamples:
    """A copy, reduced to what comparing needs.

    Attributes:
        size: (width, height) of its frames, in pixels.
        seconds: how long it is.
        bin_seconds: time to a bin.
        means: (bins, rows, columns, 3) float16 RGB, 0..255.
    """

    size: tuple[int, int]
    seconds: float
    bin_seconds: float
    means: NDArray[np.float16] = field(repr=False)


class ClipSampler:
    """Samples a copy from its frames, in order; memory does not depend on its length.

    Args:
        size: (width, height) of all frames, in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._bins = Bins(cells_of(*size, _CELLS, least=_LEAST), _BIN_SECONDS, most=_MOST_BINS)

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """Take in the next frame: (H, W, 3) uint8, shown from ``seconds`` on."""
        self._bins.add(rgb, seconds)

    def result(self) -> ClipSamples:
        """The frames so far.

        Raises:
            ValueError: there was no frame.
        """
        means = self._bins.means()
        return ClipSamples(
            size=self._size, seconds=self._bins.seconds, bin_seconds=self._bins.length, means=means
        )


def sample_clip(frames: Iterable[tuple[NDArray[np.uint8], float]]) -> ClipSamples:
    """Sample (rgb, seconds) frames of one size.

    Raises:
        ValueError: there was no frame.
    """
    sampler: ClipSampler | None = None
    for rgb, seconds in frames:
        if sampler is None:
            sampler = ClipSampler((rgb.shape[1], rgb.shape[0]))
        sampler.add(rgb, seconds)
    if sampler is None:
        raise ValueError("there was no frame")
    return sampler.result()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """One way in which the copy's frames may lie in the signed ones.

    Attributes:
        linear: (2, 2): signed pixel = linear @ copy pixel + shift; pixel centres lie at whole coordinates.
        shift: (2,).
        weights: (digest cells, copy cells) float32: the share of each copy cell in each digest cell.
        covered: (rows, columns) bool: digest cells that the copy shows.
        kept: (left, top, right, bottom) of what it shows, in fractions of the signed frame.
    """

    linear: NDArray[np.float64]
    shift: NDArray[np.float64]
    weights: NDArray[np.float32]
    covered: NDArray[np.bool_]
    kept: tuple[float, float, float, float]

    def lay(self, means: NDArray[np.float16]) -> NDArray[np.float32]:
        """(n, rows, columns, 3) RGB of copy bins on the digest's grid, 0 where not covered."""
        laid = np.empty((len(means), *self.covered.shape, 3), np.float32)
        for first in range(0, len(means), _AT_ONCE):
            some = means[first : first + _AT_ONCE].astype(np.float32)
            cells = some.reshape(len(some), -1, 3).transpose(1, 0, 2).reshape(-1, 3 * len(some))
            placed = (self.weights @ cells).reshape(*self.covered.shape, len(some), 3)
            laid[first : first + _AT_ONCE] = placed.transpose(2, 0, 1, 3)
        return laid


def lab_of(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """RGB of 0..255 to L*a*b*."""
    return to_lab(rgb / 255).astype(np.float32)


def placements(digest: ClipDigest, samples: ClipSamples, geometry: Geometry | None) -> list[Placement]:
    """Ways in which the copy may lie in the signed frames.

    The mark's geometry is known up to whole tiles; every place within the frame is one. Without a mark the
    copy may be the whole frame, as it is or turned by quarters or mirrored.
    """
    ways = _marked(digest, samples, geometry) if geometry else _whole(digest, samples)
    made = [_placement(digest, samples, linear, shift) for linear, shift in ways]
    return [one for one in made if one.covered.any()]


_Way = tuple["NDArray[np.float64]", "NDArray[np.float64]"]
"""(linear, shift) of a ``Placement``."""


def _whole(digest: ClipDigest, samples: ClipSamples) -> Iterator[_Way]:
    signed, copy = np.array([digest.width, digest.height], float), np.array(samples.size, float)
    for swap in (False, True):
        axes = np.eye(2)[::-1] if swap else np.eye(2)
        for signs in ((1, 1), (-1, -1), (-1, 1), (1, -1)):
            linear = axes * (np.array(signs) * signed)[:, None] / copy
            yield linear, (signed - 1) / 2 - linear @ (copy - 1) / 2


def _marked(digest: ClipDigest, samples: ClipSamples, geometry: Geometry) -> Iterator[_Way]:
    for linear, shifts in tile_places(geometry, samples.size, (digest.width, digest.height)):
        yield from ((linear, shift) for shift in shifts[:_MOST_PLACES])


def _placement(
    digest: ClipDigest, samples: ClipSamples, linear: NDArray[np.float64], shift: NDArray[np.float64]
) -> Placement:
    rows, columns = digest.grid
    copy_rows, copy_columns = samples.means.shape[1:3]
    x, y = ((np.arange(cells * _SUBPOINTS) + 0.5) / (cells * _SUBPOINTS) for cells in (columns, rows))
    points = np.stack(np.meshgrid(x * digest.width, y * digest.height), axis=-1) - 0.5
    copy = (points - shift) @ np.linalg.inv(linear).T + 0.5
    cell = np.floor(copy * [copy_columns, copy_rows] / np.array(samples.size)).astype(int)
    inside = ((cell >= 0) & (cell < [copy_columns, copy_rows])).all(axis=-1)
    digest_cell = np.arange(rows * columns).reshape(rows, columns).repeat(_SUBPOINTS, 0).repeat(_SUBPOINTS, 1)
    weights = np.zeros((rows * columns, copy_rows * copy_columns), np.float32)
    np.add.at(weights, (digest_cell[inside], cell[inside][:, 1] * copy_columns + cell[inside][:, 0]), 1)
    shown = weights.sum(axis=1)
    covered = shown >= _COVERED * _SUBPOINTS**2
    weights /= np.maximum(shown, 1)[:, None]
    weights[~covered] = 0
    width, height = samples.size
    corners = linear @ np.array(
        [[-0.5, width - 0.5, -0.5, width - 0.5], [-0.5, -0.5, height - 0.5, height - 0.5]]
    )
    edges = ((corners + shift[:, None] + 0.5) / [[digest.width], [digest.height]]).clip(0, 1)
    (left, top), (right, bottom) = edges.min(axis=1).tolist(), edges.max(axis=1).tolist()
    kept = (left, top, right, bottom)
    return Placement(
        linear=linear, shift=shift, weights=weights, covered=covered.reshape(rows, columns), kept=kept
    )
