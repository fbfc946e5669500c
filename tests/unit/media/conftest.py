"""Small pictures of every kind the codecs promise to keep, drawn here rather than stored."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from provenance.media import Asset, Frames


def _ramp(height=24, width=40, channels=3, dtype=np.uint8):
    """A smooth, asymmetric pattern: no mirroring or turning maps it onto itself."""
    top = np.iinfo(dtype).max
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [x / width, y / height, (x + 2 * y) / (width + 2 * height)][:channels]
    return np.rint(np.stack(planes, axis=-1) * top).astype(dtype)


@pytest.fixture(scope="session")
def ramp():
    return _ramp


@pytest.fixture(scope="session")
def make_frames():
    def make(channels=3, dtype=np.uint8, *, alpha=False, icc=None, height=24, width=40):
        plane = _ramp(height, width, 3, dtype)[None, ..., 2] if alpha else None
        return Frames(pixels=_ramp(height, width, channels, dtype)[None], alpha=plane, icc=icc)

    return make


@pytest.fixture(scope="session")
def saved():
    """An image as an asset, through Pillow's writer rather than ours."""

    def save(image, fmt, **options):
        out = io.BytesIO()
        image.save(out, fmt, **options)
        return Asset.of(out.getvalue(), f"image/{fmt.lower()}")

    return save


@pytest.fixture(scope="session")
def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="session")
def picture():
    return Image.fromarray(_ramp())


@pytest.fixture(scope="session")
def tiff():
    """A one-strip or planar TIFF of raw samples, with the tags and byte order that a test asks for."""

    def build(samples, photometric, *, order="<", planar=False, extra=()):
        height, width = samples.shape[:2]
        channels = 1 if samples.ndim == 2 else samples.shape[2]
        planes = [samples[..., at] for at in range(channels)] if planar else [samples]
        strips = [plane.astype(samples.dtype.newbyteorder(order)).tobytes() for plane in planes]
        starts = [8 + sum(map(len, strips[:at])) for at in range(len(strips))]
        tags = {
            256: ("I", [width]),
            257: ("I", [height]),
            258: ("H", [8 * samples.dtype.itemsize] * channels),
            259: ("H", [1]),
            262: ("H", [photometric]),
            273: ("I", starts),
            277: ("H", [channels]),
            278: ("I", [height]),
            279: ("I", [len(strip) for strip in strips]),
            284: ("H", [2 if planar else 1]),
        }
        tags.update({tag: ("H", list(values)) for tag, values in extra})
        at = 8 + sum(map(len, strips))
        values_at, entries, values = at + 2 + 12 * len(tags) + 4, b"", b""
        for tag, (kind, numbers) in sorted(tags.items()):
            value = struct.pack(f"{order}{len(numbers)}{kind}", *numbers)
            inline = value.ljust(4, b"\0")
            if len(value) > 4:
                inline = struct.pack(f"{order}I", values_at + len(values))
                values += value
            entries += struct.pack(f"{order}HHI", tag, {"H": 3, "I": 4}[kind], len(numbers)) + inline
        start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, at)
        directory = struct.pack(f"{order}H", len(tags)) + entries + b"\0\0\0\0"
        return Asset.of(start + b"".join(strips) + directory + values, "image/tiff")

    return build
