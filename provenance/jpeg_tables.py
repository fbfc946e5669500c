"""Which IJG quality a JPEG's quantisation tables stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# ITU-T T.81 annex K, tables K.1 and K.2, in natural order; the bases that libjpeg scales by quality.
_LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMINANCE = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    *[99] * 32,
)  # fmt: skip


def nearest_quality(tables: Mapping[int, tuple[int, ...]]) -> int | None:
    """The quality 1..100 whose libjpeg tables differ least from ``tables`` (0 luminance, 1 chrominance).

    Other encoders use other tables; theirs is the quality of about the same loss. None without a table 0.
    """
    luminance, chrominance = tables.get(0), tables.get(1)
    if luminance is None:
        return None

    def distance(quality: int) -> int:
        away = _distance(luminance, _scaled(_LUMINANCE, quality))
        return away if chrominance is None else away + _distance(chrominance, _scaled(_CHROMINANCE, quality))

    return min(range(100, 0, -1), key=distance)


def _scaled(base: tuple[int, ...], quality: int) -> tuple[int, ...]:
    """jpeg_quality_scaling and jpeg_add_quant_table of libjpeg's jcparam.c, baseline."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(max((value * scale + 50) // 100, 1), 255) for value in base)


def _distance(found: tuple[int, ...], expected: tuple[int, ...]) -> int:
    return sum(abs(a - b) for a, b in zip(found, expected, strict=False))
