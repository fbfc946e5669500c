"""Is a fitted copy the picture of a digest, another one, or too little to say?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.digest_tones import ALTERED
from provenance.evidence import Outcome

if TYPE_CHECKING:
    from provenance.digest_fit import Fit

CLAIM = "is the picture whose digest the manifest signs"
LIKENESS = "looks like the picture whose digest the manifest signs"
_FAINT = 10.0
"""Half of ALTERED: what a change of tone within the same outlines still reaches."""
_SAME_STRUCTURE, _SAME_FAINT, _OTHER_STRUCTURE = 0.25, 0.30, 0.45
"""Share of the picture's structure that lies in altered (faintly altered) cells. A ground that two pictures
of one model share has no structure and so no say: patches of 15 % of the side reach 0.09, of 25 % 0.22;
another motif on the very same ground 0.6 and more (median)."""
_SAME_ALTERED, _OTHER_ALTERED = 0.25, 0.45
"""Up to a quarter of altered cells it is the same picture, edited; from 45 % on another one."""
_SAME_MEDIAN, _OTHER_MEDIAN = 5.0, 8.0
"""Median difference of all covered cells: 0.5-3 in benign copies."""
_SAME_CORRELATION = 0.80
"""Correlation of fine structure where cells are not altered. Alone it contradicts nothing: where no outline
is altered, what the grid shows of stripes one pixel wide is as faint as what JPEG does to their colours."""
_FEWEST_STEPS = 16
"""Cells with structure needed: in other tones, a plain ground matches every other one."""
_SAME_GROUND = 0.90
"""Share of a plain picture's variance that a copy in its own tones explains: 0.95 and more in benign copies,
at most 0.6 in other plain pictures."""


def judge(best: Fit, claim: str) -> tuple[Outcome, str | None]:
    """The outcome, and why it is not SUPPORTS. ``claim``: one of the two above."""
    if (best.structure > 0).sum() < _FEWEST_STEPS:
        return _plain(best, claim)
    same = (
        best.altered <= _SAME_ALTERED
        and best.median <= _SAME_MEDIAN
        and best.correlation >= _SAME_CORRELATION
        and best.structure_beyond(ALTERED) <= _SAME_STRUCTURE
        and best.structure_beyond(_FAINT) <= _SAME_FAINT
    )
    if same:
        return Outcome.SUPPORTS, None
    other = (
        best.altered >= _OTHER_ALTERED
        or best.median >= _OTHER_MEDIAN
        or best.structure_beyond(ALTERED) >= _OTHER_STRUCTURE
        or (best.correlation < _SAME_CORRELATION and best.structure_beyond(_FAINT) > _SAME_FAINT)
    )
    if other:
        return Outcome.CONTRADICTS, "the pixels show another picture than the one the manifest signs"
    return Outcome.INCONCLUSIVE, "much of the picture differs: an edited copy, or another picture like it"


def _plain(best: Fit, claim: str) -> tuple[Outcome, str | None]:
    """A picture without outlines is what its tones are: in others it decides nothing.

    Nor does it where no mark says which picture to look for, as many skies are alike. What a copy shows as
    faintly as a mark does not count: it may have been laid there together with the mark.
    """
    same = (
        claim == CLAIM
        and best.altered <= _SAME_ALTERED
        and best.unaided <= _SAME_MEDIAN
        and best.explained >= _SAME_GROUND
    )
    if same:
        return Outcome.SUPPORTS, None
    return Outcome.INCONCLUSIVE, "what the copy shows is too plain to tell pictures apart"
