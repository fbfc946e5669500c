"""The picture inside a digest: three planes in at most 2,880 bytes, and back. numpy only.

Each plane goes through cosine transforms of 8 × 8 cells (small blocks, so that a lone detail is not lost in
rounding); the coefficients are divided by a step and rounded, and written in Golomb-Rice code (Rice 1979)
with a parameter for each ring of frequencies. The step is the finest of a ladder that fits the budget, so a
plain picture is kept more exactly than a crowded one. All unary parts stand first and all remainders after
them, which lets arrays do the work.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provenance.digest import Shape

    Plane = NDArray[np.float64]

CODE_BYTES = 2880
"""Budget of the code: 3,840 characters of base64, under 4,000 bytes with the assertion's other fields."""
STEPS = 64
"""Rungs of the ladder; the first byte holds the rung in its lower six bits."""
_FINEST, _RATIO = 0.5, 2 ** (1 / 8)
"""The ladder: steps of 0.5 to 117 L*a*b* units, each 9 % wider than the one before."""
CHROMA_STEP = 3.0
"""Steps of a* and b* are wider: compression leaves less of them too."""
_BLOCK, _PLANES = 8, 3
_RINGS = 2 * _BLOCK - 1
"""Rings of frequencies with a Rice parameter each, in each of L*, a* and b*."""
_HEAD = 1 + (_PLANES * _RINGS + 1) // 2
"""Bytes before the coefficients: the rung of the ladder, then four bits for each ring."""
_WIDEST, _EMPTY = 12, 15
"""Largest Rice parameter that is written, and that of a ring of zeros, which takes no bits."""
_MOST = 1 << 14
"""Coefficients are bounded by 8 times the widest range of a plane, over the finest step."""


def encode_planes(planes: Sequence[Plane], shape: Shape, fineness: int = 0) -> bytes:
    """L*, a* and b* planes of ``shape`` as at most ``CODE_BYTES`` bytes.

    Args:
        fineness: which of ``provenance.digest.SIDES`` the shape is of; stands in the code.
    """
    spectra = [_transform(plane) for plane in planes]
    low, high = 0, STEPS - 1
    while low < high:  # finer steps never take fewer bits, up to a few
        middle = (low + high) // 2
        fits = _length(spectra, shape, middle) <= CODE_BYTES
        low, high = (low, middle) if fits else (middle + 1, high)
    code = _pack(spectra, shape, low)
    return bytes([code[0] | fineness << 6]) + code[1:]


