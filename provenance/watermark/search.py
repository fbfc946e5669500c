"""Where a tile may lie in a plane: geometries to try, cheapest stages first, the most promising first.

Each stage proposes geometries, sieves them by ever dearer looks (pilot power, the pilots' phase
correlation, a climb to its peak) and hands on the few in which pilots and data lines together stand out.
Verify lines have no say in any of this: they are kept for the statistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from provenance.watermark import synchronisation as sync
from provenance.watermark.correlation import COARSE_GRID, FINE_GRID, correlate
from provenance.watermark.decoding import fold, lines_in, promise, raw_lines, read_lines
from provenance.watermark.spectrum import spectrum_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from provenance.watermark.decoding import Lines
    from provenance.watermark.layout import Layout
    from provenance.watermark.spectrum import Spectrum

SPREADS = (1.0, 1.6)
"""Sizes at which the tile is laid: fine for texture, coarse for flat art (see ``embedding``)."""
STAGES = 5
QUICK_STAGES = 2
_SIEVE = 320
"""Geometries of a stage that are judged by phases; more of them are sieved by power first."""
_REFINED, _FOLLOWED = 12, 3
"""Geometries of a stage that are climbed from, and at most handed on."""
_TURNS_READ = 4
"""Of the sixteen ways a copy can lie at the sizes suggested, so many are read in full."""
_ALIKE = 0.012
"""Geometries closer than this share one peak."""
_FAINTEST = 6.0
"""Pilots and data lines together, from which a geometry is handed on. The nine readable copies that were
hardest to find lay between 5.9 and 10.5, the best of all wrong geometries of a picture between 6.8 and 8.4:
the few that are handed on are told apart by the statistic."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A geometry and what is read under it.

    Attributes:
        matrix: (2, 2) from plane pixels to tile coordinates.
        lines: the tile's lines under it.
    """

    matrix: NDArray[np.float64]
    lines: Lines


class Search:
    """One plane, for any number of keys; what does not depend on the key is computed once."""

    def __init__(self, plane: NDArray[np.float32]) -> None:
        self.plane = plane
        self.size = (plane.shape[1], plane.shape[0])

    def candidates(self, stage: int, layout: Layout) -> Iterator[Candidate]:
        """Geometries of one stage that are worth following, the most promising first.

        Args:
            stage: 0 what the plane's size suggests; 1 upright at any scale (crops); 2 any rotation;
                3 small tilts of a coarse tile; 4 uneven scaling.
            layout: of the key.
        """
        if stage == 0:
            yield from self._suggested(layout)
            return
        for frequency in self._standing_out(self._proposed(stage, layout), layout):
            matrix = frequency.T
            yield Candidate(matrix=matrix, lines=read_lines(self.plane, matrix, layout))

    def _suggested(self, layout: Layout) -> list[Candidate]:
        """All turns and mirror images come from one folding: they only rename its lines."""
        tries = [(matrix, folded, turn) for matrix, folded in self._folded for turn in sync.TURNS]
        pilots = np.stack([raw_lines(folded, layout, turn)[layout.pilots] for _, folded, turn in tries])
        peaks, _ = correlate(pilots.astype(np.complex64), layout, grid=FINE_GRID)
        found = [
            Candidate(matrix=turn @ matrix, lines=lines_in(folded, layout, turn))
            for matrix, folded, turn in (tries[index] for index in np.argsort(-peaks)[:_TURNS_READ])
        ]
        return sorted(found, key=lambda one: -promise(one.lines, layout))[:2]

    def _proposed(self, stage: int, layout: Layout) -> NDArray[np.float64]:
        if stage == 3:  # there power says too little
            return sync.tilted(self.size, max(SPREADS))
        if stage == 1:
            proposed = sync.upright(self.size, tight=self._spectrum.longest > 640)
        elif stage == 2:
            proposed = sync.rotations(self._spectrum, layout, self.size, keep=160)
        else:
            proposed = sync.uneven(self.size)
        return sync.promising(self._spectrum, layout, proposed, keep=_SIEVE)

    def _standing_out(self, proposed: NDArray[np.float64], layout: Layout) -> list[NDArray[np.float64]]:
        if not len(proposed):  # a plane without structure has no peaks
            return []
        if len(proposed) > _SIEVE:
            glance, _ = self._correlated(proposed, layout, COARSE_GRID)
            proposed = proposed[np.argpartition(-glance, _SIEVE)[:_SIEVE]]
        scores, offsets = self._correlated(proposed, layout, FINE_GRID)
        apart = _apart(proposed, scores)
        refined = sync.refine(self._spectrum, layout, proposed[apart], offsets[apart])
        ranked = [
            (score + sync.agreement(self._spectrum, layout, matrix, offset), matrix)
            for score, matrix, offset in zip(*refined, strict=True)
        ]
        ranked.sort(key=lambda item: -item[0])
        return [matrix for total, matrix in ranked[:_FOLLOWED] if total >= _FAINTEST]

    def _correlated(
        self, matrices: NDArray[np.float64], layout: Layout, grid: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return correlate(sync.pilot_lines(self._spectrum, layout, matrices), layout, grid=grid)

    @cached_property
    def _spectrum(self) -> Spectrum:
        return spectrum_of(self.plane, sync.highest(self.size))

    @cached_property
    def _folded(self) -> list[tuple[NDArray[np.float64], NDArray[np.complexfloating]]]:
        """(matrix, transform) of the plane folded as its size suggests, for each spread."""
        matrices = [np.eye(2) / scale for scale in sync.sizes(self.size, SPREADS)]
        return [(matrix, scipy.fft.fft2(fold(self.plane, matrix))) for matrix in matrices]


def _apart(matrices: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """The best ones that do not share a peak with one before them."""
    taken: list[int] = []
    for index in np.argsort(-scores):
        matrix = matrices[index]
        if all(np.abs(matrix - matrices[other]).max() >= _ALIKE * np.abs(matrix).max() for other in taken):
            taken.append(int(index))
        if len(taken) == _REFINED:
            break
    return taken
