"""Opened Pillow pictures to ``Frames``: layouts made plain, alpha apart, upright."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image, ImageCms

from provenance.colours import profile_of
from provenance.errors import InputError
from provenance.exif import is_whole_png, orientation_of
from provenance.media import Frames

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.TiffImagePlugin import TiffImageFile

    from provenance.media import Asset, Pixels

_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_PLANAR_CONFIGURATION = 284
_EXTRA_SAMPLES, _ASSOCIATED = 338, 1
"""TIFF 6.0 tags, and the values that matter: inverted gray, colour premultiplied by alpha (section 18)."""

_PNG_COLOUR = 2
"""The bit of IHDR's colour type (byte 25) that says RGB (PNG §11.2.1)."""
_MIRRORED = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
"""EXIF orientation to the steps along rows and columns, taken after 5..8 have been transposed."""


def frames(asset: Asset, image: Image.Image, *, stored_bits: int) -> Frames:
    """``Frames`` of a loaded picture, 8-bit of any layout or 16-bit gray.

    Raises:
        InputError: ``input.unsupported`` for layouts without a display range (32-bit, float, Lab).
    """
    turn, icc = orientation_of(asset, image), _icc(asset, image)
    if image.mode == "CMYK":
        image, icc = _rgb_from_cmyk(image, icc)
    if image.mode.startswith("I;16"):
        gray = _full_range(asset, image, stored_bits)
        return _upright(gray[..., None], _keyed_alpha(image, gray), icc, turn)
    mode = _plain_mode(image)
    _spread_key(image, stored_bits)
    stack = np.asarray(image if mode == image.mode else image.convert(mode), dtype=np.uint8)
    stack = stack[..., None] if stack.ndim == 2 else stack
    if mode.endswith("A"):
        return _upright(stack[..., :-1], stack[..., -1], icc, turn)
    return _upright(stack, None, icc, turn)


def deep_frames(asset: Asset, image: Image.Image) -> Frames:
    """``Frames`` of a 16-bit colour (or gray with alpha) PNG or TIFF, which Pillow would cut to 8 bits."""
    from provenance import codecs_deep  # noqa: PLC0415 - loads OpenCV

    turn, icc = orientation_of(asset, image), _icc(asset, image)
    premultiplied = False
    if asset.mime == "image/tiff":
        tags = cast("TiffImageFile", image).tag_v2
        if tags.get(_PLANAR_CONFIGURATION, 1) != 1:
            # OpenCV reads separate planes as if they were interleaved, without an error.
            raise InputError(
                "input.unsupported", "16-bit TIFF in separate planes", hint="save it interleaved"
            )
        premultiplied = _ASSOCIATED in tags.get(_EXTRA_SAMPLES, ())
    # OpenCV 5.0 spins for half a minute over a PNG of 300 bytes that ends too early, and forgives damage:
    # it sees only what Pillow, with its checks and our error codes, has decoded to the end (to 8 bits).
    image.load()
    if asset.mime == "image/png" and not is_whole_png(asset.data):
        raise InputError("input.truncated", "the PNG has no end chunk", hint="copy or download it again")
    image.close()  # a large picture is not held twice
    colour, alpha = codecs_deep.read(asset, premultiplied=premultiplied)
    if asset.mime == "image/png" and not asset.data[25] & _PNG_COLOUR:
        colour = colour[..., :1]  # gray with alpha, which OpenCV spreads over three channels
    return _upright(colour, alpha, icc, turn)


def resize(picture: Frames, width: int, height: int) -> Frames:
    """See ``provenance.codecs.resize``."""
    dtype = picture.pixels.dtype
    top = float(np.iinfo(dtype).max)
    # Premultiplied while it is scaled, so that invisible colour weighs nothing.
    weight = np.ones(picture.pixels.shape[:3]) if picture.alpha is None else picture.alpha / top
    planes = np.concatenate([picture.pixels * weight[..., None], weight[..., None]], axis=3)
    scaled = np.stack([_scaled(frame, width, height) for frame in planes])
    cover = np.maximum(scaled[..., -1], 1 / top)
    colour = np.rint(np.clip(scaled[..., :-1] / cover[..., None], 0, top))
    alpha = None if picture.alpha is None else np.rint(np.clip(scaled[..., -1], 0, 1) * top)
    return replace(
        picture,
        pixels=cast("Pixels", colour.astype(dtype)),
        alpha=None if alpha is None else cast("Pixels", alpha.astype(dtype)),
    )


