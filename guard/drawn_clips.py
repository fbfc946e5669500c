"""Clips that a model drew here, in a release: looked at, marked and compressed once, and seen again.

They never were a file, so there is nothing to copy where a mark does not hold: such a clip is compressed
without one, and the publish decision is made knowing that. One too small for a mark is enlarged first, as a
picture is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from guard.clips import MOST_STILLS, WHY_TOO_PLAIN
from guard.marking import CANNOT_CARRY, described, enlarge
from guard.policy.obligations import MarkDuty
from guard.stages import Marked, Sighting
from provenance.errors import Error
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.video.container import rate_of
from provenance.video.drawn import as_rgb
from provenance.video.look import footage_of, read_mark
from provenance.video.marking import draw_clip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from guard.stages import Checked
    from guard.tools import Marker


def mark_drawn(
    checked: Checked, frames: Frames, *, marker: Marker, content_id: bytes, spool: Path | None = None
) -> Marked:
    """Enlarge if need be, mark, compress and describe; without a mark where plan or clip have none.

    Raises:
        InputError: as ``provenance.video.marking.draw_clip``, but for ``watermark.capacity-exceeded``.
        ConfigurationError: as there.
    """
    unmarked = partial(_unmarked, checked, frames, content_id, spool)
    if checked.plan.watermark is MarkDuty.OFF:
        return unmarked(reason="the plan asks for no mark")
    try:
        larger, before = enlarged(frames, max(marker.minimum_side, checked.plan.min_side))
        made = draw_clip(larger, (content_id, marker.key), codec=checked.draft.codec, spool=spool)
    except Error as error:
        if error.code != CANNOT_CARRY:
            raise
        return replace(unmarked(reason=error.what), capacity_exceeded=True)
    asset = described(checked, made.asset)
    evidence = read_mark(asset, [marker.key])
    if evidence.outcome is not Outcome.SUPPORTS:
        return replace(unmarked(reason=WHY_TOO_PLAIN), capacity_exceeded=True)
    leaving = footage_of(asset)
    return Marked(
        checked=checked,
        frames=leaving,
        asset=asset,
        content_id=content_id,
        mark=made,
        sighting=Sighting(frames=leaving, evidence=evidence),
        enlarged_from=before,
        clip=made,
    )


def enlarged(frames: Frames, minimum_side: int) -> tuple[Frames, tuple[int, int] | None]:
    """As ``guard.marking.enlarge``, frame by frame: in one piece a long clip would fill the memory.

    Raises:
        InputError: as there.
    """
    if min(frames.width, frames.height) >= minimum_side:
        return frames, None
    each = [enlarge(Frames(pixels=one[None]), minimum_side)[0].pixels for one in frames.pixels]
    pixels: NDArray[np.uint8] = np.concatenate(each)
    return replace(frames, pixels=pixels), (frames.width, frames.height)


def drawn_stills(frames: Frames) -> Iterator[Frames]:
    """What inspectors look at: a frame a second as a picture each, and fewer in long clips."""
    rate, count = float(rate_of(frames)), len(frames.pixels)
    every = max(1.0, count / rate / MOST_STILLS)
    due = 0.0
    for number, pixels in enumerate(frames.pixels):
        if number / rate >= due:
            due += every
            yield Frames(pixels=as_rgb(pixels)[None])


def _unmarked(
    checked: Checked, frames: Frames, content_id: bytes, spool: Path | None, *, reason: str
) -> Marked:
    made = draw_clip(frames, None, codec=checked.draft.codec, spool=spool)
    asset = described(checked, made.asset)
    return Marked(
        checked=checked,
        frames=footage_of(asset),
        asset=asset,
        content_id=content_id,
        mark=None,
        unmarked_reason=reason,
        clip=made,
    )
