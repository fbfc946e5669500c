"""Which rotation, scale, mirror image and aspect the tile has in a copy.

Candidates come from three places, cheapest first: the copy's size (anything that only recompressed,
resized, mirrored or turned by quarters), upright scales (crops), and a search over all rotations and
scales in log-polar coordinates, where both are shifts. Each is judged by the coherent score: pilots with
their keyed phases taken out, correlated over all offsets. Power alone is blind to phases and took text
and fences for pilots (17 of 105 development copies lost; with the coherent score 5).

A frequency matrix M says that line k of the tile is seen at M k / T cycles per pixel of the plane; the
pixels-to-tile matrix is its transpose.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import scipy.fft

from provenance.watermark.correlation import noise_of
from provenance.watermark.layout import PILOT_BAND, R_MAX, T
from provenance.watermark.tile import UNIT_SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provenance.watermark.layout import Layout
    from provenance.watermark.spectrum import Spectrum

_WIDEST, _NARROWEST = 4.6, 0.62
"""Scales searched, relative to what the copy's size suggests: a crop to an eighth of the area at the
coarse spread; a copy pasted into borders."""
_STEP = 0.011
"""Relative scale step: half a frequency sample at the pilots' mean radius of a 512-pixel copy."""
_ANGLES, _LOG_STEP = 512, 0.0062
_NYQUIST = 0.47
"""Cycles per pixel; a little short of a half, where resampling leaves nothing."""
_ASPECT = 0.34
"""Uneven scaling searched: log of width over height."""


TURNS = tuple(
    np.array(matrix) @ mirror
    for mirror in (np.eye(2, dtype=np.int64), np.diag([-1, 1]))
    for matrix in ([[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]])
)
"""The quarter turns, and each after a mirror image."""


def sizes(size: tuple[int, int], spreads: Sequence[float]) -> list[float]:
    """Plane pixels to a tile sample that the plane's size implies, for each spread."""
    return [_unit(size) * spread for spread in spreads]


def upright(size: tuple[int, int], *, tight: bool) -> NDArray[np.float64]:
    """(n, 2, 2): upright and mirrored, all scales; ``tight`` steps suit larger planes."""
    step = _STEP / (2 if tight else 1)
    scales = _unit(size) * np.exp(np.arange(np.log(_NARROWEST), np.log(_WIDEST), step))
    return np.concatenate([similarities(np.zeros(1), scales, mirror) for mirror in (1, -1)])


def uneven(size: tuple[int, int]) -> NDArray[np.float64]:
    """(n, 2, 2): upright and mirrored, unevenly scaled."""
    logs = np.arange(-_ASPECT, _ASPECT + 1e-6, 0.02)
    aspects = np.exp(logs[np.abs(logs) > 0.015])
    scales = _unit(size) * np.exp(np.arange(np.log(0.8), np.log(2.2), 0.02))
    even = np.concatenate([similarities(np.zeros(1), scales, mirror) for mirror in (1, -1)])
    stretch = np.stack([aspects**-0.5, aspects**0.5], axis=-1)
    return np.asarray((even[:, None] * stretch[None, :, None, :]).reshape(-1, 2, 2))


def tilted(size: tuple[int, int], spread: float) -> NDArray[np.float64]:
    """(n, 2, 2): tilts up to 20 degrees of a coarse tile, both mirror images.

    Two or three coarse tiles across a picture leave no separate lines in its power spectrum, so that
    ``rotations`` may miss them; as the tile is coarse, so are the steps, and all can be judged coherently.
    """
    step = _STEP * 2.2  # of a tile coarser by 1.6, with less pull towards neighbours to spare
    tilts = np.arange(step, np.radians(20), step)
    scales = _unit(size) * spread * np.exp(np.arange(np.log(0.8), np.log(1.35), step))
    both = np.concatenate([tilts, -tilts])
    return np.concatenate([similarities(both, scales, mirror) for mirror in (1, -1)])


def similarities(
    angles: NDArray[np.float64], scales: NDArray[np.float64], mirror: int
) -> NDArray[np.float64]:
    """(angles × scales, 2, 2): frequency matrices of a turned, scaled and (mirror = -1) mirrored tile."""
    cosine, sine = np.cos(angles), np.sin(angles)
    turns = np.stack([np.stack([cosine * mirror, -sine], -1), np.stack([sine * mirror, cosine], -1)], -2)
    return np.asarray((turns[:, None] / scales[None, :, None, None]).reshape(-1, 2, 2))


