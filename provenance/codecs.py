"""Files to ``Asset``, ``Asset`` to ``Frames`` and back: PNG, JPEG, WebP and TIFF (GIF, AVIF, BMP are read).

What a caller may rely on:

- The type comes from the content, never from the file name.
- Sizes are checked from the header before a pixel is decoded.
- Pixels come out upright; alpha, ICC profile, 16-bit depth and gray are kept both ways.
- What is written carries pixels, alpha and ICC profile only: no EXIF, no GPS, no comments.
- Whatever a hostile file does inside a codec, the caller sees ``InputError``.

This file only reads files and dispatches; the codecs load when a picture is first decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.files import open_file, read_bounded, too_large
from provenance.media import CLIPS, Asset, Limits
from provenance.metadata.parts import check_parts
from provenance.sniff import mime_of

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.media import Frames
    from provenance.stored import Bytes

_DEFAULT_LIMITS = Limits()
_STORED = (*CLIPS, "audio/flac", "audio/mp4", "audio/mpeg", "audio/wav")
"""Media that may be large and of which nothing is decoded whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a picture's header claims, read without decoding.

    Attributes:
        width: pixels per row after the stored orientation has been applied.
        height: rows, likewise.
        frames: 1 for a still; pages or animation frames otherwise, as far as they were counted.
        mode: the stored layout in Pillow's words: ``"L"``, ``"RGB"``, ``"RGBA"``, ``"P"``, ``"CMYK"``, …
        bits: 8 or 16, the depth that ``decode`` gives.
    """

    width: int
    height: int
    frames: int
    mode: str
    bits: int


def read_asset(path: Path, limits: Limits = _DEFAULT_LIMITS) -> Asset:
    """The media file at ``path``, whole, typed by its content; clips and sound stay on the disk.

    Raises:
        InputError: ``input.missing``, ``input.folder``, ``input.empty``, ``input.unreadable``,
            ``input.too-large``, ``input.not-media``, ``input.too-many-parts`` or ``input.changed``.
    """
    data: Bytes = open_file(path)
    mime = mime_of(data)
    if mime in _STORED:
        if len(data) > limits.max_clip_bytes:
            raise too_large(path, limits.max_clip_bytes)
    else:
        data = read_bounded(path, most=limits.max_bytes)
        mime = mime_of(data)
    return _as_asset(data, mime, str(path), limits)


def asset_of(data: bytes, name: str, limits: Limits = _DEFAULT_LIMITS) -> Asset:
    """The same of bytes that came from elsewhere than a file, as from standard input.

    Raises:
        InputError: ``input.empty``, ``input.not-media`` or ``input.too-many-parts``.
    """
    return _as_asset(data, mime_of(data), name, limits)


def _as_asset(data: Bytes, mime: str | None, name: str, limits: Limits) -> Asset:
    if not data:
        raise InputError(
            "input.empty",
            "the file has no bytes",
            where=name,
            hint="check how it was copied or exported",
        )
    if mime is None:
        raise InputError(
            "input.not-media",
            "the content is no picture, video, sound or PDF known here, whatever the name says",
            where=name,
            hint="pass a media file; the extension does not matter",
        )
    check_parts(data, limits.max_parts)
    return Asset.of(data, mime)


def header(asset: Asset, *, most_frames: int = 1_000) -> Header:
    """Size, frames and layout from the header alone.

    Args:
        asset: the picture.
        most_frames: count no further, which walks the file: 2 tells a still from what is none.

    Raises:
        InputError: ``input.unsupported``, ``input.damaged``, ``input.truncated`` or
            ``input.too-many-parts``.
    """
    from provenance import codecs_pillow  # noqa: PLC0415 - loads Pillow

    check_parts(asset.data)
    return codecs_pillow.header(asset, most_frames)


def decode(asset: Asset, limits: Limits = _DEFAULT_LIMITS) -> Frames:
    """The picture's pixels: (1, H, W, 1 or 3), upright, uint8 or uint16, with alpha and ICC profile.

    Palettes are expanded and CMYK becomes sRGB: by its profile, with the sRGB profile as ``icc``, or by a
    plain formula and without a profile where it has none that can be used. Gray stays one channel.

    Raises:
        InputError: ``input.unsupported``, ``input.too-large``, ``input.too-many-parts``, ``input.animated``,
            ``input.truncated`` or ``input.damaged``.
        ConfigurationError: ``extra.missing`` for 16-bit colour without the watermark extra.
    """
    from provenance import codecs_pillow  # noqa: PLC0415 - loads Pillow and numpy

    check_parts(asset.data, limits.max_parts)
    return codecs_pillow.decode(asset, limits)


def encode(frames: Frames, mime: str, *, quality: int | None = 95) -> Asset:
    """``frames`` as a PNG, JPEG, WebP or TIFF file.

    Args:
        frames: one frame; 16-bit goes into PNG and TIFF only, alpha into all but JPEG.
        mime: ``image/png``, ``image/jpeg``, ``image/webp`` or ``image/tiff``.
        quality: 1..100, for JPEG (always 4:4:4) and WebP; None: without loss, which JPEG cannot do.
            PNG and TIFF never lose anything.

    Raises:
        InputError: ``output.format``, ``output.alpha``, ``output.depth``, ``output.frames``,
            ``output.quality`` or ``output.size``.
    """
    from provenance import codecs_encode  # noqa: PLC0415 - loads Pillow and numpy

    return codecs_encode.encode(frames, mime, quality=quality)


def resize(frames: Frames, width: int, height: int) -> Frames:
    """``frames`` scaled to ``width`` × ``height`` (Lanczos), same depth, profile and frame rate.

    Colour under transparency does not bleed into its surroundings.
    """
    from provenance import codecs_pixels  # noqa: PLC0415 - loads Pillow and numpy

    return codecs_pixels.resize(frames, width, height)


def is_lossless(asset: Asset) -> bool:
    """Whether encoding in this file's way gives back the pixels: PNG, TIFF, and WebP of that kind (VP8L).

    Raises:
        InputError: ``media.damaged`` or ``input.too-many-parts``.
    """
    if asset.mime == "image/webp":
        from provenance.metadata import riff  # noqa: PLC0415 - WebP only

        return any(chunk.kind == b"VP8L" for chunk in riff.chunks(asset.data))
    return asset.mime in ("image/png", "image/tiff")


def jpeg_quality(asset: Asset) -> int | None:
    """The IJG quality (1..100) whose quantisation tables lie nearest to this JPEG's; None for other types.

    Raises:
        InputError: ``input.damaged``, ``input.truncated`` or ``input.too-many-parts``.
    """
    if asset.mime in CLIPS:
        return None
    from provenance import codecs_pillow  # noqa: PLC0415 - loads Pillow

    check_parts(asset.data)
    return codecs_pillow.jpeg_quality(asset)
