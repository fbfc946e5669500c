"""From checked pixels to marked, encoded and labelled bytes (steps 2 of a release)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.policy.obligations import MarkDuty
from guard.stages import Checked, Marked
from provenance.errors import Error

if TYPE_CHECKING:
    from guard.tools import Marker
    from provenance.media import Asset, Frames
    from provenance.watermark.interface import Marked as MarkedFrames

_CANNOT_CARRY = frozenset({"watermark.capacity-exceeded", "extra.missing"})
"""Codes that mean "no mark here" rather than "this release failed"; policy decides what follows."""


def mark(checked: Checked, *, marker: Marker, content_id: bytes) -> Marked:
    """Enlarge if need be, mark, encode, describe.

    A picture too small to carry a mark is enlarged first and the manifest will say so; one that
    cannot carry it at the quality floor goes on unmarked with the reason, and the publish decision
    is made knowing that.
    """
    draft = checked.draft
    frames, mark_made, reason, before = draft.frames, None, None, None
    if checked.plan.watermark is MarkDuty.OFF:
        reason = "the plan asks for no mark"
    else:
        frames, before = enlarge(frames, marker.minimum_side)
        mark_made, reason = _try(frames, marker, content_id)
        frames = frames if mark_made is None else mark_made.frames
    return Marked(
        checked=checked,
        frames=frames,
        asset=_encode(checked, frames),
        mark=mark_made,
        unmarked_reason=reason,
        enlarged_from=before,
    )


def enlarge(frames: Frames, minimum_side: int) -> tuple[Frames, tuple[int, int] | None]:
    """Scale up so that the shorter side reaches ``minimum_side``; the old size where that was done."""
    from provenance.codecs import resize  # noqa: PLC0415 - Pillow

    shorter = min(frames.width, frames.height)
    if shorter >= minimum_side:
        return frames, None
    factor = minimum_side / shorter
    size = (round(frames.width * factor), round(frames.height * factor))
    return resize(frames, *size), (frames.width, frames.height)


def _try(frames: Frames, marker: Marker, content_id: bytes) -> tuple[MarkedFrames | None, str | None]:
    try:
        return marker.embed(frames, content_id), None
    except Error as error:
        if error.code not in _CANNOT_CARRY:
            raise
        return None, error.what if error.hint is None else f"{error.what} ({error.hint})"


def _encode(checked: Checked, frames: Frames) -> Asset:
    from provenance.codecs import encode  # noqa: PLC0415 - Pillow
    from provenance.metadata.xmp import describe  # noqa: PLC0415

    draft = checked.draft
    asset = encode(frames, draft.mime, quality=draft.quality)
    if not checked.plan.xmp:
        return asset
    return describe(asset, source_type=draft.origin.source_type, model_name=draft.origin.model_name)
