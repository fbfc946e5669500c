"""Are the p-values of unmarked pictures true? Trials of (picture copy, fresh key), counted.

A p-value of a keyed mark is about keys drawn at random, so for one picture the trials of fresh keys are
independent, and what varies from picture to picture is whether the statement holds there too. Both
numbers belong in a result: trials, and sources of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.statistics import wilson
from provenance.keys import PrivateMarkKey
from provenance.watermark import synchronisation as sync
from provenance.watermark.decoding import lines_in, log10_tail_of, payload_of
from provenance.watermark.detection import read_in
from provenance.watermark.folding import tile_spectrum
from provenance.watermark.interface import WatermarkKey
from provenance.watermark.layout import layout_of
from provenance.watermark.private_detection import weigh
from provenance.watermark.search import SPREADS, STAGES, Search
from provenance.watermark.statistic import GATE_LOG10_P, corrected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from provenance.watermark.front_end import Whitened

    Shown = tuple[NDArray[np.bool_], NDArray[np.float64]]

LEVELS = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
"""Nominal p-values at which the observed share is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One unmarked copy, looked at with one key that never met it.

    Attributes:
        log10_p: after Bonferroni, as the product would report it.
        accepted: a payload was accepted, wrongly.
    """

    log10_p: float
    accepted: bool


def size_implied_trials(whitened: Whitened, keys: int, random: Callable[[int], bytes]) -> Iterator[Trial]:
    """Fresh keys on one copy where its size says a tile would lie, upright, at both spreads.

    The offset is searched, as always. All that makes a search long, choosing among geometries, is left
    out: pilots and data lines choose, and they tell nothing of verify lines.

    Args:
        whitened: the copy, made ready for reading.
        keys: how many.
        random: n random bytes.
    """
    size = whitened.plane.shape[1], whitened.plane.shape[0]
    spectra = [tile_spectrum(whitened.plane, np.eye(2) / scale) for scale in sync.sizes(size, SPREADS)]
    for _ in range(keys):
        layout = layout_of.__wrapped__(_fresh(random))  # not kept: it is used once
        followed = [lines_in(spectrum, layout) for spectrum in spectra]
        tails = [log10_tail_of(lines, layout) for lines in followed]
        best = corrected(min(tails), len(tails))
        accepted = best <= GATE_LOG10_P and any(payload_of(lines, layout)[1] for lines in followed)
        yield Trial(log10_p=best, accepted=accepted)


def full_trials(whitened: Whitened, keys: int, random: Callable[[int], bytes]) -> Iterator[Trial]:
    """Fresh keys on one copy through the whole search of the product; arguments as above."""
    search = Search(whitened.plane)
    for _ in range(keys):
        reading = read_in(search, whitened, [_fresh(random)], STAGES)
        yield Trial(log10_p=reading.log10_p, accepted=reading.payload is not None)


def private_trials(
    across: NDArray[np.float64], shown: Shown, keys: int, random: Callable[[int], bytes]
) -> Iterator[float]:
    """log10 of the p-value of the private layer under keys that never met the picture.

    Args:
        across: (n,) ``private.quadratures`` of the copy.
        shown: its ``private.coarse_signs``.
        keys: how many.
        random: n random bytes.
    """
    for _ in range(keys):
        yield weigh(across, [shown], [PrivateMarkKey(key_id="fresh", epoch=0, secret=random(32))]).log10_p


def content_trials(
    across: NDArray[np.float64], others: Iterable[Shown], key: PrivateMarkKey
) -> Iterator[float]:
    """The same under the key that did write a layer there, held against what other pictures show."""
    for shown in others:
        yield weigh(across, [shown], [key]).log10_p


def _fresh(random: Callable[[int], bytes]) -> WatermarkKey:
    return WatermarkKey(key_id="fresh", epoch=0, secret=random(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One line of the calibration table.

    Attributes:
        nominal: the p-value.
        observed: trials at or below it.
        n: trials.
    """

    nominal: float
    observed: int
    n: int

    @property
    def ratio(self) -> float:
        """Observed share over the nominal one: 1 is exact, above it the p-values promise too much."""
        return self.observed / self.n / self.nominal

    def to_json(self) -> dict[str, float | int]:
        """With the 95 % Wilson interval of the ratio."""
        share = wilson(self.observed, self.n)
        return {
            "nominal": self.nominal,
            "observed": self.observed,
            "n": self.n,
            "ratio": round(self.ratio, 3),
            "ratio_low": round(share.low / self.nominal, 3),
            "ratio_high": round(share.high / self.nominal, 3),
        }


def levels(log10_ps: Iterable[float]) -> tuple[Level, ...]:
    """The table for all trials."""
    found = [10**value for value in log10_ps]
    return tuple(
        Level(nominal=level, observed=sum(p <= level for p in found), n=len(found)) for level in LEVELS
    )
