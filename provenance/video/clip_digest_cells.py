"""One second of a copy against the signed one, cell by cell.

What a copy underwent evenly (brightness, contrast, colour) is fitted over the clip first. What is left is
measured against what benign copying does: more where the picture has edges or moves, as a copy laid a
little off in place or time differs there first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_GROUND, _EDGE, _MOTION = 5.0, 0.15, 0.15
"""|ΔL*| + |Δa*| + |Δb*| that copying may leave in a cell: on plain ground, and shares of the step to its
neighbours and to the seconds before and after."""
_GAINS = (0.4, 2.5)
_PRIOR = 9.0
"""Variance (a difference of 3) that the belief in "unchanged" weighs as much as."""
_GRAY = 2.5
"""Root mean square of a* and b* below which a copy is in gray, and only lightness is compared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """A signed slot and what the file shows at its time.

    Attributes:
        slot: its number.
        signed: (rows, columns, 3) L*a*b*, colours as coarse as the digest has them.
        found: the same of the file.
        motion: (rows, columns) step to the slots before and after.
        outlines: correlation of their outlines.
    """

    slot: int
    signed: NDArray[np.float32] = field(repr=False)
    found: NDArray[np.float32] = field(repr=False)
    motion: NDArray[np.float32] = field(repr=False)
    outlines: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tone:
    """Gain and offset of L*, a* and b* that a copy underwent; ``weight`` 0 leaves a channel out."""

    gain: NDArray[np.float32]
    offset: NDArray[np.float32]
    weight: NDArray[np.float32]


def tone_of(pairs: Sequence[Pair], covered: NDArray[np.bool_]) -> Tone:
    """Fitted over all pairs, three times, each time without the cells that differ most."""
    ones, nothing = np.ones(3, np.float32), np.zeros(3, np.float32)
    if not pairs:
        return Tone(gain=ones, offset=nothing, weight=ones)
    signed = np.concatenate([pair.signed[covered] for pair in pairs])
    found = np.concatenate([pair.found[covered] for pair in pairs])
    gray = float(np.sqrt((found[:, 1:] ** 2).mean())) < _GRAY
    weight = np.array([1, 0, 0] if gray else [1, 1, 1], np.float32)
    keep = np.ones(len(signed), bool)
    for _ in range(3):
        middle = signed[keep].mean(axis=0), found[keep].mean(axis=0)
        covariance = ((signed[keep] - middle[0]) * (found[keep] - middle[1])).mean(axis=0)
        gain = np.clip((covariance + _PRIOR) / (signed[keep].var(axis=0) + _PRIOR), *_GAINS)
        offset = middle[1] - gain * middle[0]
        error = np.abs(signed * gain + offset - found) @ weight
        keep = error <= max(float(np.quantile(error, 0.7)), _GROUND)
    return Tone(gain=gain.astype(np.float32), offset=offset.astype(np.float32), weight=weight)


def excess(pair: Pair, tone: Tone, covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(rows, columns): how many times each cell differs by what copying may leave; 0 where not covered.

    A change is told by several cells or a strong one, so that each is weighed with the best of the 2 × 2
    blocks it lies in.
    """
    expected = pair.signed * tone.gain + tone.offset
    by_channel = np.abs(expected - pair.found) * tone.weight
    # A colour stands for 2 × 2 cells: it can be compared where all of them are shown.
    difference = by_channel[..., 0] + np.where(_whole_colours(covered), by_channel[..., 1:].sum(axis=-1), 0)
    # Less contrast makes differences smaller too; 0.5 bounds how far that is undone.
    difference /= np.clip(tone.gain[0], 0.5, 1)
    allowed = _GROUND + _EDGE * steps(pair.signed) + _MOTION * pair.motion
    return np.asarray(np.where(covered, difference / allowed, 0), np.float32)


def blocks(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, columns): for each cell the largest mean of a 2 × 2 block that has it."""
    padded = np.pad(cells, 1)
    means = (padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]) / 4
    return np.asarray(
        np.maximum(np.maximum(means[:-1, :-1], means[1:, :-1]), np.maximum(means[:-1, 1:], means[1:, 1:])),
        np.float32,
    )


def steps(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, columns): the largest step to a neighbour."""
    largest = np.zeros(lab.shape[:2], np.float32)
    across, down = (np.abs(np.diff(lab, axis=axis)).sum(axis=-1) for axis in (1, 0))
    for part, step in (
        (largest[:, 1:], across),
        (largest[:, :-1], across),
        (largest[1:], down),
        (largest[:-1], down),
    ):
        np.maximum(part, step, out=part)
    return largest


def motion(signed: NDArray[np.float32]) -> NDArray[np.float32]:
    """(slots, rows, columns): the larger step to the slot before and after."""
    step = np.abs(np.diff(signed, axis=0)).sum(axis=-1)
    nothing = np.zeros_like(signed[:1, ..., 0])
    after, before = np.concatenate([step, nothing]), np.concatenate([nothing, step])
    return np.asarray(np.maximum(after, before), np.float32)


def _whole_colours(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows, columns = covered.shape
    even = np.pad(covered, ((0, rows % 2), (0, columns % 2)), mode="edge")
    whole = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).all(axis=(1, 3))
    return np.asarray(whole.repeat(2, axis=0).repeat(2, axis=1)[:rows, :columns])


def half_colour(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, rows, columns, 3) with colours as coarse as a digest has them."""
    rows, columns = lab.shape[1:3]
    even = np.pad(lab[..., 1:], ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    half = even.reshape(len(lab), even.shape[1] // 2, 2, even.shape[2] // 2, 2, 2).mean(axis=(2, 4))
    colours = half.repeat(2, axis=1).repeat(2, axis=2)[:, :rows, :columns]
    return np.asarray(np.concatenate([lab[..., :1], colours], axis=-1), np.float32)
