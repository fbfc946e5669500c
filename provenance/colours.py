"""Pixels as a screen shows them: through the colour profile of their file, to sRGB. Pillow's littleCMS.

A PNG may say its colours without a profile, by gAMA and cHRM (third edition §11.3.2): ``profile_of`` makes
one of these, so that every copy has one way to say them and what is written keeps it.
"""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from provenance.media import Frames

_USUAL_GAMMA, _GAMMA_OFF = 1 / 2.2, 0.02
"""Encoders write 0.45455 for sRGB itself, whose curve it only approximates."""
_SRGB_CHROMATICITIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""White, red, green, blue as x and y."""
_CHROMATICITY_OFF = 0.005
_D50 = np.array([0.9642, 1.0, 0.8249])
"""White of the space that profiles connect by (ICC.1 §7.2.16)."""
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""Cone responses in which white is adapted (ICC.1 annex E)."""


def in_srgb(frames: Frames) -> Frames | None:
    """The first frame in 8-bit sRGB, without a profile; ``frames`` itself where it has none.

    None where the profile cannot be read, or is not one of such pixels: then what a viewer shows is unknown.
    """
    if frames.icc is None:
        return frames
    shift = frames.depth - 8
    pixels = np.ascontiguousarray(frames.pixels[0] if not shift else np.rint(frames.pixels[0] / 257))
    alpha = frames.alpha
    if shift and alpha is not None:
        alpha = np.rint(alpha / 257).astype(np.uint8)
    image = Image.fromarray(
        pixels.astype(np.uint8).squeeze(-1) if frames.is_gray else pixels.astype(np.uint8)
    )
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(frames.icc))
        if profile.profile.xcolor_space.strip() == "RGB":
            image = image.convert("RGB")  # many gray pictures carry a profile of colours
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        shown = ImageCms.profileToProfile(image, profile, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    assert shown is not None
    return replace(frames, pixels=np.array(shown)[None], alpha=alpha, icc=None)


def profile_of(info: Mapping[Any, object], *, gray: bool) -> bytes | None:
    """A profile of what a PNG says by gAMA and cHRM; None where that is sRGB, or about it, or impossible.

    Args:
        info: what Pillow read: ``gamma``, ``chromaticity`` and ``srgb``, which overrules both.
        gray: the profile is one of gray pixels.
    """
    if "srgb" in info:
        return None
    gamma, chromaticity = info.get("gamma"), info.get("chromaticity")
    usual = not isinstance(gamma, float) or not gamma > 0 or abs(gamma - _USUAL_GAMMA) <= _GAMMA_OFF
    said = chromaticity if isinstance(chromaticity, tuple) and len(chromaticity) == 8 else None
    if said is None or np.abs(np.subtract(said, _SRGB_CHROMATICITIES)).max() <= _CHROMATICITY_OFF:
        said = None
    if usual and (gray or said is None):
        return None
    power = 1 / gamma if isinstance(gamma, float) and gamma > 0 else 1 / _USUAL_GAMMA
    curve = b"para" + struct.pack(">IHHi", 0, 0, 0, _fixed(power))
    if gray:
        return _profile(b"GRAY", {b"kTRC": curve})
    columns = _colorants(_SRGB_CHROMATICITIES if said is None else said)
    if columns is None:
        return None
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns.T, strict=True)}
    return _profile(b"RGB ", {**tags, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def _colorants(chromaticities: tuple[float, ...]) -> NDArray[np.float64] | None:
    """(3, 3): XYZ of red, green and blue as columns, adapted to D50; None where they span no colours."""
    x, y = np.array(chromaticities, float).reshape(4, 2).T
    if not (y > 1e-3).all():
        return None
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    white, primaries = xyz[:, 0], xyz[:, 1:]
    if abs(np.linalg.det(primaries)) < 1e-3:
        return None
    columns = primaries * np.linalg.solve(primaries, white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white)) @ _BRADFORD
    return np.asarray(adapted @ columns)


def _profile(space: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    """A display profile, version 4.0 (ICC.1 §7 and §8.3), without a date."""
    text = "from gAMA and cHRM".encode("utf-16-be")
    name = b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(text), 28) + text
    whole = {b"desc": name, b"cprt": name, b"wtpt": _xyz(_D50), **tags}
    at, entries, data = 132 + 12 * len(whole), b"", b""
    for key, value in whole.items():
        padded = value + bytes(-len(value) % 4)
        entries += struct.pack(">4sII", key, at + len(data), len(value))
        data += padded
    head = struct.pack(">I4sI4s4s4s", at + len(data), bytes(4), 0x04000000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *map(_fixed, _D50))
    return head.ljust(128, b"\0") + struct.pack(">I", len(whole)) + entries + data


def _xyz(value: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *map(_fixed, value))


def _fixed(value: float) -> int:
    """s15Fixed16Number."""
    return int(np.clip(round(float(value) * 65536), -(2**31), 2**31 - 1))
