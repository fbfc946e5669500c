"""The private layer: did *this installation* mark a picture that looks like this one?

The locator key is handed out with a registry, so a mark written with it proves nothing about who wrote
it. Operators who want more make a private mark key. Then every data line of the tile also carries, in
quadrature to its payload bit (turned by 90 degrees, where decoding the payload does not look), one sign of

    SHAKE-256(HMAC-SHA-256(private key, epoch, 32 coarse signs of the picture))

It has no pilots: the locator's geometry is used. A mark that is lifted off and pasted onto another picture
brings the signs of the old picture along; the new one calls for others, and the layer is absent. What the
picture shows is taken from the copy itself, or, where the copy is a crop, from the content digest in
the manifest that the locator led to. Signs near zero may have turned over on the way, so patterns with up to
four of the eight least reliable ones turned are tried, and paid for (``private_weighing``).

A number of the operator's own, 1 to 255 (which tenant, which model), may go along: the same stream gives
each line a label of eight bits, and the line's sign turns over where label and number have an odd number
of ones in common. Labels change with the picture and are secret, so nobody without the key turns one
number into another; number 0 is the layer without one.

What it cannot do: a holder of the locator key can wipe it out, and a picture made to share all 32 coarse
signs would carry it; the manifest's digest has the last word there. The null is exact, as for the
locator: without the private key the signs are fair coins (``statistic``).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.watermark.decoding import read_lines
from provenance.watermark.front_end import luma_of, whiten
from provenance.watermark.layout import layout_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.keys import PrivateMarkKey
    from provenance.media import Frames
    from provenance.watermark.interface import Geometry, WatermarkKey
    from provenance.watermark.layout import Layout

NUMBERS = range(1, 256)
"""Numbers of the operator's own that the layer can carry."""
NO_NUMBER = 0
GRID = 32
"""Side of the thumbnail that the coarse signs are taken from."""
_SIGNS = 32
"""Of 38 pictures none had more than eight of 32 signs in doubt after JPEG-30, half or a third of the size,
noise or a 3 % crop; with 63 signs a quarter of the 3 % crops had."""
_LOUDEST = 4.0
"""Lines louder than this many times the noise of their band count as if they had it: interference."""


def coarse_signs(thumbnail: NDArray[np.floating]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """What a picture shows, in 32 signs, and how sure each is.

    Args:
        thumbnail: (rows, columns) lightness, at least 32 each, every cell the mean over its part of the
            picture; any unit.

    Returns:
        (32,) signs of the lowest cosine waves without the constant, and (32,) their sizes.
    """
    grid = np.ascontiguousarray(thumbnail, np.float32)
    if grid.shape != (GRID, GRID):
        grid = np.asarray(cv2.resize(grid, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)
    waves = cv2.dct(grid)[_ORDER].astype(np.float64)
    return waves > 0, np.abs(waves)


def line_signs(
    key: PrivateMarkKey, signs: NDArray[np.bool_], count: int, number: int = NO_NUMBER
) -> NDArray[np.int8]:
    """(count,) +1 or -1 that ``key`` gives each data line of a picture with these coarse signs.

    Args:
        key: the private key.
        signs: (32,) coarse signs.
        count: data lines.
        number: of the operator's own, one of ``NUMBERS``, or ``NO_NUMBER``.
    """
    (bits,), (labels,) = streams(key, signs[None], count)
    turned = bits ^ (np.bitwise_count(labels & np.uint8(number)) & 1)
    return np.asarray(1 - 2 * turned.astype(np.int8), np.int8)


def streams(
    key: PrivateMarkKey, patterns: NDArray[np.bool_], count: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What ``key`` makes of each of (m, 32) coarse signs.

    Returns:
        (m, count) bits, 1 for a line of sign -1 in a layer without a number, and (m, count) labels.
    """
    whose = b"org.mediaguard.private.1\0" + key.epoch.to_bytes(4, "big")
    packed, size = np.packbits(patterns, axis=1), -(-count // 8)
    seeds = (hmac.digest(key.secret, whose + said.tobytes(), "sha256") for said in packed)
    drawn = b"".join(hashlib.shake_256(seed).digest(size + count) for seed in seeds)
    each = np.frombuffer(drawn, np.uint8).reshape(len(packed), size + count)
    return np.unpackbits(each[:, :size], axis=1, count=count), each[:, size:]


def quadrature(layout: Layout, signs: NDArray[np.int8]) -> NDArray[np.complex128]:
    """Lines of a tile that carries the private layer alone."""
    lines = np.zeros(len(layout.phase), np.complex128)
    phase = np.exp(1j * layout.phase[layout.data])
    lines[layout.data] = 1j * signs * layout.amplitude[layout.data] * phase
    return lines


def thumbnail_of(frames: Frames) -> NDArray[np.float32]:
    """The (32, 32) thumbnail of a whole picture."""
    return np.asarray(cv2.resize(luma_of(frames), (GRID, GRID), interpolation=cv2.INTER_AREA))


def quadratures(frames: Frames, geometry: Geometry, locator: WatermarkKey) -> NDArray[np.float64]:
    """(n,) what the data lines show in quadrature, weighted by what they are worth."""
    whitened = whiten(luma_of(frames))
    layout = layout_of(locator)
    matrix = np.array(geometry.matrix) / np.array(whitened.reduction)[None]
    lines = read_lines(whitened.plane, matrix, layout)
    across = np.clip(lines.soft[layout.data].imag, -_LOUDEST, _LOUDEST)
    return np.asarray(across * lines.gain[layout.data])


def upright(thumbnail: NDArray[np.float32], geometry: Geometry) -> NDArray[np.floating]:
    """Undo quarter turns and mirror images; what else was done to the picture, the thumbnail forgives."""
    turn = np.array(geometry.matrix)
    turn = turn / np.sqrt(abs(np.linalg.det(turn)))
    if abs(turn[0, 0]) < abs(turn[0, 1]):  # x of the tile runs along y of the copy
        thumbnail, turn = thumbnail.T, turn[:, ::-1]
    return thumbnail[:: -1 if turn[1, 1] < 0 else 1, :: -1 if turn[0, 0] < 0 else 1]


def _order() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    v, u = np.divmod(np.arange(64), 8)
    lowest = np.lexsort((u, u + v))[1 : _SIGNS + 1]
    return v[lowest], u[lowest]


_ORDER = _order()
