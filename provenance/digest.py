"""The visual digest: what a released picture looked like, small enough to sign with it.

64 × 64 to 96 × 96 cells in CIE L*a*b*, under 4 kB. Because it stands in the signed manifest, it says which
picture the manifest is about after everything else was stripped from a copy. Values only;
``provenance.digest_compare`` computes and compares.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from provenance.errors import IntegrityError

COARSE = 32
"""Cells to a side of the grid on which copies are told from other pictures, whatever their shape."""
VERSION = 3
SIDES = (64, 72, 80, 96)
"""Cells to a side of a square picture's fine grid, by the two upper bits of a code: as many as its bytes keep
well (``provenance.digest_compare.visual_digest``)."""
_MOST_UNEVEN = 4.0
"""A picture longer than this gets no more cells along its length."""
_MAX_SIDE = 1 << 20
_MOST_CODE = 2880

_ADDED = 0.03
"""Share of a file from which what lies around the picture is worth a word."""
_FIELDS = {"version", "width", "height", "code"}
_SAID = ("transparent", "undecided")
"""Fields that are ``true`` or left out."""

Assertion = dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Cells of a digest's planes: ``rows`` × ``columns`` of lightness, half as many each way of colour."""

    rows: int
    columns: int

    @classmethod
    def of(cls, width: int, height: int, side: int = SIDES[0]) -> Shape:
        """About ``side``² cells, about as square as the picture's sides allow; multiples of 8 of them."""
        uneven = min(max(width / height, 1 / _MOST_UNEVEN), _MOST_UNEVEN)
        columns = 8 * round(side * uneven**0.5 / 8)
        return cls(rows=8 * round(columns / uneven / 8), columns=columns)

    @property
    def planes(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of L*, a* and b*."""
        color = (self.rows // 2, self.columns // 2)
        return (self.rows, self.columns), color, color


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualDigest:
    """A released picture at 64 × 64 cells or more.

    Attributes:
        version: of this layout; 3.
        width: of the released picture, in pixels.
        height: of the released picture, in pixels.
        code: means of L* over each cell of ``shape``, and of a* and b* over each four, as at most 2,880
            bytes (``provenance.digest_code``). Transparent parts are laid on mid gray.
        transparent: the released picture is transparent in places.
        undecided: the digest does not recognise the very pixels it was made of, as where they are one plain
            colour: it tells them from no other picture, and contradicts nothing.
    """

    version: int = VERSION
    width: int
    height: int
    code: bytes = field(repr=False)
    transparent: bool = False
    undecided: bool = False

    def __post_init__(self) -> None:
        sides_ok = 1 <= self.width <= _MAX_SIDE and 1 <= self.height <= _MAX_SIDE
        if self.version != VERSION or not 1 <= len(self.code) <= _MOST_CODE or not sides_ok:
            raise ValueError("a visual digest has version 3, a size in pixels and at most 2880 bytes")

    @property
    def shape(self) -> Shape:
        """Cells of the planes in ``code``."""
        return Shape.of(self.width, self.height, SIDES[self.code[0] >> 6])

    def to_assertion(self) -> Assertion:
        """The digest as the data of a manifest assertion; under 4,000 bytes."""
        code = base64.b64encode(self.code).decode("ascii")
        said: Assertion = {"version": self.version, "width": self.width, "height": self.height, "code": code}
        return {**said, **{name: True for name in _SAID if getattr(self, name)}}

    @classmethod
    def from_assertion(cls, data: object) -> VisualDigest:
        """Read what ``to_assertion`` wrote. The code itself is looked into where it is compared.

        Raises:
            IntegrityError: ``digest.malformed``; a manifest with such an assertion vouches for nothing.
        """
        if not isinstance(data, Mapping) or set(data) - set(_SAID) != _FIELDS:
            raise malformed("its fields are not those of a visual digest")
        version, width, height, code = (data[name] for name in ("version", "width", "height", "code"))
        if any(data.get(name, True) is not True for name in _SAID):
            raise malformed("what is said only where it is true is not true")
        if type(version) is not int or type(width) is not int or type(height) is not int:
            raise malformed("a number is missing")
        if not isinstance(code, str) or len(code) > 2 * _MOST_CODE:
            raise malformed("its code is not text of the right length")
        try:
            return cls(
                version=version,
                width=width,
                height=height,
                code=base64.b64decode(code, validate=True),
                transparent="transparent" in data,
                undecided="undecided" in data,
            )
        except (ValueError, binascii.Error) as error:
            raise malformed(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReading:
    """A found copy held against a signed digest.

    Attributes:
        matches: it is the same picture, perhaps altered in places.
        score: correlation of the two thumbnails where they overlap, -1 to 1.
        altered: 32 × 32 cells of the released picture, row by row: True where the copy differs.
        regions: boxes around what differs, as (left, top, right, bottom) in fractions of the released
            picture, the largest first; empty where the copy does not match.
        difference: 32 × 32 differences in L*a*b* units, row by row; 0 outside the copy.
        alteration: the strongest difference over what recompression, resizing and toning explain; above 1
            the copy counts as altered.
        altered_fraction: share of the cells the copy covers that differ, 0 to 1.
        kept: (left, top, right, bottom) of what the copy covers, in fractions of the released picture.
        crop_fraction: share of the released picture's area that the copy covers, 0 to 1.
        around_fraction: share of the copy's area that lies around the picture, 0 to 1; plain borders and
            the corners of a turned picture are counted.
        around_plain: what lies around is one plain ground, as far as it can be told from the rim.
        rotation: degrees by which the copy is turned, counter-clockwise, in (-180, 180].
        mirrored: the copy is a mirror image.
        scale: (horizontal, vertical) size of the copy relative to the released picture.
        placement: rows of the affine map from the copy's pixels, (x, y, 1), to those of the released one.
        notes: plain words on what else changed, e.g. "brighter".
    """

    matches: bool
    score: float
    altered: tuple[tuple[bool, ...], ...] = field(repr=False)
    regions: tuple[tuple[float, float, float, float], ...] = ()
    difference: tuple[tuple[float, ...], ...] = field(repr=False)
    altered_fraction: float
    kept: tuple[float, float, float, float]
    crop_fraction: float
    around_fraction: float
    rotation: float
    mirrored: bool
    scale: tuple[float, float]
    placement: tuple[tuple[float, float, float], tuple[float, float, float]]
    alteration: float = 0.0
    notes: tuple[str, ...] = ()
    around_plain: bool = True

    @property
    def added(self) -> bool:
        """Whether there is something around the picture other than a plain border or a sliver."""
        return self.around_fraction >= _ADDED and not self.around_plain


def malformed(why: str) -> IntegrityError:
    """The error of a digest that cannot be read."""
    return IntegrityError(
        "digest.malformed", f"the visual digest in the manifest cannot be read: {why}", where="visual digest"
    )
