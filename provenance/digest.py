"""The visual digest: what a released picture looked like, small enough to sign with it.

A 32 × 32 thumbnail in CIE L*a*b*, 3 kB. Because it stands in the signed manifest, it says which
picture the manifest is about after everything else was stripped from a copy. Values only;
``provenance.digest_compare`` computes and compares.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from provenance.errors import IntegrityError

GRID = 32
VERSION = 1
_LAB_BYTES = GRID * GRID * 3
_MAX_SIDE = 1 << 20

Assertion = dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualDigest:
    """A released picture at 32 × 32.

    Attributes:
        version: of this layout; 1.
        width: of the released picture, in pixels.
        height: of the released picture, in pixels.
        lab: 32 × 32 × 3 bytes, row by row: L* × 2.55, a* + 128, b* + 128, rounded; each cell is the
            mean over its part of the picture. Transparent parts are laid on mid gray.
    """

    version: int = VERSION
    width: int
    height: int
    lab: bytes = field(repr=False)

    def __post_init__(self) -> None:
        sides_ok = 1 <= self.width <= _MAX_SIDE and 1 <= self.height <= _MAX_SIDE
        if self.version != VERSION or len(self.lab) != _LAB_BYTES or not sides_ok:
            raise ValueError("a visual digest has version 1, a size in pixels and 3072 bytes")

    def to_assertion(self) -> Assertion:
        """The digest as the data of a manifest assertion."""
        lab = base64.b64encode(self.lab).decode("ascii")
        return {"version": self.version, "width": self.width, "height": self.height, "lab": lab}

    @classmethod
    def from_assertion(cls, data: object) -> VisualDigest:
        """Read what ``to_assertion`` wrote.

        Raises:
            IntegrityError: ``digest.malformed``; a manifest with such an assertion vouches for nothing.
        """
        if not isinstance(data, Mapping) or set(data) != {"version", "width", "height", "lab"}:
            raise _malformed("its fields are not those of a visual digest")
        version, width, height, lab = (data[name] for name in ("version", "width", "height", "lab"))
        if type(version) is not int or type(width) is not int or type(height) is not int:
            raise _malformed("a number is missing")
        if not isinstance(lab, str) or len(lab) > 2 * _LAB_BYTES:
            raise _malformed("its thumbnail is not text of the right length")
        try:
            pixels = base64.b64decode(lab, validate=True)
            return cls(version=version, width=width, height=height, lab=pixels)
        except (ValueError, binascii.Error) as error:
            raise _malformed(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReading:
    """A found copy held against a signed digest.

    Attributes:
        matches: it is the same picture, perhaps altered in places.
        score: correlation of the two thumbnails where they overlap, -1 to 1.
        altered: 32 × 32 cells of the released picture, row by row: True where the copy differs.
        difference: 32 × 32 differences in L*a*b* units, row by row; 0 outside the copy.
        altered_fraction: share of the cells the copy covers that differ, 0 to 1.
        kept: (left, top, right, bottom) of what the copy covers, in fractions of the released picture.
        crop_fraction: share of the released picture's area that the copy covers, 0 to 1.
        around_fraction: share of the copy's area that lies around the picture, 0 to 1; plain borders and
            the corners of a turned picture are counted.
        rotation: degrees by which the copy is turned, counter-clockwise, in (-180, 180].
        mirrored: the copy is a mirror image.
        scale: (horizontal, vertical) size of the copy relative to the released picture.
        notes: plain words on what else changed, e.g. "brighter".
    """

    matches: bool
    score: float
    altered: tuple[tuple[bool, ...], ...] = field(repr=False)
    difference: tuple[tuple[float, ...], ...] = field(repr=False)
    altered_fraction: float
    kept: tuple[float, float, float, float]
    crop_fraction: float
    around_fraction: float
    rotation: float
    mirrored: bool
    scale: tuple[float, float]
    notes: tuple[str, ...] = ()


def _malformed(why: str) -> IntegrityError:
    return IntegrityError(
        "digest.malformed", f"the visual digest in the manifest cannot be read: {why}", where="visual digest"
    )
