"""A file of very many tiny parts is refused before a parser sees it."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from provenance.codecs import decode, header, jpeg_quality, read_asset
from provenance.errors import InputError
from provenance.manifest.read import read_manifest
from provenance.manifest.trust import TrustLists
from provenance.media import Asset, Limits
from provenance.metadata import jpeg, png, riff, tiff
from provenance.metadata.parts import check_parts

CODE = "input.too-many-parts"
FTYP = struct.pack(">I", 16) + b"ftypavif\0\0\0\0"


def encoded(fmt: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (10, 90, 200)).save(out, fmt)
    return out.getvalue()


def png_of(parts: int) -> bytes:
    plain = encoded("PNG")
    return plain[:33] + png.chunk(b"tEXt", b"a\0b") * parts + plain[33:]


def jpeg_of(between: bytes) -> bytes:
    plain = encoded("JPEG")
    return plain[:2] + between + plain[2:]


def tiff_of(directories: int, entries: int) -> bytes:
    size = 2 + 12 * entries + 4
    made = bytearray(b"II*\0" + struct.pack("<I", 8))
    for index in range(directories):
        following = 8 + size * (index + 1) if index + 1 < directories else 0
        made += struct.pack("<H", entries) + struct.pack("<HHII", 999, 1, 1, 0) * entries
        made += struct.pack("<I", following)
    return bytes(made)


MANY = {
    "png": ("image/png", lambda: png_of(100_000)),
    "jpeg": ("image/jpeg", lambda: jpeg_of(jpeg.segment(jpeg.COM, b"a") * 100_000)),
    "jpeg-fill": ("image/jpeg", lambda: jpeg_of(b"\xff" * 100_000)),
    "webp": ("image/webp", lambda: riff.webp([encoded("WEBP")[12:], riff.chunk(b"abcd", b"xx") * 100_000])),
    "tiff": ("image/tiff", lambda: tiff_of(1, 60_000)),
    "tiff-chain": ("image/tiff", lambda: tiff_of(30_000, 1)),
    "gif": ("image/gif", lambda: encoded("GIF")[:-1] + b"\x21\xfe\1a\0" * 100_000 + b";"),
    "bmff": ("image/avif", lambda: FTYP + struct.pack(">I4s", 8, b"free") * 100_000),
}


@pytest.fixture(scope="module", params=MANY)
def many(request):
    mime, make = MANY[request.param]
    return Asset.of(make(), mime)


def code_of(call, *arguments) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return caught.value.code


def test_refused_everywhere(many, tmp_path, monkeypatch):
    def unreached(*_, **__):
        raise AssertionError("a parser saw the file")

    monkeypatch.setattr("provenance.codecs_pillow.decode", unreached)
    monkeypatch.setattr("provenance.codecs_pillow.header", unreached)
    monkeypatch.setattr("provenance.codecs_pillow.jpeg_quality", unreached)
    monkeypatch.setattr("provenance.manifest.c2pa_adapter.read_store", unreached)
    path = tmp_path / "many"
    path.write_bytes(many.data)
    assert code_of(read_asset, path) == CODE
    for call in (decode, header, jpeg_quality):
        assert code_of(call, many) == CODE
    assert code_of(read_manifest, many, TrustLists()) == CODE


def test_refused_at_the_first_part_too_many():
    # IHDR, IDAT and IEND are three more.
    check_parts(png_of(7), 10)
    assert code_of(check_parts, png_of(8), 10) == CODE


def test_a_caller_may_raise_the_limit():
    asset = Asset.of(png_of(21_000), "image/png")
    assert code_of(decode, asset) == CODE
    assert decode(asset, Limits(max_parts=30_000)).width == 64


def test_a_picture_of_many_data_chunks_is_read(tmp_path):
    noise = Image.effect_noise((300, 300), 80)
    out = io.BytesIO()
    noise.save(out, "PNG")
    whole = [c for c in png.chunks(out.getvalue()) if c.kind == b"IDAT"]
    data = b"".join(c.payload(out.getvalue()) for c in whole)
    step = -(-len(data) // 2_000)
    pieces = b"".join(png.chunk(b"IDAT", data[at : at + step]) for at in range(0, len(data), step))
    path = tmp_path / "many.png"
    path.write_bytes(png.rebuild(out.getvalue(), drop=whole, insert_before_idat=pieces))
    asset = read_asset(path)
    assert 1_900 < sum(c.kind == b"IDAT" for c in png.chunks(asset.data)) <= 2_000
    assert np.array_equal(decode(asset).pixels[0, ..., 0], np.asarray(noise))
    assert read_manifest(asset, TrustLists()).state == "absent"


def test_damage_is_left_to_the_parsers():
    check_parts(png_of(5)[:60])
    assert code_of(decode, Asset.of(png_of(5)[:60], "image/png")).startswith("input.")


def test_directories_in_a_circle_are_damage():
    data = bytearray(tiff_of(2, 1))
    data[-4:] = struct.pack("<I", 8)
    assert code_of(list, tiff.directories(bytes(data))) == "media.damaged"
