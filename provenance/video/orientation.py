"""The display matrix: how stored frames are turned and mirrored to be shown (ISO/IEC 14496-12 §8.5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_ONE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """One of the eight ways to lay a frame on the screen.

    Attributes:
        transposed: rows become columns first.
        mirrored: left and right change places, after that.
        flipped: top and bottom do.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @classmethod
    def of(cls, matrix: Sequence[int] | None) -> Orientation:
        """From the nine numbers (a b u, c d v, x y w): shown x = a·x + c·y, shown y = b·x + d·y.

        Raises:
            InputError: ``video.rotation`` for other angles and for scaling.
        """
        if matrix is None:
            return cls()
        a, b, _, c, d = matrix[:5]
        if (abs(a), abs(d), b, c) == (_ONE, _ONE, 0, 0):
            return cls(mirrored=a < 0, flipped=d < 0)
        if (a, d, abs(b), abs(c)) == (0, 0, _ONE, _ONE):
            return cls(transposed=True, mirrored=c < 0, flipped=b < 0)
        raise InputError(
            "video.rotation",
            "the clip is to be shown at an angle other than quarter turns",
            hint="turn its frames upright with an editor first",
        )

    def upright(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Stored (H, W, …) as it is shown; a view."""
        shown = stored.swapaxes(0, 1) if self.transposed else stored
        shown = shown[:, ::-1] if self.mirrored else shown
        return shown[::-1] if self.flipped else shown

    def stored(self, shown: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of ``upright``; a view."""
        back = shown[::-1] if self.flipped else shown
        back = back[:, ::-1] if self.mirrored else back
        return back.swapaxes(0, 1) if self.transposed else back
