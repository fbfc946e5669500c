"""Where a copy could lie when no mark says so: turns, mirror images, crops to half of the area.

The whole picture, stretched to the released size, in its eight turns and mirror images; and in each of
these, pieces of it at a dozen scales, slid over the released picture (normalised correlation by Fourier
transform, Lewis 1995) on a grid of half the digest's fineness. The best few are laid exactly by ``align``,
which also takes up a small turn. Lightness is whitened first, so that outlines count and grounds do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_align import align
from provenance.digest_grid import Placement, area_means, luma_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.digest_grid import View
    from provenance.digest_planes import Reference

    Plane = NDArray[np.float32]

_SCALES = tuple(0.97**step for step in range(13))
"""Sides of a piece, in shares of the largest that fits: down to 0.69, so half of the area."""
_KEPT = 6
"""Places that are laid exactly."""
_TURNS = tuple(
    np.array(turn, float)
    for turn in (
        [[1, 0], [0, 1]],
        [[0, 1], [-1, 0]],
        [[-1, 0], [0, -1]],
        [[0, -1], [1, 0]],
        [[-1, 0], [0, 1]],
        [[0, 1], [1, 0]],
        [[1, 0], [0, -1]],
        [[0, -1], [-1, 0]],
    )
)
"""The eight ways a rectangle lies on its sides: released direction = turn @ copy direction."""
_SMALLEST = 8
"""Cells to a side below which a piece is not slid."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Guess:
    score: float
    placement: Placement


def searched_places(reference: Reference, view: View) -> tuple[Placement, ...]:
    """The places where the copy most likely lies, laid exactly, the likeliest first."""
    guesses = sorted(_guesses(reference, view), key=lambda guess: -guess.score)
    kept: list[_Guess] = []
    for guess in guesses:
        if len(kept) < _KEPT and not any(_alike(guess, other, reference, view) for other in kept):
            kept.append(guess)
    return tuple(align(reference, view, guess.placement, rough=True) for guess in kept)


def _guesses(reference: Reference, view: View) -> Iterator[_Guess]:
    rows, columns = reference.shape.rows // 2, reference.shape.columns // 2
    wanted = _whitened(area_means(luma_of(reference.fine), rows, columns))
    slide = _Slide(wanted)
    luma = area_means(luma_of(view.rgb), *_bounded(view.rgb.shape[:2]))
    for turn in _TURNS:
        turned = _turned(luma, turn)
        stretched = _whitened(area_means(turned, rows, columns))
        yield _Guess(score=_correlation(stretched, wanted), placement=_placed(reference, view, turn, None))
        sides = np.abs(turn) @ view.size
        largest = float((np.array(reference.released) / sides).min())
        for share in _SCALES:
            scale = largest * share
            cells = sides * scale / reference.released * (columns, rows)
            width, height = (max(1, round(float(side))) for side in cells)
            if min(width, height) < _SMALLEST or (width >= columns and height >= rows):
                continue
            piece = _whitened(area_means(turned, min(height, rows), min(width, columns)))
            score, x, y = slide.best(piece)
            corner = np.array([x / columns, y / rows]) * reference.released
            yield _Guess(score=score, placement=_placed(reference, view, turn, (scale, corner)))


class _Slide:
    """Correlations of pieces with every part of one picture."""

    def __init__(self, picture: Plane) -> None:
        self._picture = picture
        self._spectrum = np.fft.rfft2(picture)
        self._energy = np.pad((picture.astype(float) ** 2).cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def best(self, piece: Plane) -> tuple[float, int, int]:
        """(correlation, column, row) where ``piece`` fits best; no part of it lies outside."""
        (height, width), energy = piece.shape, self._energy
        padded = np.zeros_like(self._picture)
        padded[:height, :width] = piece
        sums = np.fft.irfft2(self._spectrum * np.conj(np.fft.rfft2(padded)), s=padded.shape)
        sums = sums[: padded.shape[0] - height + 1, : padded.shape[1] - width + 1]
        under = (energy[height:, width:] - energy[:-height, width:] - energy[height:, :-width]) + energy[
            :-height, :-width
        ]
        scores = sums / np.sqrt(np.maximum(under, 1e-9) * float((piece**2).sum()) + 1e-12)
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        return float(scores[row, column]), int(column), int(row)


def _whitened(plane: NDArray[np.floating]) -> Plane:
    """What differs from the mean of the neighbours, at equal strength for strong and faint outlines."""
    padded = np.pad(plane, 1, mode="edge")
    ring = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    detail = plane - ring / 4
    return np.asarray(detail / (np.abs(detail) + np.abs(detail).mean() + 1e-6), np.float32)


def _correlation(one: Plane, other: Plane) -> float:
    return float((one * other).sum() / np.sqrt(float((one**2).sum()) * float((other**2).sum()) + 1e-12))


def _turned(luma: Plane, turn: NDArray[np.float64]) -> Plane:
    if turn[0, 0] == 0:
        luma = luma.T
    horizontal, vertical = turn.sum(axis=1)
    return np.ascontiguousarray(luma[:: int(vertical), :: int(horizontal)])


def _placed(
    reference: Reference,
    view: View,
    turn: NDArray[np.float64],
    piece: tuple[float, NDArray[np.float64]] | None,
) -> Placement:
    """The whole copy stretched to the picture, or at one scale with its box's corner where ``piece`` says."""
    released = np.array(reference.released, float)
    if piece is None:
        scales, corner = released / (np.abs(turn) @ view.size), np.zeros(2)
    else:
        scales, corner = np.full(2, piece[0]), piece[1]
    linear = scales[:, None] * turn
    ends = linear @ np.array([[-0.5, view.size[0] - 0.5], [-0.5, view.size[1] - 0.5]])
    return Placement(linear=linear, shift=corner - 0.5 - ends.min(axis=1))


def _alike(one: _Guess, other: _Guess, reference: Reference, view: View) -> bool:
    """Whether two guesses are so close that ``align`` takes both to the same place."""
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * view.size
    apart = corners @ (one.placement.linear - other.placement.linear).T
    apart += one.placement.shift - other.placement.shift
    return bool((np.abs(apart) < 0.04 * np.array(reference.released)).all())


def _bounded(shape: tuple[int, ...]) -> tuple[int, int]:
    """At most 256 to a side: pieces are 64 at most."""
    return min(shape[0], 256), min(shape[1], 256)
