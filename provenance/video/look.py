"""Looking at a clip once: its mark, and the samples by which it is held against signed digests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provenance.evidence import Evidence, Outcome
from provenance.video.clip_digest_placing import ClipSampler
from provenance.video.container import ClipLimits, Footage
from provenance.video.opening import describe
from provenance.video.pooled import PooledDetector
from provenance.video.reader import ClipReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.media import Asset
    from provenance.video.clip_digest_placing import ClipSamples
    from provenance.watermark.key import WatermarkKey


_LOOK_PIXELS = 10**10
"""Pixels in all frames together that are looked at for a mark alone: some three minutes of one core."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipLook:
    """What was seen of a clip.

    Attributes:
        mark: as ``PooledDetector`` read it.
        samples: its frames, reduced to what comparing needs.
        frames: how many were decoded.
        unseen: where looking stopped and why; None when the whole clip was seen, or all that it took.
    """

    mark: Evidence
    samples: ClipSamples
    frames: int
    unseen: str | None = None


def footage_of(asset: Asset, limits: ClipLimits | None = None) -> Footage:
    """The clip in ``asset``, described.

    Raises:
        InputError: as ``provenance.video.opening.describe``.
    """
    return Footage(asset=asset, clip=describe(asset.content, asset.mime, limits or ClipLimits()))


def look(
    asset: Asset,
    keys: Sequence[WatermarkKey],
    limits: ClipLimits | None = None,
    *,
    strict: bool = False,
    for_mark: bool = False,
) -> ClipLook:
    """Decode a clip once and see what is in it.

    Args:
        keys: locator keys to look for; none is "not checked".
        strict: raise where the file is damaged; else look at what comes before that.
        for_mark: stop once it is clear that no mark is there, or after minutes of work; then the samples
            are of the beginning.

    Raises:
        InputError: as ``ClipReader`` and its ``frames``.
        ConfigurationError: ``extra.missing`` without OpenCV or scipy.
    """
    with ClipReader(asset.content, asset.mime, limits) as reader:
        size = (reader.clip.width, reader.clip.height)
        detector, sampler = PooledDetector(keys, size), ClipSampler(size)
        frames, unseen = 0, None
        for frame in reader.frames(strict=strict):
            detector.add(frame.rgb, frame.seconds)
            sampler.add(frame.rgb, frame.seconds)
            frames += 1
            if for_mark and detector.decided and not is_read(detector.result()):
                break
            if for_mark and frames * size[0] * size[1] > _LOOK_PIXELS:
                unseen = f"only its first {frame.seconds:.0f} s were looked at"
                break
        if reader.damage is not None:
            if not frames:
                raise reader.damage
            unseen = reader.damage.what
    mark = _of_what_was_seen(detector.result(), unseen)
    return ClipLook(mark=mark, samples=sampler.result(), frames=frames, unseen=unseen)


def read_mark(asset: Asset, keys: Sequence[WatermarkKey], limits: ClipLimits | None = None) -> Evidence:
    """Its mark alone, decoding no further than that takes.

    Raises:
        As ``look``.
    """
    with ClipReader(asset.content, asset.mime, limits) as reader:
        detector = PooledDetector(keys, (reader.clip.width, reader.clip.height))
        for frame in reader.frames(strict=False):
            detector.add(frame.rgb, frame.seconds)
            if detector.decided:
                break
        return detector.result()


def _of_what_was_seen(mark: Evidence, unseen: str | None) -> Evidence:
    """Who is told that there is no mark is told as well where nobody looked."""
    if unseen is None or mark.outcome is not Outcome.ABSENT:
        return mark
    return replace(mark, reason=f"no mark was found in what could be looked at: {unseen}")


def is_read(mark: Evidence) -> bool:
    """Whether a payload was read for good."""
    return mark.outcome is Outcome.SUPPORTS
