"""How well a picture agrees with each carrier.

Not bit by bit: the share of a bit's blocks that say 1 is correlated with the message. Real pictures push all
shares the same way (a sky decodes to all ones or all zeros) and a weakened mark leaves a tendency only; both
cost a majority vote its bits and a correlation nearly nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from provenance.watermark import legacy_dct
from provenance.watermark.carriers import CARRIERS, CarrierReading, Route
from provenance.watermark.legacy_plane import SIDE, STEP, bands, pooled, shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from provenance.media import Frames
    from provenance.watermark.carriers import Carrier

    Decide = Callable[[NDArray[np.uint8]], NDArray[np.bool_]]

_STRIP = 256
"""Rows rounded at once: four bytes a sample are too many for a whole large picture."""
_CERTAIN = 0.999999
"""Correlations are taken for at most this: the transformed statistic has no end."""


def best(frames: Frames) -> CarrierReading:
    """The reading with the largest statistic, over all carriers and routes."""
    pixels = _eight_bit(frames)
    said = {route: decisions(pixels, route) for route in Route}
    readings = [reading(said[route], carrier, route) for carrier in CARRIERS for route in carrier.routes]
    return max(readings, key=lambda each: each.statistic)


def reading(said: NDArray[np.bool_], carrier: Carrier, route: Route) -> CarrierReading:
    """How well the blocks' decisions agree with one carrier."""
    message = np.frombuffer(carrier.message.encode(), np.uint8) == ord("1")
    share = shares(said, len(message))
    correlation = agreement(share[None], message[None])[0, 0]
    return CarrierReading(
        software=carrier.software,
        bits=len(message),
        matching=int(np.sum((share * 255 > 127) == message)),
        correlation=float(correlation),
        statistic=float(statistic(correlation, len(message))),
        route=route,
        looks=sum(len(each.routes) for each in CARRIERS),
    )


def agreement(share: NDArray[np.float64], messages: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(k, m) Pearson correlations of (k, n) shares with (m, n) messages; 0 where all shares are the same."""
    return np.asarray(_standard(share) @ _standard(messages.astype(np.float64)).T)


def statistic(correlation: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """Fisher's transform, in standard deviations of what independent shares would give."""
    return np.asarray(np.arctanh(np.clip(correlation, -_CERTAIN, _CERTAIN)) * np.sqrt(bits - 3))


def decisions(pixels: NDArray[np.uint8], route: Route) -> NDArray[np.bool_]:
    """What each block of (H, W, 3) RGB says when read as ``route`` wrote it."""
    decide: Decide = legacy_dct.decisions if route is Route.EIGHT_BIT else _float_reader(route)
    return np.concatenate([decide(band) for _, band in bands(pixels)])


def _float_reader(route: Route) -> Decide:
    """U is linear, so that sums over 2 × 2 pixels of R, G and B are enough; OpenCV's weights and offset."""
    blue, red = (0, 2) if route is Route.SWAPPED else (2, 0)

    def decide(band: NDArray[np.uint8]) -> NDArray[np.bool_]:
        inside = band[:, : band.shape[1] // SIDE * SIDE]
        sums = [pooled(cv2.extractChannel(inside, channel)).astype(np.float32) for channel in range(3)]
        luma = np.float32(0.299) * sums[red] + np.float32(0.587) * sums[1] + np.float32(0.114) * sums[blue]
        size = np.abs((sums[blue] - luma) * np.float32(0.492 / 2) + np.float32(1))
        size[0::4, 0::4] = 0  # the first value of a block is never looked at
        rows, columns = size.shape[0] // 4, size.shape[1] // 4
        tall = size.reshape(rows, 4, 4 * columns).max(axis=1)
        largest = tall.reshape(rows * columns, 4).max(axis=1)
        return np.asarray(largest % np.float32(STEP) > np.float32(0.5 * STEP))

    return decide


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
    return np.asarray(centred / np.maximum(length, 1e-9))


def _eight_bit(frames: Frames) -> NDArray[np.uint8]:
    pixels = frames.pixels[0]
    if frames.depth == 8:
        return np.ascontiguousarray(pixels, np.uint8)
    rounded = np.empty(pixels.shape, np.uint8)
    for start in range(0, frames.height, _STRIP):
        rows = np.s_[start : start + _STRIP]
        rounded[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return rounded
