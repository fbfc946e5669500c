"""Looking for the private layer: all it may have been written as, each paid for.

For one key, one look at the picture and one number the lines of the layer are known but for the coarse
signs that turned over on the way. So the hypotheses are keys x looks x numbers x patterns of turned signs,
and the p-value of each is multiplied by what it costs (Bonferroni with weights: the shares of all
hypotheses sum to one). Half of it goes to layers without a number, half to the 255 numbers; within each
the same share to no sign turned, to one, two, three and four. In 160 copies of marked pictures (JPEG-60 and
30, half size, both) none had turned in nine of ten, and never more than two; in crops of 5 % mostly one to
three, and up to four.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from provenance.evidence import Evidence, Outcome
from provenance.watermark.private import (
    NO_NUMBER,
    NUMBERS,
    coarse_signs,
    quadratures,
    streams,
    thumbnail_of,
    upright,
)
from provenance.watermark.private_reading import CLAIM, PrivateReading
from provenance.watermark.statistic import Null, corrected, log10_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provenance.keys import PrivateMarkKey
    from provenance.media import Frames
    from provenance.watermark.interface import Geometry, WatermarkKey

LEVEL_LOG10_P = -6.0
"""From here on the layer is said to be there; nothing else, no CRC, stands behind it."""
UNSURE, MOST_TURNED = 8, 4
"""Which signs may have turned over, and how many of them."""
HYPOTHESES = (1 + len(NUMBERS)) * sum(comb(UNSURE, count) for count in range(MOST_TURNED + 1))
"""For one key and one look."""
_TURNED = tuple(
    np.array(list(combinations(range(UNSURE), count)), np.int64).reshape(comb(UNSURE, count), count)
    for count in range(MOST_TURNED + 1)
)


def read_private(
    frames: Frames,
    geometry: Geometry,
    locator: WatermarkKey,
    keys: Sequence[PrivateMarkKey],
    *,
    thumbnails: Sequence[NDArray[np.floating]] = (),
) -> Evidence:
    """Look for the private layer of ``keys`` where a mark of ``locator`` was read.

    Args:
        frames: the copy, as found.
        geometry: of the mark read in it.
        locator: the key it was read with.
        keys: private keys, all epochs.
        thumbnails: lightness of pictures that it may be a part of, from signed digests (``coarse_signs``).
    """
    shown = [*thumbnails, upright(thumbnail_of(frames), geometry)]
    reading = weigh(quadratures(frames, geometry, locator), [coarse_signs(one) for one in shown], keys)
    outcome = Outcome.SUPPORTS if reading.log10_p <= LEVEL_LOG10_P else Outcome.ABSENT
    return Evidence(claim=CLAIM, channel="private-mark", outcome=outcome, detail=reading)


def weigh(
    across: NDArray[np.float64],
    shown: Sequence[tuple[NDArray[np.bool_], NDArray[np.float64]]],
    keys: Sequence[PrivateMarkKey],
) -> PrivateReading:
    """The hypothesis that fits best, and how likely such a fit is by chance.

    Args:
        across: (n,) from ``quadratures``.
        shown: what the picture may show, at least one of ``coarse_signs``.
        keys: at least one.
    """
    looks = len(keys) * len(shown)
    fits = [_best(across, patterns_of(*one), key) for key in keys for one in shown]
    best = min(fits, key=lambda fit: fit.log10_p)
    p = corrected(best.log10_p, looks)
    return PrivateReading(
        key_id=best.key.key_id,
        epoch=best.key.epoch,
        number=best.number if best.number in NUMBERS and p <= LEVEL_LOG10_P else None,
        log10_p=p,
        tried=looks * HYPOTHESES,
    )


def patterns_of(signs: NDArray[np.bool_], sizes: NDArray[np.float64]) -> tuple[NDArray[np.bool_], ...]:
    """Patterns of coarse signs with none, one, two, three and four of the least sure ones turned over.

    Args:
        signs: (32,) as seen.
        sizes: (32,) how sure each is.

    Returns:
        for each count of turned signs (m, 32).
    """
    unsure = np.argsort(sizes, kind="stable")[:UNSURE]
    groups = []
    for turned in _TURNED:
        patterns = np.repeat(signs[None], len(turned), axis=0)
        np.put_along_axis(patterns, unsure[turned], ~signs[unsure[turned]], axis=1)
        groups.append(patterns)
    return tuple(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """The best hypothesis of one key and one look, and its p-value among all of these."""

    key: PrivateMarkKey
    number: int
    log10_p: float


def _best(across: NDArray[np.float64], groups: Sequence[NDArray[np.bool_]], key: PrivateMarkKey) -> _Fit:
    totals = _totals(across, np.concatenate(groups), key)
    spread = max(float(np.sqrt(across @ across)), 1e-12)
    shares, first = [], 0
    for patterns in groups:
        rows = slice(first, first + len(patterns))
        first = rows.stop
        for numbers in (slice(NO_NUMBER, NUMBERS.start), slice(NUMBERS.start, NUMBERS.stop)):
            share = totals[rows, numbers]
            most = share.max(axis=0)
            price = 2 * len(groups) * share.size
            near = float(special.log_ndtr(-most.max() / spread)) + np.log(
                price
            )  # to choose by; told is the tail
            shares.append((near, float(most.max()), price, numbers.start + int(most.argmax())))
    _, total, price, number = min(shares)
    return _Fit(key=key, number=number, log10_p=corrected(log10_tail(total, across, Null.SIGNS), price))


def _totals(
    across: NDArray[np.float64], patterns: NDArray[np.bool_], key: PrivateMarkKey
) -> NDArray[np.float64]:
    """(m, 256) how well the lines agree with each pattern and number."""
    bits, labels = streams(key, patterns, len(across))
    by_label = [  # row by row: what fits into a processor's cache is done in a third of the time
        np.bincount(row, np.where(minus, -across, across), len(_PARITIES))
        for minus, row in zip(bits.astype(np.bool_), labels, strict=True)
    ]
    return np.asarray(np.stack(by_label) @ _PARITIES)


def _parities() -> NDArray[np.float64]:
    label, number = np.ogrid[: NUMBERS.stop, : NUMBERS.stop]
    return np.asarray(1.0 - 2.0 * (np.bitwise_count(label & number) & 1))


_PARITIES = _parities()
"""(256, 256) what each label and number do to the sign of a line; a Hadamard matrix."""
