"""Files that a model starts from, read under the limits of untrusted media."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provenance.codecs import decode, read_asset
from provenance.errors import InputError
from provenance.media import Frames, Limits, is_clip

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from provenance.media import Asset

_TINT = 8
"""Steps of 255 by which the channels of a gray frame may differ: compressed colour is not exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a request starts from, and the files it came in.

    Attributes:
        init: picture (one frame) or clip; None for nothing.
        mask: where init may change (white), one channel; None for none.
        file: of ``init``, which becomes an ingredient with its own history.
    """

    init: Frames | None = None
    mask: Frames | None = None
    file: Asset | None = None

    @property
    def inputs(self) -> dict[str, Frames]:
        """Those that are there, by their names in a request."""
        pairs = {"init": self.init, "mask": self.mask}
        return {name: frames for name, frames in pairs.items() if frames is not None}


def read_start(init: Path | None, mask: Path | None) -> Start:
    """Pixels of the files named; None for no file.

    Raises:
        InputError: ``input.…`` or ``video.…`` for a file that cannot be read whole; ``request.init`` for a
            coloured mask.
        ConfigurationError: ``extra.missing`` for clips.
    """
    file = None if init is None else read_asset(init)
    return Start(
        init=None if file is None or init is None else _about(init, _frames_of, file),
        mask=None if mask is None else _about(mask, _mask_of, read_asset(mask)),
        file=file,
    )


def _about(path: Path, read: Any, asset: Asset) -> Frames:
    """What ``read`` makes of a file; errors that name no place are about that file."""
    try:
        frames: Frames = read(asset)
    except InputError as error:
        error.where = error.where or str(path)
        raise
    return frames


def _frames_of(asset: Asset) -> Frames:
    """Without transparency where all of it is opaque, as many programs write."""
    frames = _clip_frames(asset) if is_clip(asset.mime) else decode(asset)
    if frames.alpha is None or int(frames.alpha.min()) < 2**frames.depth - 1:
        return frames
    return replace(frames, alpha=None)


def _clip_frames(asset: Asset) -> Frames:
    """All frames of a clip at once, as a model wants them: no more than a picture may have pixels."""
    from provenance.video.container import ClipLimits, require_av  # noqa: PLC0415

    require_av()
    import numpy as np  # noqa: PLC0415

    from provenance.video.reader import ClipReader  # noqa: PLC0415 - PyAV

    with ClipReader(asset.content, asset.mime, ClipLimits(max_pixels=Limits().max_pixels)) as reader:
        rate = reader.clip.rate
        pixels = np.stack([frame.rgb for frame in reader.frames()])
    return Frames(pixels=pixels, fps=None if rate is None else float(rate))


def _mask_of(asset: Asset) -> Frames:
    """One channel, of a file that is gray in fact whatever its layout."""
    frames = _frames_of(asset)
    if frames.is_gray:
        return frames
    pixels = frames.pixels
    lowest, highest = pixels.min(axis=3, keepdims=True), pixels.max(axis=3, keepdims=True)
    if int((highest - lowest).max()) > (_TINT if is_clip(asset.mime) else 0):
        what = "a mask is gray, white where init may change, and this one has colours"
        raise InputError("request.init", what)
    return replace(frames, pixels=pixels[..., 1:2].copy())
