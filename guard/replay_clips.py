"""How far a clip that was drawn again is from the released one.

The released file was marked and compressed, and compression alone moves samples further than eyes forgive in
pictures. So the new frames are marked and compressed as they were then, in memory, and what anybody decodes
of the two is compared, all frames of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from generators.replay import distance
from guard.drawn_clips import enlarged
from provenance.evidence import Outcome
from provenance.media import Frames
from provenance.video.container import VideoCodec
from provenance.video.look import footage_of, read_mark
from provenance.video.marking import draw_clip
from provenance.video.reader import ClipReader
from provenance.watermark.interface import WatermarkReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generators.replay import Distance
    from provenance.media import Asset
    from provenance.video.container import Footage
    from provenance.watermark.key import WatermarkKey


def clip_distance(drawn: Frames, released: Asset, keys: Sequence[WatermarkKey]) -> Distance | None:
    """Between a released clip and ``drawn``, once that is compressed likewise; None: other size or length.

    Args:
        drawn: as it came out of the model.
        released: the file.
        keys: locator keys, all epochs; with the one that reads its mark the new frames are marked, too.

    Raises:
        InputError: ``video.…``; it cannot be decoded, or the frames cannot be written.
    """
    footage = footage_of(released)
    if (drawn.width, drawn.height) != (footage.width, footage.height):
        drawn = enlarged(drawn, min(footage.width, footage.height))
    shown = _shown(released)
    if (len(drawn.pixels), drawn.height, drawn.width) != shown.pixels.shape[:3]:
        return None
    again = draw_clip(replace(drawn, fps=drawn.fps or 1.0), _mark_of(released, keys), codec=_codec(footage))
    return distance(_shown(again.asset), shown)


def _shown(asset: Asset) -> Frames:
    with ClipReader(asset.content, asset.mime) as reader:
        return Frames(pixels=np.stack([frame.rgb for frame in reader.frames()]))


def _mark_of(released: Asset, keys: Sequence[WatermarkKey]) -> tuple[bytes, WatermarkKey] | None:
    """The payload that it carries, and the key that reads it."""
    found = read_mark(released, keys)
    reading = found.detail
    if found.outcome is not Outcome.SUPPORTS or not isinstance(reading, WatermarkReading):
        return None
    if reading.payload is None:
        return None
    named = (reading.key_id, reading.epoch)
    return reading.payload, next(key for key in keys if (key.key_id, key.epoch) == named)


def _codec(footage: Footage) -> VideoCodec | None:
    return next((one for one in VideoCodec if one.value == footage.clip.codec), None)
