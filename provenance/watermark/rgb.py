"""What every mark but the tile takes: 8-bit RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provenance.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def require_rgb(pixels: NDArray[np.uint8]) -> None:
    """(H, W, 3) uint8 and not empty.

    Raises:
        InputError: ``watermark.legacy-picture`` for anything else.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise InputError(
            "watermark.legacy-picture",
            f"this mark is made for 8-bit RGB; this is {pixels.dtype} {pixels.shape}",
            hint="convert the picture to 8-bit RGB without transparency",
        )
