"""What a clip that is drawn here will be written as, asked before a model draws for minutes."""

from __future__ import annotations

from provenance.video.container import DRAWN_MIME, VideoCodec, codec_for, require_av

_DEPTH = 8


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
