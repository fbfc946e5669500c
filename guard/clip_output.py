"""What a clip that is drawn here will be written as, asked before a model draws for minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.video.container import DRAWN_MIME, ClipLimits, VideoCodec, codec_for, require_av
from provenance.video.counting import check_extent

if TYPE_CHECKING:
    from generators.interface import GeneratorInfo
    from generators.request import GenerationRequest

_DEPTH = 8


def require_readable(request: GenerationRequest, info: GeneratorInfo | None = None) -> None:
    """Refuse a clip that is larger or longer than what is read back before it is released.

    Args:
        request: what is asked for.
        info: of the model; None: it is not loaded yet, and what the request leaves open is not known.

    Raises:
        InputError: ``video.too-large``.
    """
    if info is None and (request.num_frames or 1) == 1:
        return  # a picture; those have other limits, which no request can exceed
    own = (1, 1) if info is None else (info.width, info.height)
    frames = request.num_frames or 1
    seconds = 0.0 if request.fps is None else frames / request.fps
    width, height = request.width or own[0], request.height or own[1]
    check_extent(width, height, ClipLimits(), frames=frames, seconds=seconds)


def require_writable(codec: VideoCodec | str | None, private_number: int | None) -> VideoCodec:
    """The codec that frames will be compressed with; None: AV1.

    Raises:
        ConfigurationError: ``extra.missing``.
        InputError: ``video.codec-container``; ``watermark.private-number``: marks of clips carry none.
    """
    from guard.private_layer import require_number  # noqa: PLC0415

    require_av()
    require_number(private_number, DRAWN_MIME)
    return codec_for(DRAWN_MIME, _DEPTH, None if codec is None else VideoCodec(codec))


def encoding(codec: VideoCodec) -> dict[str, str]:
    """How frames become a file, for the private record: container, encoder and its settings."""
    from provenance.video.writer import settings_of  # noqa: PLC0415 - PyAV

    return {"container": DRAWN_MIME, **settings_of(codec)}
