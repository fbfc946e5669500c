"""The clip digest: what a released clip looked like, second by second, small enough to sign with it.

Each slot holds the mean picture of its second at 24 cells on the longer side: lightness in every cell,
colour in every other one, about half a kilobyte. The mean is over all pixels and over time, each frame
for as long as it is shown: it is the same whatever the frame rate and however the clip was coded. A clip
has 600 slots at most (300 kB): from ten minutes on a slot is 2 s long, from twenty 4 s, and so on; an hour
has slots of 8 s. Values and sums only;
``clip_digest_compare`` compares.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest_grid import to_lab
from provenance.errors import IntegrityError
from provenance.video.clip_digest_bins import Bins, cells_of, stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 2
MOST_SLOTS = 600
CELLS = 24
"""Cells along the longer side."""
_MAX_SIDE = 1 << 20
_MAX_SECONDS = float(1 << 20)
_LEAST_CELLS = 4
_FIELDS = {"version", "width", "height", "seconds", "slot_seconds", "lab"}

Assertion = dict[str, str | int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDigest:
    """A released clip, slot by slot.

    Attributes:
        version: of this layout; 2.
        width: of the released frames, in pixels.
        height: of the released frames, in pixels.
        seconds: how long the clip is, from its first frame to the end of its last.
        slot_seconds: length of a slot; the last one may be shorter.
        lab: slot by slot: L* × 2.55 of every cell, row by row; then a* + 128 and then b* + 128 of every
            cell of a grid half as fine (rounded up), row by row. ``grid`` has the cells' number.
    """

    version: int = VERSION
    width: int
    height: int
    seconds: float
    slot_seconds: float
    lab: bytes = field(repr=False)

    def __post_init__(self) -> None:
        sides_ok = 1 <= self.width <= _MAX_SIDE and 1 <= self.height <= _MAX_SIDE
        times_ok = 0 < self.seconds <= _MAX_SECONDS and 0.1 <= self.slot_seconds <= _MAX_SECONDS
        if self.version != VERSION or not sides_ok or not times_ok:
            raise ValueError("a clip digest has version 2, a size in pixels and a length in seconds")
        slots = stretches(self.seconds, self.slot_seconds)
        if slots > MOST_SLOTS or len(self.lab) != slots * _slot_bytes(*self.grid):
            raise ValueError("a clip digest has 600 slots at most, each with all of its cells")

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of cells."""
        return cells_of(self.width, self.height, CELLS, least=_LEAST_CELLS)

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return stretches(self.seconds, self.slot_seconds)

    def pictures(self) -> NDArray[np.float32]:
        """(slots, rows, columns, 3) L*a*b*; colours are repeated over the cells they stand for."""
        rows, columns = self.grid
        flat = np.frombuffer(self.lab, np.uint8).reshape(self.slots, -1).astype(np.float32)
        half = ((rows + 1) // 2, (columns + 1) // 2)
        ends = np.cumsum([rows * columns, half[0] * half[1]])
        light, a, b = np.split(flat, ends, axis=1)
        colours = [
            part.reshape(-1, *half).repeat(2, axis=1).repeat(2, axis=2)[:, :rows, :columns] - 128
            for part in (a, b)
        ]
        return np.stack([light.reshape(-1, rows, columns) / 2.55, *colours], axis=-1).astype(np.float32)

    def to_assertion(self) -> Assertion:
        """The digest as the data of a manifest assertion."""
        return {
            "version": self.version,
            "width": self.width,
            "height": self.height,
            "seconds": self.seconds,
            "slot_seconds": self.slot_seconds,
            "lab": base64.b64encode(self.lab).decode("ascii"),
        }

    @classmethod
    def from_assertion(cls, data: object) -> ClipDigest:
        """Read what ``to_assertion`` wrote.

        Raises:
            IntegrityError: ``digest.malformed``; a manifest with such an assertion vouches for nothing.
        """
        if not isinstance(data, Mapping) or set(data) != _FIELDS:
            raise _malformed("its fields are not those of a clip digest")
        whole = (data["version"], data["width"], data["height"])
        times, lab = (data["seconds"], data["slot_seconds"]), data["lab"]
        if any(type(number) is not int for number in whole):
            raise _malformed("a number is missing")
        if any(type(number) not in {int, float} for number in times):
            raise _malformed("a length in seconds is missing")
        if not isinstance(lab, str) or len(lab) > _MOST_TEXT:
            raise _malformed("its pictures are not text of the right length")
        try:
            pixels = base64.b64decode(lab, validate=True)
            seconds, slot_seconds = (float(number) for number in times)
            return cls(
                version=whole[0],
                width=whole[1],
                height=whole[2],
                seconds=seconds,
                slot_seconds=slot_seconds,
                lab=pixels,
            )
        except (ValueError, OverflowError, binascii.Error) as error:
            raise _malformed(str(error)) from error


class ClipDigester:
    """Computes the digest of a clip from its frames, in order; memory does not depend on its length.

    Args:
        size: (width, height) of all frames, in pixels.
        slot_seconds: length of a slot, until the clip has too many of them.
    """

    def __init__(self, size: tuple[int, int], *, slot_seconds: float = 1.0) -> None:
        self._size = size
        rows, columns = cells_of(*size, CELLS, least=_LEAST_CELLS)
        self._bins = Bins((rows, columns), slot_seconds, most=MOST_SLOTS)

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """Take in the next frame: (H, W, 3) uint8, shown from ``seconds`` on."""
        self._bins.add(rgb, seconds)

    def result(self) -> ClipDigest:
        """The digest of the frames so far.

        Raises:
            ValueError: there was no frame.
        """
        means = self._bins.means()
        width, height = self._size
        return ClipDigest(
            width=width,
            height=height,
            seconds=self._bins.seconds,
            slot_seconds=self._bins.length,
            lab=b"".join(_quantised(to_lab(mean.astype(np.float64) / 255)) for mean in means),
        )


def _quantised(lab: NDArray[np.float64]) -> bytes:
    rows, columns = lab.shape[:2]
    even = np.pad(lab[..., 1:], ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    half = even.reshape((rows + 1) // 2, 2, (columns + 1) // 2, 2, 2).mean(axis=(1, 3))
    parts = (lab[..., 0] * 2.55, half[..., 0] + 128, half[..., 1] + 128)
    return b"".join(np.rint(np.clip(part, 0, 255)).astype(np.uint8).tobytes() for part in parts)


def _slot_bytes(rows: int, columns: int) -> int:
    return rows * columns + 2 * ((rows + 1) // 2) * ((columns + 1) // 2)


_MOST_TEXT = 4 * (MOST_SLOTS * _slot_bytes(CELLS, CELLS) // 3 + 2)


def _malformed(why: str) -> IntegrityError:
    return IntegrityError(
        "digest.malformed", f"the clip digest in the manifest cannot be read: {why}", where="clip digest"
    )
