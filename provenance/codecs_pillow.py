"""The one place where Pillow parses untrusted pictures.

Pillow's plugin classes are opened directly by the type found in the content: no probing of other
parsers, no process-wide pixel limit. Every exception becomes an ``InputError`` here and nowhere else.
"""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, cast

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from provenance.codecs import Header
from provenance.errors import Error, InputError
from provenance.exif import orientation_of
from provenance.quiet import NO_STDERR, NO_WARNINGS
from provenance.sniff import format_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.media import Asset, Frames, Limits

_OPENERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "image/avif": AvifImagePlugin.AvifImageFile,
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}
# Pillow reports some of what it finds by logging, which prints when nobody has configured logging.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_MAX_SCAN_WORK = 32
"""Progressive JPEG decodes the whole picture once a scan. Real encoders write about ten scans; this many
times ``Limits.max_pixels`` bounds the time of a file made of thousands."""


def header(asset: Asset, most_frames: int) -> Header:
    """See ``provenance.codecs.header``."""
    with _translated(asset):
        image = _open(asset)
        width, height = image.size
        # The TIFF plugin has turned its size already.
        if asset.mime != "image/tiff" and orientation_of(asset, image) >= 5:
            width, height = height, width
        bits = 16 if _stored_bits(asset, image) == 16 else 8
        frames = _frame_count(asset, image, most_frames)
        return Header(width=width, height=height, frames=frames, mode=image.mode, bits=bits)


def decode(asset: Asset, limits: Limits) -> Frames:
    """See ``provenance.codecs.decode``."""
    from provenance import codecs_pixels  # noqa: PLC0415 - loads numpy, which ``header`` does without

    with _translated(asset):
        image = _open(asset)
        _refuse_oversized(asset, image, limits)
        if _frame_count(asset, image, 2) > 1:
            raise InputError(
                "input.animated",
                "the file holds more than one picture",
                hint="export the one picture you mean, or the animation as an MP4 or WebM clip",
            )
        bits = _stored_bits(asset, image)
        deep = bits == 16 and image.mode in ("LA", "RGB", "RGBA")
        with NO_STDERR if deep or asset.mime == "image/tiff" else nullcontext():
            if deep:
                return codecs_pixels.deep_frames(asset, image)
            image.load()
        return codecs_pixels.frames(asset, image, stored_bits=bits)


def jpeg_quality(asset: Asset) -> int | None:
    """See ``provenance.codecs.jpeg_quality``."""
    if asset.mime != "image/jpeg":
        return None
    from provenance.jpeg_tables import nearest_quality  # noqa: PLC0415 - rarely asked

    with _translated(asset):
        tables = cast(JpegImagePlugin.JpegImageFile, _open(asset)).quantization
        return nearest_quality({number: tuple(table) for number, table in tables.items()})


def _open(asset: Asset) -> ImageFile.ImageFile:
    opener = _OPENERS.get(asset.mime)
    if opener is None:
        raise InputError(
            "input.unsupported",
            f"{format_name(asset.mime)} files cannot be decoded here",
            hint="convert the picture to PNG, JPEG, WebP or TIFF"
            if asset.mime.startswith("image/")
            else "only pictures and clips have pixels that could be looked at",
        )
    return opener(io.BytesIO(asset.data))


def _refuse_oversized(asset: Asset, image: ImageFile.ImageFile, limits: Limits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise InputError(
            "input.too-large",
            f"the header claims {width} × {height} pixels; the limits are {limits.max_pixels:,} pixels "
            f"and {limits.max_side:,} a side",
            hint="scale the picture down",
        )
    decoded = width * height * len(image.getbands()) * (2 if _stored_bits(asset, image) == 16 else 1)
    if decoded > limits.max_decoded_bytes:
        raise InputError(
            "input.too-large",
            f"{width} × {height} pixels would take {decoded:,} bytes; the limit is "
            f"{limits.max_decoded_bytes:,}",
            hint="scale the picture down, or save it with 8 bits a channel",
        )
    # Start-of-scan markers (T.81 table B.1); 0xFF is stuffed inside scans, so none is counted twice there.
    scans = asset.data.count(b"\xff\xda") if asset.mime == "image/jpeg" else 1
    if scans * width * height > _MAX_SCAN_WORK * limits.max_pixels:
        raise InputError(
            "input.too-large",
            f"{scans} scans over {width} × {height} pixels would take too long",
            hint="save the picture again as a baseline JPEG",
        )


def _frame_count(asset: Asset, image: ImageFile.ImageFile, most: int) -> int:
    """Counting pages walks the file, of a GIF picture by picture; a hostile TIFF holds millions."""
    # A phone's JPEG may append other pictures (MPO); the first is the one every viewer shows.
    if asset.mime == "image/jpeg" or not getattr(image, "is_animated", False):
        return 1
    if asset.mime not in ("image/gif", "image/tiff"):
        return min(int(getattr(image, "n_frames", 1)), most)
    count = 1
    try:
        while count < most:
            image.seek(count)
            count += 1
    except EOFError:
        pass
    image.seek(0)
    return count


def _stored_bits(asset: Asset, image: ImageFile.ImageFile) -> int:
    """Bits per channel in the file; Pillow's mode hides them for colour."""
    if asset.mime == "image/png":
        return asset.data[24]  # bit depth in IHDR (PNG §11.2.1), which the plugin has found in its place
    if asset.mime == "image/tiff":
        tags = cast(TiffImagePlugin.TiffImageFile, image).tag_v2
        return int(max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))))
    return 8


@contextmanager
def _translated(asset: Asset) -> Iterator[None]:
    """Whatever breaks inside a codec becomes an ``InputError`` that says how."""
    try:
        with NO_WARNINGS:
            yield
    except Error:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise InputError(
            "input.too-large", "decoding needs more memory than there is", hint="scale it down"
        ) from error
    except Exception as error:
        kind = format_name(asset.mime)  # the codec's own words stay with --debug
        if _cut_short(asset):
            raise InputError(
                "input.truncated", f"the {kind} ends too early", hint="copy or download it again"
            ) from error
        raise InputError(
            "input.damaged", f"the {kind} cannot be decoded", hint="export the picture again"
        ) from error


def _cut_short(asset: Asset) -> bool:
    """True when the container's own end mark or length says that bytes are missing."""
    data = asset.data
    if asset.mime == "image/png":
        return b"IEND" not in data[-4096:]
    if asset.mime == "image/jpeg":
        return b"\xff\xd9" not in data[-4096:]
    if asset.mime == "image/webp":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    return asset.mime == "image/gif" and not data.rstrip(b"\0").endswith(b";")
