"""How a picture looks, in 64 bits, and which of a million look alike.

The bits are a perceptual hash of the lightness thumbnail that the signed content digest holds: signs of the
lowest frequencies of its cosine transform around their median. Pictures that look alike share most bits, and
so do pictures that merely resemble each other: a match is "similar to", never "is" (house promise 3).

Look-ups use multi-index hashing (Norouzi, Punjani and Fleet, CVPR 2012): of two hashes within 10 bits of each
other one of the four 16-bit words is within 2, so only entries that share such a word are counted out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
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
_WORDS, _WORD_BITS = 4, 16


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
        number: its place among the fingerprints of the index.
        distance: bits of 64 that differ.
    """

    number: int
    distance: int


class FingerprintIndex:
    """Fingerprints by their four words."""

    def __init__(self, fingerprints: Sequence[bytes] | NDArray[np.uint64]) -> None:
        import numpy as np  # noqa: PLC0415

        if isinstance(fingerprints, np.ndarray):
            self._values = np.ascontiguousarray(fingerprints, dtype=np.uint64)
        else:
            joined = b"".join(fingerprints)
            self._values = np.frombuffer(joined, dtype=">u8").astype(np.uint64)
        words = self._words(self._values)
        self._orders = [np.argsort(word, kind="stable").astype(np.uint32) for word in words]
        counts = [np.bincount(word, minlength=1 << _WORD_BITS) for word in words]
        self._starts = [np.concatenate(([0], np.cumsum(count))) for count in counts]
        self._near = self._flips(RADIUS // _WORDS)

    def __len__(self) -> int:
        """How many fingerprints there are."""
        return len(self._values)

    def look_up(self, wanted: bytes, *, radius: int = RADIUS, most: int = 8) -> tuple[Similar, ...]:
        """Entries within ``radius`` bits of ``wanted``, the nearest first, at most ``most``.

        Raises:
            ValueError: ``wanted`` has not 8 bytes, or ``radius`` is beyond what the index finds (10).
        """
        import numpy as np  # noqa: PLC0415

        if len(wanted) != BYTES or not 0 <= radius <= RADIUS:
            raise ValueError(f"fingerprints have {BYTES} bytes and are found within {RADIUS} bits")
        value = np.frombuffer(wanted, dtype=">u8").astype(np.uint64)
        parts = []
        for word, order, starts in zip(self._words(value), self._orders, self._starts, strict=True):
            near = self._near ^ int(word[0])
            parts += [
                order[low:high]
                for low, high in zip(starts[near], starts[near + 1], strict=True)
                if high > low
            ]
        if not parts:
            return ()
        candidates = np.unique(np.concatenate(parts))
        distances = _bits(self._values[candidates] ^ value[0])
        kept = np.flatnonzero(distances <= radius)
        best = kept[np.lexsort((candidates[kept], distances[kept]))][:most]
        return tuple(Similar(number=int(candidates[at]), distance=int(distances[at])) for at in best)

    @staticmethod
    def _words(values: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
        import numpy as np  # noqa: PLC0415

        mask = np.uint64((1 << _WORD_BITS) - 1)
        return [((values >> np.uint64(_WORD_BITS * at)) & mask).astype(np.int64) for at in range(_WORDS)]

    @staticmethod
    def _flips(most: int) -> NDArray[np.int64]:
        """Every pattern of at most ``most`` set bits in a word."""
        import numpy as np  # noqa: PLC0415

        patterns = [
            sum(1 << bit for bit in bits)
            for count in range(most + 1)
            for bits in combinations(range(_WORD_BITS), count)
        ]
        return np.array(patterns, dtype=np.int64)


def distance(one: bytes, other: bytes) -> int:
    """Bits that differ between two fingerprints."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _bits(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    import numpy as np  # noqa: PLC0415

    bits = np.unpackbits(values.view(np.uint8).reshape(-1, BYTES), axis=1)
    return np.asarray(bits.sum(axis=1, dtype=np.int64))