def _unit(size: tuple[int, int]) -> float:
    """Plane pixels to a tile sample that the plane's size implies, at spread 1."""
    return float(np.sqrt(size[0] * size[1])) / UNIT_SIDE


def highest(size: tuple[int, int]) -> float:
    """Cycles per pixel of the plane beyond which no hypothesis expects a line."""
    return min(_NYQUIST, R_MAX / T / (_unit(size) * _NARROWEST))


def rotations(spectrum: Spectrum, layout: Layout, size: tuple[int, int], *, keep: int) -> NDArray[np.float64]:
    """(n, 2, 2): the best of all rotations and scales by pilot power, each with its half turn."""
    log_scales = np.log(_unit(size)) + np.arange(np.log(_NARROWEST), np.log(_WIDEST), _LOG_STEP)
    lowest = np.log(PILOT_BAND[0] / T) - log_scales[-1]
    rings = round((np.log(PILOT_BAND[1] / T) - log_scales[0] - lowest) / _LOG_STEP) + 2
    rings = scipy.fft.next_fast_len(rings, real=True)  # no shift that counts reaches beyond them
    polar = scipy.fft.rfft2(_log_polar(spectrum, lowest, rings))
    scores, matrices = [], []
    for mirror in (1, -1):
        score = _shift_scores(polar, layout, log_scales, rings=rings, limit=spectrum.limit, mirror=mirror)
        peak = (score >= cv2.dilate(score, np.ones((3, 3)))) & (score > 0)
        turn, ring = np.nonzero(peak)
        best = np.argsort(-score[turn, ring])[:keep]
        turn, ring = turn[best], ring[best]
        all_scales = similarities(turn.astype(np.float64) * np.pi / _ANGLES, np.ones(1), mirror)
        scores.append(score[turn, ring])
        matrices.append(all_scales / np.exp(log_scales[ring])[:, None, None])
    top = np.concatenate(matrices)[np.argsort(-np.concatenate(scores))[:keep]]
    return np.concatenate([top, -top])


def promising(
    spectrum: Spectrum, layout: Layout, matrices: NDArray[np.float64], *, keep: int
) -> NDArray[np.float64]:
    """The ``keep`` matrices under which the pilots have most power; a cheap first sieve."""
    if len(matrices) <= keep:
        return matrices
    power = (np.abs(pilot_lines(spectrum, layout, matrices)) ** 2 - 1).sum(axis=1)
    return matrices[np.argpartition(-power, keep)[:keep]]


