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

from provenance.watermark import synchronisation as sync
from provenance.watermark.correlation import COARSE_GRID, FINE_GRID, correlate
from provenance.watermark.decoding import lines_in, promise, raw_lines, read_lines
from provenance.watermark.folding import tile_spectrum
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
_CLIMBED, _FREED = 12, 4
"""Geometries of a stage that are climbed from, and of these the ones also tried with shear and stretch."""
_READ, _FOLLOWED = 8, 3
"""Scales of an upright tile that are read, and of these at most handed on."""
_TURNS_READ = 4
"""Of the sixteen ways a copy can lie at the sizes suggested, so many are read in full, at most."""
_NEAR = 0.7
"""Only those whose pilots come so near to the best: without a mark all four do."""
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Peak:
    """A frequency matrix that was climbed to, with the offset near which it was, and what speaks for it."""

    promise: float
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]


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
        proposed = self._proposed(stage, layout)
        if not len(proposed):  # a plane without structure has no peaks
            return
        yield from self._upright(proposed, layout) if stage == 1 else self._anyhow(proposed, layout)

    def _suggested(self, layout: Layout) -> list[Candidate]:
        """All turns and mirror images come from one spectrum: they only rename its lines."""
        tries = [(matrix, spectrum, turn) for matrix, spectrum in self._straight for turn in sync.TURNS]
        pilots = np.stack([raw_lines(spectrum, layout, turn, layout.pilots) for _, spectrum, turn in tries])
        peaks, _ = correlate(pilots.astype(np.complex64), layout, grid=FINE_GRID)
        best = np.argsort(-peaks)[:_TURNS_READ]
        found = [
            Candidate(matrix=turn @ matrix, lines=lines_in(spectrum, layout, turn))
            for matrix, spectrum, turn in (tries[i] for i in best if peaks[i] >= _NEAR * peaks[best[0]])
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

    def _upright(self, proposed: NDArray[np.float64], layout: Layout) -> list[Candidate]:
        """The best scales near those proposed. Straight planes are read exactly, at little cost."""
        matrices, offsets = (array[:_READ] for array in self._peaks(proposed, layout))
        _, matrices, _ = sync.refine(self._spectrum, layout, matrices, offsets, sync.SCALE)
        tries = [Candidate(matrix=one.T, lines=read_lines(self.plane, one.T, layout)) for one in matrices]
        tries.sort(key=lambda one: -promise(one.lines, layout))
        return [one for one in tries[:_FOLLOWED] if promise(one.lines, layout) >= _FAINTEST]

    def _anyhow(self, proposed: NDArray[np.float64], layout: Layout) -> list[Candidate]:
        """The best geometry near those proposed."""
        # Where few tiles are seen, a climb by pilots alone ends in shear and stretch that are not there. Data
        # lines took no part in it: they say whether it went to the right place.
        peaks = self._climb(*self._peaks(proposed, layout), layout, sync.TURN_AND_SCALE)
        best = sorted(peaks, key=lambda peak: -peak.promise)[:_FREED]
        matrices, offsets = np.stack([peak.matrix for peak in best]), np.stack([peak.offset for peak in best])
        peaks += self._climb(matrices, offsets, layout, sync.EVERY_WAY)
        top = max(peaks, key=lambda peak: peak.promise)
        if top.promise < _FAINTEST:
            return []
        return [Candidate(matrix=top.matrix.T, lines=read_lines(self.plane, top.matrix.T, layout))]

    def _peaks(
        self, proposed: NDArray[np.float64], layout: Layout
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n, 2, 2) the geometries under which pilots agree best, and (n, 2) their offsets."""
        if len(proposed) > _SIEVE:
            glance, _ = self._correlated(proposed, layout, COARSE_GRID)
            proposed = proposed[np.argpartition(-glance, _SIEVE)[:_SIEVE]]
        scores, offsets = self._correlated(proposed, layout, FINE_GRID)
        apart = _apart(proposed, scores)
        return proposed[apart], offsets[apart]

    def _climb(
        self,
        matrices: NDArray[np.float64],
        offsets: NDArray[np.float64],
        layout: Layout,
        directions: NDArray[np.float64],
    ) -> list[_Peak]:
        climbed = sync.refine(self._spectrum, layout, matrices, offsets, directions)
        return [
            _Peak(
                promise=float(score + sync.agreement(self._spectrum, layout, matrix, offset)),
                matrix=matrix,
                offset=offset,
            )
            for score, matrix, offset in zip(*climbed, strict=True)
        ]

    def _correlated(
        self, matrices: NDArray[np.float64], layout: Layout, grid: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return correlate(sync.pilot_lines(self._spectrum, layout, matrices), layout, grid=grid)

    @cached_property
    def _spectrum(self) -> Spectrum:
        return spectrum_of(self.plane, sync.highest(self.size))

    @cached_property
    def _straight(self) -> list[tuple[NDArray[np.float64], NDArray[np.complex64]]]:
        """(matrix, tile spectrum) of the plane as its size suggests, for each spread."""
        matrices = [np.eye(2) / scale for scale in sync.sizes(self.size, SPREADS)]
        return [(matrix, tile_spectrum(self.plane, matrix)) for matrix in matrices]


def _apart(matrices: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """The best ones that do not share a peak with one before them."""
    taken: list[int] = []
    for index in np.argsort(-scores):
        matrix = matrices[index]
        if all(np.abs(matrix - matrices[other]).max() >= _ALIKE * np.abs(matrix).max() for other in taken):
            taken.append(int(index))
        if len(taken) == _CLIMBED:
            break
    return taken
