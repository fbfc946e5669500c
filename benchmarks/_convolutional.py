"""The code that marks had before: rate 1/3, constraint length 11, ended by zeros, CRC-24, read by Viterbi.

Larsen 1973; Proakis, Digital Communications, table 8.2-2. Here to be compared with (``ecc.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEMORY, GENERATORS, CRC_BITS = 10, (0o2353, 0o2671, 0o3175), 24
_STATES = 1 << MEMORY


def encode(message: NDArray[np.int64]) -> NDArray[np.int64]:
    """Three bits for each of (n,) zeros and ones and for the tail."""
    padded = np.concatenate([np.zeros(MEMORY, int), message, np.zeros(MEMORY, int)])
    window = np.lib.stride_tricks.sliding_window_view(padded, MEMORY + 1)
    # Column 0 of the window is the oldest bit, so the newest meets the generator's lowest tap.
    taps = np.array(
        [[generator >> (MEMORY - lag) & 1 for lag in range(MEMORY + 1)] for generator in GENERATORS]
    )
    return (window @ taps.T & 1).reshape(-1)


def decode(soft: NDArray[np.float64]) -> NDArray[np.int64]:
    """The likeliest message; soft values are positive for a zero."""
    words = soft.reshape(-1, len(GENERATORS)).astype(np.float32) @ _SIGNS.T
    metric = np.full(_STATES, -1e9, np.float32)
    metric[0] = 0
    came_from_high = np.empty((len(words), _STATES), np.bool_)
    for step, word in enumerate(words):
        low = np.repeat(metric[: _STATES // 2], 2) + word[_OUTPUTS[0]]
        high = np.repeat(metric[_STATES // 2 :], 2) + word[_OUTPUTS[1]]
        np.greater(high, low, out=came_from_high[step])
        metric = np.maximum(low, high)
    bits, state = np.empty(len(words), int), 0  # the tail of zeros ends here
    for step in range(len(words) - 1, -1, -1):
        bits[step] = state & 1
        state = state >> 1 | int(came_from_high[step, state]) << (MEMORY - 1)
    return bits[:-MEMORY]


def _outputs(oldest: int) -> NDArray[np.int64]:
    """Of each state with that bit above it: three bits in a number."""
    register = np.arange(_STATES) | oldest << MEMORY
    return sum((np.bitwise_count(register & generator) & 1) << i for i, generator in enumerate(GENERATORS))


_OUTPUTS = (_outputs(0), _outputs(1))
_SIGNS = np.array([[1 - 2 * (word >> place & 1) for place in range(3)] for word in range(8)], np.float32)
