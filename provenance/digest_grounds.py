"""A transparent copy on every ground it may be seen on: the worst of what it shows there counts.

What lies on white looks other than on black, and a copy can be made that shows the signed picture on one
ground and something else on another. What transparency lets through is linear in the ground, so what is the
same on mid gray, on white and on black is the same on every ground.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import DigestReading
from provenance.digest_changes import MOST_REGIONS
from provenance.evidence import Evidence, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provenance.digest_changes import Box
    from provenance.media import Frames

GROUNDS = (128 / 255, 1.0, 0.0)
"""Mid gray, on which digests are signed, white and black."""
SEE_THROUGH = "transparent in places"
_WORST = (Outcome.CONTRADICTS, Outcome.INCONCLUSIVE, Outcome.SUPPORTS)


def is_transparent(frames: Frames) -> bool:
    """Whether anything of the first frame lets its ground through."""
    return frames.alpha is not None and bool((frames.alpha[0] < 2**frames.depth - 1).any())


def worst(held: Sequence[Evidence]) -> Evidence:
    """Comparisons of one copy on several grounds as one; of those that match, all that is altered."""
    found = min(held, key=lambda one: _WORST.index(one.outcome))
    readings = [one.detail for one in held if isinstance(one.detail, DigestReading)]
    if found.outcome is Outcome.SUPPORTS and len(readings) > 1:
        return replace(found, detail=_together(readings))
    if found.outcome is not held[0].outcome:
        return replace(found, reason=f"{SEE_THROUGH}, and not the same on every ground: {found.reason}")
    return found


def _together(readings: Sequence[DigestReading]) -> DigestReading:
    altered = np.logical_or.reduce([one.altered for one in readings])
    difference = np.maximum.reduce([one.difference for one in readings])
    return replace(
        readings[0],
        altered=tuple(tuple(row) for row in altered.tolist()),
        difference=tuple(tuple(row) for row in difference.tolist()),
        regions=_joined(box for one in readings for box in one.regions),
        altered_fraction=max(one.altered_fraction for one in readings),
        alteration=max(one.alteration for one in readings),
    )


def _joined(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Boxes that overlap as one around them, the largest first."""
    joined: list[Box] = []
    for box in boxes:
        (left, top, right, bottom), apart = box, []
        for other in joined:
            if left < other[2] and other[0] < right and top < other[3] and other[1] < bottom:
                left, top = min(left, other[0]), min(top, other[1])
                right, bottom = max(right, other[2]), max(bottom, other[3])
            else:
                apart.append(other)
        joined = [*apart, (left, top, right, bottom)]
    joined.sort(key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))
    return tuple(joined[:MOST_REGIONS])