def decode_planes(code: bytes, shape: Shape) -> tuple[Plane, Plane, Plane]:
    """The planes of a code, L* in 0..100, a* and b* in -128..127.

    Raises:
        ValueError: the code is not one of ``encode_planes`` for this shape.
    """
    rings = _rings(shape)
    if not _HEAD <= len(code) <= CODE_BYTES:
        raise ValueError("its code has no head")
    nibbles = np.frombuffer(code[1:_HEAD], np.uint8)
    parameters = np.stack([nibbles >> 4, nibbles & 15], axis=1).ravel()[: _PLANES * _RINGS].astype(int)
    width = parameters[rings]
    values = np.zeros(len(rings), np.int64)
    kept = width != _EMPTY
    values[kept] = _unpack(np.unpackbits(np.frombuffer(code[_HEAD:], np.uint8)), width[kept])
    signed = np.where(values & 1, -(values + 1) // 2, values // 2)
    if np.abs(signed).max(initial=0) > _MOST:
        raise ValueError("its code holds impossible coefficients")
    found, start = [], 0
    for index, (rows, columns) in enumerate(_padded(shape)):
        spectrum = signed[start : start + rows * columns].reshape(rows, columns) * _step(
            code[0] % STEPS, index
        )
        kept_rows, kept_columns = shape.planes[index]
        plane = _inverse(spectrum)[:kept_rows, :kept_columns]
        found.append(np.clip(plane, *((0, 100) if index == 0 else (-128, 127))))
        start += rows * columns
    return found[0], found[1], found[2]


def nearest_planes(
    signed: tuple[Plane, Plane, Plane], seen: tuple[Plane, Plane, Plane], step: float
) -> tuple[Plane, Plane, Plane]:
    """The planes nearest to ``seen`` of all that were rounded to ``signed``.

    Args:
        signed: as decoded; what was clipped there counts as signed.
        seen: of the same shapes.
        step: from ``step_of``.
    """
    found = []
    for index, (kept, shown) in enumerate(zip(signed, seen, strict=True)):
        room = step * (1.0 if index == 0 else CHROMA_STEP) / 2
        moved = np.clip(_transform(shown - kept), -room, room)
        rows, columns = kept.shape
        found.append(kept + _inverse(moved)[:rows, :columns])
    return found[0], found[1], found[2]


def step_of(code: bytes) -> float:
    """The step of L* coefficients: cells of a decoded plane are off by about 0.29 of it."""
    return _step(code[0] % STEPS, 0)


def _step(rung: int, plane: int) -> float:
    return float(_FINEST * _RATIO**rung * (1.0 if plane == 0 else CHROMA_STEP))


def _rounded(spectra: Sequence[Plane], rung: int) -> NDArray[np.int64]:
    """Coefficients in steps, as Rice code counts them: 0, -1, 1, -2, 2 are 0, 1, 2, 3, 4."""
    steps = [spectrum.ravel() / _step(rung, index) for index, spectrum in enumerate(spectra)]
    signed = np.rint(np.concatenate(steps)).astype(np.int64)
    return np.where(signed < 0, -2 * signed - 1, 2 * signed)


def _length(spectra: Sequence[Plane], shape: Shape, rung: int) -> int:
    """Bytes that ``_pack`` takes."""
    bits = _bits(_rounded(spectra, rung), shape)
    return _HEAD + (int(bits.min(axis=0).sum()) + 7) // 8


def _bits(values: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
    """(parameters, rings): bits that each ring takes with each Rice parameter; none where it is all zeros."""
    order, starts = _order(shape)
    count, sorted_ = np.diff(starts, append=len(order)), values[order]
    parts = [np.add.reduceat(sorted_ >> k, starts) for k in range(_WIDEST + 1)]
    bits = np.stack([part + (1 + k) * count for k, part in enumerate(parts)])
    bits[:, parts[0] == 0] = 0
    return bits


def _pack(spectra: Sequence[Plane], shape: Shape, rung: int) -> bytes:
    values, rings = _rounded(spectra, rung), _rings(shape)
    bits = _bits(values, shape)
    parameters = np.where(bits[0] == 0, _EMPTY, bits.argmin(axis=0))
    width = parameters[rings]
    kept = width != _EMPTY
    values, width = values[kept], width[kept]
    quotients = values >> width
    unary = np.zeros(int((quotients + 1).sum()), np.uint8)
    unary[np.cumsum(quotients + 1) - 1] = 1
    places = np.arange(int(width.max(initial=0)) - 1, -1, -1)
    remainder = ((values[:, None] >> places) & 1)[places < width[:, None]].astype(np.uint8)
    nibbles = np.append(parameters, 0).astype(np.uint8)[: 2 * (_HEAD - 1)]
    head = bytes([rung]) + (nibbles[0::2] << 4 | nibbles[1::2]).tobytes()
    return head + np.packbits(np.concatenate([unary, remainder])).tobytes()


def _unpack(bits: NDArray[np.uint8], width: NDArray[np.int64]) -> NDArray[np.int64]:
    """Values of Rice code: unary parts, then remainders, then less than a byte of zeros."""
    ends = np.flatnonzero(bits)[: len(width)]
    if len(ends) < len(width):
        raise ValueError("its code breaks off")
    quotients = np.diff(ends, prepend=-1) - 1
    body = bits[ends[-1] + 1 :] if len(ends) else bits
    needed = int(width.sum())
    if not needed <= len(body) < needed + 8 or body[needed:].any():
        raise ValueError("its code has another length than its parts")
    starts = np.cumsum(width) - width
    values = quotients
    for place in range(int(width.max(initial=0))):
        deep = width > place
        values = np.where(deep, 2 * values + body[np.where(deep, starts + place, 0)], values)
    return values


def _transform(plane: Plane) -> Plane:
    """Cosine transforms of blocks; a plane that does not fill them is continued by its rim."""
    rows, columns = (-side % _BLOCK for side in plane.shape)
    full = np.pad(plane, ((0, rows), (0, columns)), mode="edge")
    return _blocks(_cosines() @ _blocks(full) @ _cosines().T)


def _inverse(spectrum: Plane) -> Plane:
    return _blocks(_cosines().T @ _blocks(spectrum) @ _cosines())


def _blocks(plane: Plane) -> Plane:
    """(rows, columns) as (rows / 8, columns / 8, 8, 8), or back."""
    if plane.ndim == 2:
        down, across = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
        return plane.reshape(down, _BLOCK, across, _BLOCK).swapaxes(1, 2)
    down, across = plane.shape[:2]
    return plane.swapaxes(1, 2).reshape(down * _BLOCK, across * _BLOCK)


@lru_cache(maxsize=1)
def _cosines() -> Plane:
    """(8, 8): the orthonormal discrete cosine transform, type II."""
    row, column = np.mgrid[:_BLOCK, :_BLOCK]
    matrix = np.sqrt(2 / _BLOCK) * np.cos(np.pi * (2 * column + 1) * row / (2 * _BLOCK))
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix)


def _padded(shape: Shape) -> list[tuple[int, int]]:
    """Sides of each plane, filled up to whole blocks."""
    return [(rows + -rows % _BLOCK, columns + -columns % _BLOCK) for rows, columns in shape.planes]


@lru_cache(maxsize=64)
def _order(shape: Shape) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Coefficients ring by ring, and where each ring starts."""
    rings = _rings(shape)
    order = np.argsort(rings, kind="stable")
    return order, np.searchsorted(rings[order], np.arange(_PLANES * _RINGS))


@lru_cache(maxsize=64)
def _rings(shape: Shape) -> NDArray[np.int64]:
    """The ring of each coefficient, in the order of the code: sums of its two frequencies, plane by plane."""
    found = []
    for index, (rows, columns) in enumerate(_padded(shape)):
        down, across = np.arange(rows)[:, None] % _BLOCK, np.arange(columns)[None] % _BLOCK
        found.append((_RINGS * index + down + across).ravel())
    return np.concatenate(found)