def refine(
    spectrum: Spectrum,
    layout: Layout,
    matrices: NDArray[np.float64],
    offsets: NDArray[np.float64],
    directions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Climb the coherent score of each matrix near its offset, in ``directions`` (``EVERY_WAY``).

    Returns:
        (n,) scores, (n, 2, 2) matrices and (n, 2) offsets where they were reached.
    """
    wave = np.stack([layout.u[layout.pilots], layout.v[layout.pilots]])
    around = offsets[:, None] + _AROUND
    waves = np.exp(2j * np.pi * (around @ wave) / T).astype(np.complex64)

    def score(tries: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, m, offsets) for m matrices around each of the n."""
        pilots = pilot_lines(spectrum, layout, tries.reshape(-1, 2, 2))
        agreement = (pilots.reshape(*tries.shape[:2], -1) @ waves.swapaxes(1, 2)).real
        return np.asarray(agreement / noise_of(pilots).reshape(*tries.shape[:2], 1))

    best = score(matrices[:, None]).max(axis=(1, 2))
    step = 0.6 / (18 / T * spectrum.longest)
    rows = np.arange(len(matrices))
    for _ in range(6):
        for _ in range(4):
            tries = (np.eye(2) + step * directions) @ matrices[:, None]
            scores = score(tries).max(axis=2)
            top = scores.argmax(axis=1)
            better = scores[rows, top] > best + 1e-6
            if not better.any():
                break
            best = np.where(better, scores[rows, top], best)
            matrices = np.where(better[:, None, None], tries[rows, top], matrices)
        step /= 1.7
    nearest = score(matrices[:, None])[:, 0].argmax(axis=1)
    return best, matrices, around[rows, nearest]


def agreement(
    spectrum: Spectrum, layout: Layout, matrix: NDArray[np.float64], offset: NDArray[np.float64]
) -> float:
    """How far the data lines lie in phase or in counter-phase, in standard deviations.

    A line that carries a bit has the keyed phase or its opposite, so its square has twice that phase,
    whatever the bit; of noise, the square has any. The lines' sizes are taken as given.
    """
    u, v = layout.u[layout.data], layout.v[layout.data]
    seen = matrix @ np.stack([u, v]) / T
    turn = 2 * np.pi * (u * offset[0] + v * offset[1]) / T - layout.phase[layout.data]
    lines = spectrum.at(seen[0], seen[1]) * np.exp(1j * turn)
    square = lines * lines
    return float(square.real.sum() / np.sqrt((np.abs(square) ** 2).sum() / 2 + 1e-9))


_AROUND = np.array([(x, y) for x in (-1.0, -0.5, 0.0, 0.5, 1.0) for y in (-1.0, -0.5, 0.0, 0.5, 1.0)])
"""Offsets tried beside the best whole one, in tile samples."""
EVERY_WAY = np.array(
    [
        sign * np.array(direction, float)
        for direction in ([[0, -1], [1, 0]], [[1, 0], [0, 1]], [[1, 0], [0, -1]], [[0, 1], [1, 0]])
        for sign in (1, -1)
    ]
)
"""Rotation, scale, aspect, shear; both ways."""
TURN_AND_SCALE, SCALE = EVERY_WAY[:4], EVERY_WAY[2:4]


def pilot_lines(spectrum: Spectrum, layout: Layout, matrices: NDArray[np.float64]) -> NDArray[np.complex64]:
    """(n, pilots) what lies at the pilots' places under each matrix, their keyed phases taken out."""
    k = np.stack([layout.u[layout.pilots], layout.v[layout.pilots]]) / T
    seen = matrices @ k
    phases = np.exp(-1j * layout.phase[layout.pilots]).astype(np.complex64)
    return np.asarray(spectrum.at(seen[:, 0], seen[:, 1]) * phases)


def _log_polar(spectrum: Spectrum, lowest: float, rings: int) -> NDArray[np.float32]:
    """(_ANGLES, rings) excess power over half a turn; zero beyond the limit."""
    angle = np.arange(_ANGLES)[:, None] * (np.pi / _ANGLES)
    radius = np.exp(lowest + _LOG_STEP * np.arange(rings))[None]
    fx, fy = radius * np.cos(angle), radius * np.sin(angle)
    mirrored = np.where(fx < 0, -1, 1)
    column = (fx * mirrored * spectrum.grid).astype(np.float32)
    row = (fy * mirrored * spectrum.grid + spectrum.reach).astype(np.float32)
    smooth = cv2.blur(spectrum.power, (3, 3))
    sampled = cv2.remap(smooth, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) - 1
    sampled[(np.abs(fx) >= spectrum.limit) | (np.abs(fy) >= spectrum.limit)] = 0
    return np.asarray(sampled)


def _shift_scores(
    polar: NDArray[np.complex64],
    layout: Layout,
    log_scales: NDArray[np.float64],
    *,
    rings: int,
    limit: float,
    mirror: int,
) -> NDArray[np.float32]:
    """(_ANGLES, len(log_scales)) pilot power; a correlation, as rotation and scale are shifts here."""
    marks = _pilot_marks(layout, rings, mirror)
    every = scipy.fft.irfft2(polar * marks, (_ANGLES, rings))
    score = every[:, : len(log_scales)][:, ::-1]
    heard = (layout.radius[layout.pilots][None] / T < limit * np.exp(log_scales)[:, None]).sum(axis=1)
    return np.ascontiguousarray(score / np.sqrt(np.maximum(heard, 16)), np.float32)


@lru_cache(maxsize=64)
def _pilot_marks(layout: Layout, rings: int, mirror: int) -> NDArray[np.complex64]:
    """Conjugate transform of the pilots' places in log-polar coordinates."""
    u, v, radius = (array[layout.pilots] for array in (layout.u, layout.v, layout.radius))
    turn = np.rint((np.arctan2(v, u * mirror) % np.pi) * _ANGLES / np.pi).astype(int) % _ANGLES
    # Ring of the pilot at the largest scale; at log_scales[j] it lies len - 1 - j rings further out.
    ring = np.rint(np.log(radius / PILOT_BAND[0]) / _LOG_STEP).astype(int)
    marks = np.zeros((_ANGLES, rings), np.float32)
    np.add.at(marks, (turn, ring), 1)
    return np.asarray(scipy.fft.rfft2(marks).conj())
