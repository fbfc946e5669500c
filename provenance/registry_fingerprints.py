"""How a picture looks, in 64 bits, and which of a million look alike.

The bits are a perceptual hash of the lightness thumbnail that the signed content digest holds: signs of the
lowest frequencies of its cosine transform around their median. Pictures that look alike share most bits, and
so do pictures that merely resemble each other: a match is "similar to", never "is" (house promise 3).

Look-ups count the bits of every entry, block by block: of a million that takes less time than the index that
avoids it (multi-index hashing, Norouzi, Punjani and Fleet, CVPR 2012, took twice as long here).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.digest import COARSE, VisualDigest
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from provenance.media import Frames

ALGORITHM = "org.mediaguard.phash.1"
"""Our own name; not on the C2PA soft binding algorithm list."""
BYTES = 8
RADIUS = 10
"""Bits of 64 that may differ between pictures that are called similar."""
_LOW = 8
_BLOCK = 65_536
"""Fingerprints that are compared at once: what is computed of them stays in the processor's cache."""


def fingerprint(lightness: NDArray[np.floating]) -> bytes:
    """8 bytes of how (32, 32) cells of lightness look, whatever their range."""
    import numpy as np  # noqa: PLC0415

    steps = np.arange(COARSE) + 0.5
    # DCT-II (Ahmed, Natarajan and Rao 1974): the lowest frequencies of each axis, without the mean.
    basis = np.cos(np.pi / COARSE * np.outer(np.arange(1, _LOW + 1), steps))
    low = basis @ np.asarray(lightness, dtype=np.float64) @ basis.T
    return np.packbits(low > np.median(low)).tobytes()


def fingerprint_of_digest(assertion: object) -> bytes | None:
    """That of the picture whose digest a manifest signs; None for anything but a picture's digest."""
    from provenance.digest_grid import luma_of  # noqa: PLC0415 - numpy
    from provenance.digest_planes import Reference  # noqa: PLC0415

    try:
        reference = Reference.of(VisualDigest.from_assertion(assertion))
    except IntegrityError:
        return None
    return fingerprint(luma_of(reference.coarse))


def fingerprint_of_frames(frames: Frames) -> bytes:
    """That of a picture that was found."""
    from provenance.digest_grid import area_means, luma_of, view_of  # noqa: PLC0415 - numpy

    return fingerprint(luma_of(area_means(view_of(frames).rgb, COARSE, COARSE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """One entry that looks alike.

    Attributes:
        number: its place among the fingerprints.
        distance: bits of 64 that differ.
    """

    number: int
    distance: int


class Fingerprints:
    """Many of them, to find those like another one.

    Args:
        fingerprints: 8 bytes each, or an array of uint64.
    """

    def __init__(self, fingerprints: Sequence[bytes] | NDArray[np.uint64]) -> None:
        import numpy as np  # noqa: PLC0415

        if isinstance(fingerprints, np.ndarray):
            self._values = np.ascontiguousarray(fingerprints, dtype=np.uint64)
        else:
            self._values = np.frombuffer(b"".join(fingerprints), dtype=">u8").astype(np.uint64)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._values)

    def look_up(self, wanted: bytes, *, radius: int = RADIUS, most: int = 8) -> tuple[Similar, ...]:
        """Those within ``radius`` bits of ``wanted``, the nearest first, at most ``most``.

        Raises:
            ValueError: ``wanted`` has not 8 bytes, or ``radius`` is not 0 to 64.
        """
        import numpy as np  # noqa: PLC0415

        if len(wanted) != BYTES or not 0 <= radius <= 8 * BYTES:
            raise ValueError(f"fingerprints have {BYTES} bytes")
        value = np.uint64(int.from_bytes(wanted, "big"))
        found: list[Similar] = []
        for start in range(0, len(self), _BLOCK):
            bits = np.bitwise_count(self._values[start : start + _BLOCK] ^ value)
            near = np.flatnonzero(bits <= radius)
            found += [Similar(number=start + int(at), distance=int(bits[at])) for at in near]
        return tuple(sorted(found, key=lambda one: (one.distance, one.number))[:most])


def distance(one: bytes, other: bytes) -> int:
    """Bits that differ between two fingerprints."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
