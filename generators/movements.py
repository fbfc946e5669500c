"""How figures of bundled clips move: the words a model reads, and which movement is which backwards.

No heavy imports: training, loading and the oracle read the same table.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STILL = "still"
PATHS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "across": ("rightwards", "leftwards"),
        "along": ("downwards", "upwards"),
        "scale": ("growing", "shrinking"),
        "turn": ("clockwise", "anticlockwise"),
    }
)
"""What changes along a clip, and the movements it shows played forwards and backwards."""
MOVEMENTS = (STILL, *(movement for pair in PATHS.values() for movement in pair))
"""Every movement; each is one word, so that a caption that says it is one token longer."""


def path_of(movement: str) -> tuple[str, bool]:
    """Which of ``PATHS`` a movement follows, and whether backwards; any path will do for ``STILL``.

    Raises:
        KeyError: no such movement, or ``STILL``.
    """
    for path, (forwards, backwards) in PATHS.items():
        if movement in (forwards, backwards):
            return path, movement == backwards
    raise KeyError(movement)
