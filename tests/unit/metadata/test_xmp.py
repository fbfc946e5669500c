"""The IPTC statement: written once, read safely, pixels untouched."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from provenance.errors import InputError
from provenance.evidence import Outcome
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Asset
from provenance.metadata import places, png
from provenance.metadata.reading import read_metadata
from provenance.metadata.xmp import describe, packet_for

AI = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
KINDS = [
    ("image/png", "PNG", {}),
    ("image/jpeg", "JPEG", {}),
    ("image/webp", "WEBP", {}),
    ("image/webp", "WEBP", {"lossless": True}),
    ("image/tiff", "TIFF", {}),
    ("image/tiff", "TIFF", {"compression": "tiff_deflate"}),
]
every_kind = pytest.mark.parametrize(("mime", "form", "options"), KINDS)


def encoded(form: str, mode: str = "RGB", **options: object) -> bytes:
    shape = (31, 37, len(mode)) if len(mode) > 1 else (31, 37)
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def pixels_of(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@every_kind
def test_written_read_back_and_pixels_kept(mime, form, options):
    profile = b"\0" * 40 + b"acsp" + b"\0" * 84
    data = encoded(form, icc_profile=profile, **options)
    before = Asset.of(data, mime)
    after = describe(before, source_type=AI, model_name='emoji <1> & "2"', creator_tool="mediaguard 0.1.0")
    evidence = read_metadata(after)
    assert evidence.outcome is Outcome.SUPPORTS
    assert evidence.detail.source_type is AI
    assert evidence.detail.model_name == 'emoji <1> & "2"'
    assert evidence.detail.creator_tool == "mediaguard 0.1.0"
    np.testing.assert_array_equal(pixels_of(data), pixels_of(after.data))
    with Image.open(io.BytesIO(after.data)) as image:
        assert image.info["icc_profile"] == profile


@every_kind
def test_written_twice_is_one_packet(mime, form, options):
    first = describe(Asset.of(encoded(form, **options), mime), source_type=AI, model_name="one")
    second = describe(first, source_type=DigitalSourceType.DIGITAL_CREATION)
    assert second.data.count(b"W5M0MpCehiHzreSzNTczkc9d") == 1
    reading = read_metadata(second).detail
    assert reading.packets == 1
    assert reading.source_type is DigitalSourceType.DIGITAL_CREATION
    assert reading.model_name is None
    assert b"trainedAlgorithmicMedia" not in second.data


@pytest.mark.parametrize(
    ("mime", "form", "options", "mode"),
    [(*kind, mode) for kind in KINDS for mode in ("L", "RGBA") if (kind[1], mode) != ("JPEG", "RGBA")],
)
def test_gray_and_alpha_survive(mime, form, options, mode):
    data = encoded(form, mode, **options)
    after = describe(Asset.of(data, mime), source_type=AI)
    np.testing.assert_array_equal(pixels_of(data), pixels_of(after.data))


@every_kind
def test_nothing_there_is_absent(mime, form, options):
    assert read_metadata(Asset.of(encoded(form, **options), mime)).outcome is Outcome.ABSENT


def test_another_source_type_contradicts_and_an_unknown_one_decides_nothing():
    plain = Asset.of(encoded("PNG"), "image/png")
    camera = describe(plain, source_type=DigitalSourceType.DIGITAL_CAPTURE)
    assert read_metadata(camera).outcome is Outcome.CONTRADICTS
    for term in (
        "http://cv.iptc.org/newscodes/digitalsourcetype/madeUp",
        "https://evil.example/trainedAlgorithmicMedia",
    ):
        raw = packet_for(source_type=AI, model_name=None, creator_tool="x").replace(
            AI.value.encode(), term.encode()
        )
        found = read_metadata(Asset.of(places.with_packet(plain.data, raw), "image/png"))
        assert found.outcome is Outcome.INCONCLUSIVE
        assert found.detail.source_terms == (term,)


def test_two_packets_that_disagree_decide_nothing():
    one = describe(Asset.of(encoded("PNG"), "image/png"), source_type=AI).data
    other = packet_for(source_type=DigitalSourceType.DIGITAL_CAPTURE, model_name=None, creator_tool="x")
    extra = png.chunk(b"iTXt", places.XMP_PNG + b"\0\0\0\0\0" + other)
    found = read_metadata(Asset.of(png.rebuild(one, drop=[], insert_before_idat=extra), "image/png"))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.detail.packets == 2


EXT = 'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
RDF = 'xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'


@pytest.mark.parametrize(
    "body",
    [
        f"<x {EXT}><e:DigitalSourceType>%s</e:DigitalSourceType></x>",
        f'<x {EXT} {RDF}><e:DigitalSourceType r:resource="%s"/></x>',
    ],
)
def test_elements_and_resources_are_read_like_attributes(body):
    raw = (body % AI.value).encode()
    found = read_metadata(Asset.of(places.with_packet(encoded("JPEG"), raw), "image/jpeg"))
    assert found.outcome is Outcome.SUPPORTS


def test_a_compressed_packet_is_read_and_a_bomb_is_not():
    raw = packet_for(source_type=AI, model_name=None, creator_tool="x")
    for payload, outcome in ((raw, Outcome.SUPPORTS), (b" " * 50_000_000, Outcome.FAILED)):
        chunk = png.chunk(b"iTXt", places.XMP_PNG + b"\0\1\0\0\0" + zlib.compress(payload))
        data = png.rebuild(encoded("PNG"), drop=[], insert_before_idat=chunk)
        assert read_metadata(Asset.of(data, "image/png")).outcome is outcome


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'.encode("utf-16"),
        b"<a>" * 5000 + b"</a>" * 5000,
        b"not xml at all",
        b"<x>",
        b"",
    ],
)
def test_hostile_packets_are_failures_not_surprises(hostile):
    found = read_metadata(Asset.of(places.with_packet(encoded("JPEG"), hostile), "image/jpeg"))
    assert found.outcome is Outcome.FAILED
    assert found.reason


def test_other_containers_are_not_checked():
    assert read_metadata(Asset.of(b"GIF89a" + bytes(20), "image/gif")).outcome is Outcome.NOT_CHECKED
    with pytest.raises(InputError):
        describe(Asset.of(b"GIF89a" + bytes(20), "image/gif"), source_type=AI)


def test_control_characters_do_not_get_into_xml():
    with pytest.raises(InputError):
        packet_for(source_type=AI, model_name="a\x00b", creator_tool="x")


def test_a_signed_file_is_not_touched():
    marked = encoded("PNG") + b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq"
    with pytest.raises(InputError) as caught:
        describe(Asset.of(marked, "image/png"), source_type=AI)
    assert caught.value.code == "metadata.would-break-signature"


@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(data):
    mime, form, options = data.draw(st.sampled_from(KINDS))
    raw = bytearray(describe(Asset.of(encoded(form, **options), mime), source_type=AI).data)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(8, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    cut = bytes(raw[: data.draw(st.integers(8, len(raw)))])
    evidence = read_metadata(Asset.of(cut, mime))
    assert evidence.outcome in set(Outcome)
    try:
        describe(Asset.of(cut, mime), source_type=AI)
    except InputError as error:
        assert error.code in {"media.damaged", "metadata.unsupported-media", "metadata.too-large"}  # noqa: PT017


def test_tiff_values_outside_the_file_are_refused():
    data = bytearray(encoded("TIFF"))
    struct.pack_into("<I", data, 4, len(data) + 100)
    assert read_metadata(Asset.of(bytes(data), "image/tiff")).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (encoded("BMP"), "BMP files"),
        (encoded("GIF", mode="L"), "GIF files"),
        (b"%PDF-1.4\n1 0 obj", "PDF files"),
        (b"plain words", "files of another kind"),
    ],
)
def test_a_container_without_a_place_for_metadata_is_named(data, named):
    with pytest.raises(InputError) as caught:
        places.packets(data)
    assert caught.value.code == "metadata.unsupported-media"
    assert caught.value.what.endswith(f"not in {named}")
