"""Where things are in the tile: from a key to the roles, phases and coding of its spectral lines.

The tile has 128 × 128 samples. Its real-valued pattern is a sum of cosines, one for each line (u, v)
of the half plane with 5 ≤ |(u, v)| ≤ 30 cycles per tile. The key deals each line a role and a phase:

    pilots   known phases; their power finds rotation and scale, their phases the offset
    verify   known phases; used for the statistic only, so that its p-value is honest
    data     phases known up to the sign that carries one coded bit

The numbers come from SHAKE-256 and not from a numpy generator: numpy may change its streams between
versions (NEP 19), and marks must stay readable.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark.ecc import CODED_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.watermark.key import WatermarkKey

T = 128
"""Side of the tile in samples."""
R_MIN, R_MAX = 5.0, 30.0
"""Band of the lines, cycles per tile: below is the host's strongest part, above dies at half size."""
PILOTS, VERIFY = 72, 160
PILOT_BAND = (7.0, 22.0)
"""Pilots keep to the part of the band that survives most, or nothing can be found at all."""
_SLOPE = -0.35
"""Amplitude ~ r**slope: a compromise between the host's spectrum and what compression leaves."""
AMPLITUDE_PILOT, AMPLITUDE_VERIFY = 1.9, 1.2
"""Relative to data lines; 72 pilots at 1.9 found more than 120 weaker ones (measured)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """The lines of one key.

    Attributes:
        u: (n,) horizontal cycles per tile.
        v: (n,) vertical cycles per tile, v ≥ 0.
        radius: (n,) hypot(u, v).
        phase: (n,) keyed phases in [0, 2π).
        amplitude: (n,) relative amplitudes, role included.
        pilots: indices of the pilot lines.
        verify: indices of the verify lines.
        data: indices of the data lines.
        coded_bit: (len(data),) which coded bit each data line carries.
        whitening: (CODED_BITS,) 0 or 1, added to the coded bits.
    """

    u: NDArray[np.int64]
    v: NDArray[np.int64]
    radius: NDArray[np.float64]
    phase: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    pilots: NDArray[np.int64]
    verify: NDArray[np.int64]
    data: NDArray[np.int64]
    coded_bit: NDArray[np.int64]
    whitening: NDArray[np.int64]


@lru_cache(maxsize=32)
def layout_of(key: WatermarkKey) -> Layout:
    """The layout of ``key``; the same on every machine and version."""
    u, v = _band()
    radius = np.hypot(u, v)
    order = np.argsort(_stream(key, "roles", len(u)), kind="stable")
    low = (radius[order] >= PILOT_BAND[0]) & (radius[order] <= PILOT_BAND[1])
    pilots = order[low][:PILOTS]
    rest = order[~np.isin(order, pilots)]
    verify, data = rest[:VERIFY], rest[VERIFY:]
    amplitude = radius**_SLOPE
    amplitude[pilots] *= AMPLITUDE_PILOT
    amplitude[verify] *= AMPLITUDE_VERIFY
    spread = np.argsort(_stream(key, "spread", len(data)), kind="stable")
    coded_bit = np.empty(len(data), np.int64)
    coded_bit[spread] = np.arange(len(data)) % CODED_BITS
    return Layout(
        u=u,
        v=v,
        radius=radius,
        phase=_stream(key, "phase", len(u)).astype(np.float64) * (2 * np.pi / 2**64),
        amplitude=amplitude,
        pilots=pilots,
        verify=verify,
        data=data,
        coded_bit=coded_bit,
        whitening=(_stream(key, "whitening", CODED_BITS) & np.uint64(1)).astype(np.int64),
    )


def _band() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    u, v = (axis.ravel() for axis in np.meshgrid(np.arange(-T // 2 + 1, T // 2), np.arange(T // 2)))
    radius = np.hypot(u, v)
    keep = (radius >= R_MIN) & (radius <= R_MAX) & ((v > 0) | (u > 0))
    return u[keep], v[keep]


def _stream(key: WatermarkKey, tag: str, count: int) -> NDArray[np.uint64]:
    seed = b"org.mediaguard.tile.1\0" + key.secret + key.epoch.to_bytes(4, "big") + tag.encode()
    return np.frombuffer(hashlib.shake_256(seed).digest(8 * count), dtype="<u8").astype(np.uint64)
