"""Clips in a release: looked at, marked or copied, and seen again with the eyes of a stranger.

A clip that cannot carry a mark (too small, too plain, or one whose mark its own compression hides)
leaves unmarked like a picture that cannot: its frames are then copied as they are, and the publish
decision is made knowing that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from guard.kept import WHY_UNTOUCHED
from guard.marking import CANNOT_CARRY, described
from guard.policy.obligations import MarkDuty
from guard.stages import Marked, Sighting
from provenance.errors import Error, IntegrityError
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.video.look import footage_of, look, read_mark
from provenance.video.marking import MarkedClip, copy_clip, mark_clip, take_clip
from provenance.video.reader import ClipReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from guard.stages import Checked
    from guard.tools import Marker
    from provenance.evidence import Evidence
    from provenance.media import Asset
    from provenance.video.clip_digest import ClipDigest
    from provenance.video.container import Footage
    from provenance.watermark.key import WatermarkKey

MOST_STILLS = 64
"""Frames of a clip that inspectors see: one a second, and fewer a second in long clips."""
WHY_TOO_PLAIN = "the clip is too short or too plain: no mark can be read from it once it is compressed"


def mark_footage(
    checked: Checked, footage: Footage, *, marker: Marker, content_id: bytes, spool: Path | None = None
) -> Marked:
    """Mark, compress and describe a clip; without a mark where the plan or the clip has none."""
    if checked.draft.untouched is not None:
        return _untouched(checked, footage, content_id)

    def marked() -> MarkedClip:
        return mark_clip(footage, content_id, marker.key, codec=checked.draft.codec, spool=spool)

    copied = partial(_copied, checked, footage, content_id, spool)
    return marked_if_it_holds(checked, marked, copied, marker=marker, content_id=content_id)


def marked_if_it_holds(
    checked: Checked,
    marked: Callable[[], MarkedClip],
    unmarked: Callable[..., Marked],
    *,
    marker: Marker,
    content_id: bytes,
) -> Marked:
    """What ``marked`` makes, read back; ``unmarked(reason=…)`` where plan or clip have no mark."""
    if checked.plan.watermark is MarkDuty.OFF:
        return unmarked(reason="the plan asks for no mark")
    try:
        made = marked()
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
        clip=made,
    )


def seen_again(asset: Asset, keys: Sequence[WatermarkKey], *, frames: int) -> tuple[int, int, Evidence]:
    """Width, height and mark of a clip as anybody decodes it from its final bytes, all frames of it.

    Args:
        asset: the clip.
        keys: that its mark is looked for with; none where it has none.
        frames: how many were written.

    Raises:
        InputError: ``video.…``; it cannot be decoded.
        IntegrityError: ``video.read-back`` when frames are missing.
    """
    found, clip = look(asset, keys, strict=True), footage_of(asset).clip
    if found.frames != frames:
        what = f"{frames} frames were written and {found.frames} can be read"
        raise IntegrityError("video.read-back", what, hint="try another --video-codec")
    return clip.width, clip.height, found.mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a clip shows, whoever made it.

    Attributes:
        frames: how many can be decoded.
        mark: as read from them.
        digest: of what they show.
    """

    frames: int
    mark: Evidence
    digest: ClipDigest


def see(asset: Asset, keys: Sequence[WatermarkKey]) -> Seen:
    """Decode a clip once, all of it, for its mark and its digest.

    Raises:
        InputError: ``video.…``; it is damaged or over the limits.
    """
    from provenance.video.clip_digest import ClipDigester  # noqa: PLC0415 - numpy
    from provenance.video.pooled import PooledDetector  # noqa: PLC0415

    with ClipReader(asset.content, asset.mime) as reader:
        size = (reader.clip.width, reader.clip.height)
        detector, digester, frames = PooledDetector(keys, size), ClipDigester(size), 0
        for frame in reader.frames():
            detector.add(frame.rgb, frame.seconds)
            digester.add(frame.rgb, frame.seconds)
            frames += 1
    return Seen(frames=frames, mark=detector.result(), digest=digester.result())


def stills(footage: Footage) -> Iterator[Frames]:
    """What inspectors look at: a frame a second as a picture each, and fewer in long clips."""
    every = max(1.0, (footage.clip.seconds or 0.0) / MOST_STILLS)
    due = 0.0
    with ClipReader(footage.asset.content, footage.asset.mime) as reader:
        for frame in reader.frames():
            if frame.seconds >= due:
                due += every
                yield Frames(pixels=frame.rgb[None])


def _untouched(checked: Checked, footage: Footage, content_id: bytes) -> Marked:
    """The clip as it came: decoded whole, for its digest, and not written again."""
    return Marked(
        checked=checked,
        frames=footage,
        asset=footage.asset,
        content_id=content_id,
        mark=None,
        unmarked_reason=WHY_UNTOUCHED,
        clip=take_clip(footage),
    )


def _copied(
    checked: Checked, footage: Footage, content_id: bytes, spool: Path | None, *, reason: str
) -> Marked:
    copy = copy_clip(footage, spool=spool)
    asset = described(checked, copy.asset)
    return Marked(
        checked=checked,
        frames=footage_of(asset),
        asset=asset,
        content_id=content_id,
        mark=None,
        unmarked_reason=reason,
        clip=copy,
    )
