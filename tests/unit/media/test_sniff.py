import io

import numpy as np
import pytest
from PIL import Image

from provenance.sniff import EXTENSIONS, extension_for, mime_of


@pytest.mark.parametrize(
    ("fmt", "mime"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("AVIF", "image/avif"),
    ],
)
def test_what_pillow_writes_is_recognised(fmt, mime):
    out = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(out, fmt)
    assert mime_of(out.getvalue()) == mime


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "image/avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf", None),
        (b"\0\0\0\x18ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "video/mp4"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", "audio/mp4"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska", "video/x-matroska"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\x24\0\0\0CDXAfmt ", None),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"ID3\x04\0\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xfe\x41\x00", None),  # UTF-16 text, not MPEG
        (b"BM is how this sentence begins", None),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="x">', "image/svg+xml"),
        (b'<!DOCTYPE svg PUBLIC "a" "b" [<!ENTITY e "f">]><svg>', "image/svg+xml"),
        (b"\xef\xbb\xbf <svg>", "image/svg+xml"),
        (b"<html><svg>", None),
        (b"<svgish>", None),
        (b"", None),
        (b"hello, world\n", None),
        (b"\x89PN", None),
    ],
)
def test_signatures(head, mime):
    assert mime_of(head) == mime


def test_an_svg_preamble_of_many_comments_takes_no_time():
    assert mime_of(b"<!---->" * 580) is None


def test_every_type_has_its_own_extension():
    assert len(set(EXTENSIONS.values())) == len(EXTENSIONS)
    assert extension_for("image/png") == ".png"
    assert extension_for("application/x-unheard-of") == ".bin"
