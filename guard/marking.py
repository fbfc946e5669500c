"""From checked pixels to marked, encoded and labelled bytes (steps 2 of a release)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guard.kept import WHY_UNMARKED, WHY_UNTOUCHED, Kept
from guard.policy.obligations import MarkDuty
from guard.stages import Checked, Marked, Sighting
from provenance.errors import Error, InputError
from provenance.evidence import Outcome
from provenance.manifest.sidecar import BESIDE
from provenance.media import Frames, is_clip
from provenance.watermark.interface import why_narrow

if TYPE_CHECKING:
    from pathlib import Path

    from guard.tools import Marker
    from provenance.media import Asset
    from provenance.watermark.interface import Marked as MarkedFrames

TARGETS_DB = (42.0, 41.0, 40.0)
"""PSNR in dB at which a mark is tried, the last being the quality floor."""

_LONGEST = 16_383
"""Pixels to which a side is enlarged at most, WebP's limit: a picture of 32768x1 must not fill the memory."""

CANNOT_CARRY = "watermark.capacity-exceeded"
"""The one code that means "no mark in this picture"; policy decides what follows. Everything else,
a missing package among it, ends the release."""


def mark(checked: Checked, *, marker: Marker, content_id: bytes, spool: Path | None = None) -> Marked:
    """Enlarge if need be, mark, encode, describe.

    A picture too small to carry a mark is enlarged first and the manifest will say so; one that
    cannot carry it at the quality floor goes on unmarked in its own size with the reason, and the
    publish decision is made knowing that.

    Args:
        spool: folder on whose disk a clip lies until it may leave.
    """
    picture, untouched = checked.draft.frames, checked.draft.untouched
    if isinstance(picture, Kept):
        return _as_it_came(checked, picture.asset, content_id, reason=WHY_UNMARKED)
    if untouched is not None and isinstance(picture, Frames):
        return _as_it_came(checked, untouched, content_id, reason=WHY_UNTOUCHED)
    if not isinstance(picture, Frames):
        from guard.clips import mark_footage  # noqa: PLC0415 - PyAV

        return mark_footage(checked, picture, marker=marker, content_id=content_id, spool=spool)
    if is_clip(checked.draft.mime):
        from guard.drawn_clips import mark_drawn  # noqa: PLC0415 - PyAV

        return mark_drawn(checked, picture, marker=marker, content_id=content_id, spool=spool)
    return _mark_picture(checked, picture, marker, content_id)


def _mark_picture(checked: Checked, picture: Frames, marker: Marker, content_id: bytes) -> Marked:
    """A picture in memory: enlarged if need be, or without a mark and with the reason."""
    if checked.plan.watermark is MarkDuty.OFF:
        return _unmarked(checked, picture, content_id, reason="the plan asks for no mark")
    try:
        frames, before = enlarge(picture, max(marker.minimum_side, checked.plan.min_side))
        made, asset, sighting = _readable(checked, frames, before, marker, content_id)
    except Error as error:
        if error.code != CANNOT_CARRY:
            raise
        unmarked = _unmarked(checked, picture, content_id, reason=error.what)
        return replace(unmarked, capacity_exceeded=True)
    return Marked(
        checked=checked,
        frames=made.frames,
        asset=asset,
        content_id=content_id,
        mark=made,
        sighting=sighting,
        enlarged_from=before,
    )


def enlarge(frames: Frames, minimum_side: int) -> tuple[Frames, tuple[int, int] | None]:
    """Scale up so that the shorter side reaches ``minimum_side``; the old size where that was done.

    Raises:
        InputError: ``watermark.capacity-exceeded`` for a strip that would become too long.
    """
    from provenance.codecs import resize  # noqa: PLC0415 - Pillow

    shorter = min(frames.width, frames.height)
    if shorter >= minimum_side:
        return frames, None
    factor = minimum_side / shorter
    size = (round(frames.width * factor), round(frames.height * factor))
    if max(size) > _LONGEST:
        what = f"this {frames.width}x{frames.height} picture is too narrow to be enlarged for a mark"
        raise InputError(CANNOT_CARRY, what, hint="a plan that requires no mark lets it leave without one")
    return resize(frames, *size), (frames.width, frames.height)


def _readable(
    checked: Checked, frames: Frames, before: tuple[int, int] | None, marker: Marker, content_id: bytes
) -> tuple[MarkedFrames, Asset, Sighting]:
    """Mark and encode; again and stronger where the picture or the container's own losses hide the mark.

    Raises:
        InputError: ``watermark.capacity-exceeded``, naming the floor, and the size ``before`` enlarging.
    """
    from provenance.codecs import decode  # noqa: PLC0415 - Pillow

    for target_db in TARGETS_DB:
        try:
            made = marker.embed(frames, content_id, target_db=target_db)
        except InputError as error:
            if error.code != CANNOT_CARRY:
                raise
            if target_db == TARGETS_DB[-1]:
                raise _cannot_carry(frames, before) from error
            continue
        asset = _encode(checked, made.frames)
        sighting = Sighting(frames=made.frames, evidence=made.evidence)
        if checked.draft.quality is not None:
            leaving = decode(asset)
            sighting = Sighting(frames=leaving, evidence=marker.detect(leaving))
        if sighting.evidence.outcome is Outcome.SUPPORTS:
            break
    return made, asset, sighting  # where the last one cannot be read either, the publish decision says so


def _cannot_carry(frames: Frames, before: tuple[int, int] | None) -> InputError:
    size, besides = (frames.width, frames.height), ""
    if before is not None:
        size, besides = before, f", not even enlarged to {frames.width}x{frames.height}"
    what = f"this {size[0]}x{size[1]} picture cannot carry a mark at {TARGETS_DB[-1]:.0f} dB{besides}"
    what += why_narrow(*size)
    return InputError(CANNOT_CARRY, what, hint="a plan that requires no mark lets it leave without one")


def _unmarked(checked: Checked, frames: Frames, content_id: bytes, *, reason: str) -> Marked:
    return Marked(
        checked=checked,
        frames=frames,
        asset=_encode(checked, frames),
        content_id=content_id,
        mark=None,
        unmarked_reason=reason,
    )


def _as_it_came(checked: Checked, asset: Asset, content_id: bytes, *, reason: str) -> Marked:
    return Marked(
        checked=checked,
        frames=checked.draft.frames,
        asset=asset,
        content_id=content_id,
        mark=None,
        unmarked_reason=reason,
    )


def _encode(checked: Checked, frames: Frames) -> Asset:
    from provenance.codecs import encode  # noqa: PLC0415 - Pillow

    return described(checked, encode(frames, checked.draft.mime, quality=checked.draft.quality))


def described(checked: Checked, asset: Asset) -> Asset:
    """``asset`` with the statement in XMP that the plan asks for; not where XMP has no place at all."""
    from provenance.metadata.xmp import describe  # noqa: PLC0415

    origin = checked.draft.origin
    if not checked.plan.xmp or asset.mime in BESIDE:
        return asset
    return describe(asset, source_type=origin.source_type, model_name=origin.model_name)