def _scaled(frame: NDArray[np.float64], width: int, height: int) -> NDArray[np.float32]:
    """(H, W, C) to (height, width, C), plane by plane: Pillow scales floating point one channel at a time."""
    planes = [Image.fromarray(frame[..., at].astype(np.float32)) for at in range(frame.shape[2])]
    size = (width, height)
    return np.stack([np.asarray(plane.resize(size, Image.Resampling.LANCZOS)) for plane in planes], axis=2)


def _plain_mode(image: Image.Image) -> str:
    """The 8-bit mode among L, LA, RGB and RGBA that holds all of ``image``."""
    keyed = "transparency" in image.info
    if image.mode in ("1", "L", "LA", "La"):
        return "LA" if keyed or image.mode in ("LA", "La") else "L"
    if image.mode in ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"):
        return "RGBA" if keyed or image.mode in ("PA", "RGBA", "RGBa") else "RGB"
    raise InputError(
        "input.unsupported",
        f"pixels of layout {image.mode} have no agreed display range",
        hint="convert the picture to 8 or 16 bits a channel",
    )


def _spread_key(image: Image.Image, stored_bits: int) -> None:
    """PNG names the transparent gray in the stored 2 or 4 bits; Pillow has spread the pixels to 8."""
    key = image.info.get("transparency")
    if image.mode == "L" and stored_bits in (2, 4) and isinstance(key, int):
        image.info["transparency"] = key * 255 // (2**stored_bits - 1)


def _full_range(asset: Asset, image: Image.Image, stored_bits: int) -> Pixels:
    gray: NDArray[np.uint16] = np.asarray(image).astype(np.uint16)
    if stored_bits == 12:
        gray = ((gray << 4) | (gray >> 8)).astype(np.uint16)
    if asset.mime == "image/tiff" and cast("TiffImageFile", image).tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        gray = np.invert(gray)  # Pillow inverts 8-bit pictures only
    return gray


def _keyed_alpha(image: Image.Image, gray: Pixels) -> Pixels | None:
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return None
    return np.where(gray == key, 0, 65535).astype(np.uint16)


def _rgb_from_cmyk(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, bytes | None]:
    """To sRGB by the embedded profile, and the sRGB profile; else by the plain formula, and no profile."""
    if icc is not None:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            converted = ImageCms.profileToProfile(image, profile, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted, _undated(target.tobytes())
    return image.convert("RGB"), None


def _undated(profile: bytes) -> bytes:
    """A profile without the time of its making (ICC.1 §7.2.8), so that the same file gives the same bytes."""
    return profile[:24] + bytes(12) + profile[36:]


def _icc(asset: Asset, image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        return profile
    is_png = asset.mime == "image/png"
    return profile_of(image.info, gray=not asset.data[25] & _PNG_COLOUR) if is_png else None


def _upright(colour: Pixels, alpha: Pixels | None, icc: bytes | None, turn: int) -> Frames:
    upright_alpha = None if alpha is None else _turned(alpha, turn)[None]
    return Frames(pixels=_turned(colour, turn)[None], alpha=upright_alpha, icc=icc)


def _turned(stored: Pixels, turn: int) -> Pixels:
    """Undo EXIF orientation ``turn`` on (H, W, …); contiguous, and copied only where that takes it."""
    rows, columns = _MIRRORED[turn]
    if turn >= 5:
        stored = stored.swapaxes(0, 1)
    return cast("Pixels", np.ascontiguousarray(stored[::rows, ::columns]))
