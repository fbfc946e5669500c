"""Whatever bytes arrive, decoding ends in frames or an ``InputError``; any frames come back the same."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from guard.codes import CODES
from provenance.codecs import decode, encode, header, jpeg_quality
from provenance.errors import InputError
from provenance.media import Asset, Frames, Limits
from provenance.sniff import HEAD_BYTES, mime_of

SMALL = Limits(max_bytes=2**20, max_pixels=2**20, max_side=4096)
MIMES = ("image/png", "image/jpeg", "image/webp", "image/tiff", "image/gif", "image/avif", "image/bmp")
HEADS = {
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "image/jpeg": b"\xff\xd8\xff\xdb",
    "image/webp": b"RIFF\x60\0\0\0WEBPVP8 ",
    "image/tiff": b"II*\0\x08\0\0\0",
    "image/gif": b"GIF89a",
    "image/avif": b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf",
    "image/bmp": b"BM",
}


def refusals(asset):
    """Codes of the errors; any other exception is a traceback for the user and ends the test."""
    codes = set()
    for action in (header, jpeg_quality, lambda given: decode(given, SMALL)):
        try:
            action(asset)
        except InputError as error:
            codes.add(error.code)
    return codes


@settings(max_examples=150, deadline=None)
@given(mime=st.sampled_from(MIMES), body=st.binary(max_size=400))
def test_random_bytes_behind_a_signature(mime, body):
    assert refusals(Asset.of(HEADS[mime] + body, mime)) <= CODES.keys()
    assert refusals(Asset.of(body, mime)) <= CODES.keys()


@st.composite
def damaged(draw):
    mime = draw(st.sampled_from(MIMES[:4]))
    deep = mime in ("image/png", "image/tiff") and draw(st.booleans())
    base = np.arange(20 * 30 * 3, dtype=np.uint16 if deep else np.uint8).reshape(1, 20, 30, 3)
    data = bytearray(encode(Frames(pixels=base), mime).data)
    for _ in range(draw(st.integers(1, 12))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    return Asset.of(bytes(data[: draw(st.integers(1, len(data)))] if draw(st.booleans()) else data), mime)


@settings(max_examples=200, deadline=None)
@given(asset=damaged())
def test_damaged_pictures(asset):
    assert refusals(asset) <= CODES.keys()


@given(st.binary(max_size=200))
def test_sniffing_never_fails_and_needs_the_head_only(data):
    assert mime_of(data) == mime_of(data[:HEAD_BYTES])


@st.composite
def any_frames(draw):
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    shape = (1, draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.sampled_from([1, 3])))
    pixels = draw(hnp.arrays(dtype, shape))
    alpha = draw(st.none() | hnp.arrays(dtype, shape[:3]))
    return Frames(pixels=pixels, alpha=alpha)


@settings(max_examples=150, deadline=None)
@given(frames=any_frames(), mime=st.sampled_from(["image/png", "image/tiff"]))
def test_lossless_formats_give_back_any_frames(frames, mime):
    if mime == "image/tiff" and frames.depth == 16 and frames.is_gray and frames.alpha is not None:
        return
    back = decode(encode(frames, mime))
    np.testing.assert_array_equal(back.pixels, frames.pixels)
    assert back.pixels.dtype == frames.pixels.dtype
    if frames.alpha is None:
        assert back.alpha is None
    else:
        np.testing.assert_array_equal(back.alpha, frames.alpha)
