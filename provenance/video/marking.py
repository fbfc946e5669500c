"""From a clip to the clip that leaves: marked in one pass over its frames, or copied packet by packet.

What was drawn here is compressed in the same pass, marked or not. All give a file without the titles, places
and prompts of the old one, and the digest of what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log10
from typing import TYPE_CHECKING

import numpy as np

from provenance.media import Asset
from provenance.spool import Spool
from provenance.video.clip_digest import ClipDigester
from provenance.video.container import DRAWN_MIME
from provenance.video.drawn import write_drawn
from provenance.video.pooled import ClipMarker
from provenance.video.reader import ClipReader
from provenance.video.writer import remux, rewrite

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.media import Frames
    from provenance.video.clip_digest import ClipDigest
    from provenance.video.container import RGB, ClipFrame, ClipLimits, Footage, VideoCodec
    from provenance.watermark.key import WatermarkKey


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedClip:
    """A clip ready to be described and signed.

    Attributes:
        asset: the new file.
        digest: of the frames that went into it.
        frames: how many those are.
        psnr: mean over the frames in dB, before compression; infinite where nothing was marked.
        payload: the 8 bytes in its mark; None where there is none.
        private_layer: None: that layer is bound to what a single picture shows, and clips carry none.
    """

    asset: Asset
    digest: ClipDigest
    frames: int
    psnr: float = inf
    payload: bytes | None = None
    private_layer: None = None


def mark_clip(
    footage: Footage,
    payload: bytes,
    key: WatermarkKey,
    *,
    codec: VideoCodec | None = None,
    limits: ClipLimits | None = None,
    spool: Path | None = None,
) -> MarkedClip:
    """Mark every frame and compress the clip again.

    Args:
        footage: the clip.
        payload: 8 bytes.
        key: the locator key.
        codec: what to compress with; None: AV1 in MP4, VP9 in WebM.
        limits: bounds for what is read.
        spool: folder on whose disk the new clip lies until it leaves; see ``provenance.spool``.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when frames are too small; else as
            ``provenance.video.writer.rewrite``.
        ConfigurationError: as there.
    """
    size = (footage.width, footage.height)
    pen = _Pen(marker=ClipMarker(key, payload, size), digester=ClipDigester(size))
    made, source = Spool(spool), footage.asset
    with made.writer() as out:
        written = rewrite(source.content, source.mime, out, pen.mark, codec=codec, limits=limits)
    return MarkedClip(
        asset=Asset.of(made, source.mime),
        digest=pen.digester.result(),
        frames=written.frames,
        psnr=pen.psnr(),
        payload=payload,
    )


def draw_clip(
    frames: Frames,
    mark: tuple[bytes, WatermarkKey] | None,
    *,
    codec: VideoCodec | None = None,
    spool: Path | None = None,
) -> MarkedClip:
    """Frames that were never a file as an MP4 clip: marked and compressed in one pass, once.

    Args:
        frames: (T, H, W, 1 or 3) uint8 with ``fps``.
        mark: its 8 bytes of payload and the locator key; None: without a mark.
        codec: what to compress with; None: AV1.
        spool: folder on whose disk the clip lies until it leaves; see ``provenance.spool``.

    Raises:
        InputError: ``watermark.capacity-exceeded`` when frames are too small; else as
            ``provenance.video.drawn.write_drawn``.
        ConfigurationError: as there.
    """
    size = (frames.width, frames.height)
    marker = None if mark is None else ClipMarker(mark[1], mark[0], size)
    pen, made = _Pen(marker=marker, digester=ClipDigester(size)), Spool(spool)
    with made.writer() as out:
        written = write_drawn(frames, out, pen.mark, codec=codec)
    return MarkedClip(
        asset=Asset.of(made, DRAWN_MIME),
        digest=pen.digester.result(),
        frames=written.frames,
        psnr=pen.psnr(),
        payload=None if mark is None else mark[0],
    )


def copy_clip(footage: Footage, *, limits: ClipLimits | None = None, spool: Path | None = None) -> MarkedClip:
    """The clip as it is, frames and sound not compressed again, in a container without its old metadata.

    The frames of the source are decoded and counted, all of them: the copy of a clip that was cut off
    would look like a whole one.

    Raises:
        InputError: as ``provenance.video.writer.remux``, and as ``ClipReader`` for a damaged clip.
    """
    taken = take_clip(footage, limits=limits)
    made, source = Spool(spool), footage.asset
    with made.writer() as out:
        remux(source.content, source.mime, out, limits=limits)
    return replace(taken, asset=Asset.of(made, source.mime))


def take_clip(footage: Footage, *, limits: ClipLimits | None = None) -> MarkedClip:
    """The clip as it is, to the byte; its frames are decoded and counted, all of them.

    Raises:
        InputError: as ``ClipReader`` for a damaged clip.
    """
    digester, frames = ClipDigester((footage.width, footage.height)), 0
    with ClipReader(footage.asset.content, footage.asset.mime, limits) as reader:
        for frame in reader.frames():
            digester.add(frame.rgb, frame.seconds)
            frames += 1
    return MarkedClip(asset=footage.asset, digest=digester.result(), frames=frames)


@dataclass(slots=True, kw_only=True)
class _Pen:
    """Marks frame by frame, takes their digest and notes how much was changed; no marker, no change."""

    marker: ClipMarker | None
    digester: ClipDigester
    squares: float = 0.0
    frames: int = 0

    def mark(self, frame: ClipFrame) -> RGB:
        marked = frame.rgb if self.marker is None else self.marker.mark(frame.rgb)
        self.digester.add(marked, frame.seconds)
        change = marked.astype(np.int16) - frame.rgb
        self.squares += float(np.mean(np.square(change, dtype=np.float32)))
        self.frames += 1
        return marked

    def psnr(self) -> float:
        """Of the mean squared change, in dB."""
        mean = self.squares / max(self.frames, 1)
        return inf if mean == 0 else 10 * log10(255**2 / mean)
