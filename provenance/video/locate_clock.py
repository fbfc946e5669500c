"""Which clock to take where several fit alike: nothing tells the moments of a still from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.video.locate_alignment import Alignment

_AS_GOOD, _STILL_GOOD = 0.98, 0.8
"""Shares of the best total: what another shift needs to fit as well, and what the one at which both begin
needs where both are as long. Slow cameras and edits move the peak by some bins."""
_NEAR, _FLAT = 2, 0.9
"""A clock is sharp when the shifts that many bins away have less than that share of its total."""


def settled(
    first: int, last: int, shift: int, gain: NDArray[np.float32], aligned: Alignment
) -> tuple[int, bool]:
    """The shift to take for ``shift``, and whether others near it fit nearly as well.

    Of those that fit alike it is the one at which most of the file is of the clip; and a file as long as
    the clip begins where the clip does, unless that fits clearly less.

    Args:
        first: slot of the run.
        last: slot of the run, + 1.
        shift: of the best fit, in bins.
        gain: (slots, starts) by how much each slot is found, as ``aligned.scores``; 0 where it is not.
    """
    slots, step = np.arange(first, last)[:, None], aligned.slot_bins
    columns = np.arange(-first * step, gain.shape[1] - (last - 1) * step)
    totals = gain[slots, columns + slots * step].sum(axis=0)
    best = totals[shift + aligned.lead + first * step]
    shares: dict[int, float] = dict(zip(columns - aligned.lead, totals / best, strict=True))
    length = aligned.signed_bins
    if abs(length - aligned.bins) <= 1 and 0 in _around(shift, shares, _STILL_GOOD):
        taken = 0
    else:
        taken = max(
            _around(shift, shares, _AS_GOOD),
            key=lambda at: (min(at + length, aligned.bins) - max(at, 0), round(shares[at], 3), -abs(at)),
        )
    beside = [shares.get(taken + way * _NEAR, 0.0) for way in (-1, 1)]
    return taken, bool(max(beside) >= _FLAT * shares[taken])


def _around(shift: int, shares: dict[int, float], least: float) -> range:
    """The shifts on end with ``shift`` that have at least that share of its total."""
    low = high = shift
    while shares.get(low - 1, 0.0) >= least:
        low -= 1
    while shares.get(high + 1, 0.0) >= least:
        high += 1
    return range(low, high + 1)
