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

from guard.clips import MOST_STILLS, marked_if_it_holds
from guard.marking import described, enlarge
from guard.stages import Marked
from provenance.media import Frames
from provenance.video.container import rate_of
from provenance.video.drawn import as_rgb
from provenance.video.look import footage_of
from provenance.video.marking import MarkedClip, draw_clip

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
    least = max(marker.minimum_side, checked.plan.min_side)

    def marked() -> MarkedClip:
        larger = enlarged(frames, least)
        return draw_clip(larger, (content_id, marker.key), codec=checked.draft.codec, spool=spool)

    unmarked = partial(_unmarked, checked, frames, content_id, spool)
    made = marked_if_it_holds(checked, marked, unmarked, marker=marker, content_id=content_id)
    if made.mark is None or min(frames.width, frames.height) >= least:
        return made
    return replace(made, enlarged_from=(frames.width, frames.height))


def enlarged(frames: Frames, minimum_side: int) -> Frames:
    """As ``guard.marking.enlarge``, frame by frame: in one piece a long clip would fill the memory.

    Raises:
        InputError: as there.
    """
    if min(frames.width, frames.height) >= minimum_side:
        return frames
    each = [enlarge(Frames(pixels=one[None]), minimum_side)[0].pixels for one in frames.pixels]
    pixels: NDArray[np.uint8] = np.concatenate(each)
    return replace(frames, pixels=pixels)


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
