"""XMP in MP4 and QuickTime files: one box at the end, nothing before it moves."""

from __future__ import annotations

import struct

import pytest

from provenance.errors import InputError
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Asset
from provenance.metadata import bmff
from provenance.metadata.reading import read_metadata
from provenance.metadata.xmp import describe

SOURCE = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


CLIP = box(b"ftyp", b"isom\0\0\2\0isom") + box(b"mdat", b"frames") + box(b"moov", b"tables")


def described(data: bytes, **said) -> Asset:
    return describe(Asset.of(data, "video/mp4"), source_type=SOURCE, **said)


def test_what_is_written_is_read_and_the_rest_stays_where_it_was() -> None:
    asset = described(CLIP, model_name="Some Video 2")
    assert asset.data.startswith(CLIP)
    reading = read_metadata(asset).detail
    assert (reading.source_type, reading.model_name, reading.packets) == (SOURCE, "Some Video 2", 1)


def test_an_earlier_packet_is_blanked_in_its_place() -> None:
    twice = described(described(CLIP, model_name="First").data, model_name="Second").data
    assert twice.startswith(CLIP)
    assert b"First" not in twice
    assert [b.kind for b in bmff.boxes(twice)] == [b"ftyp", b"mdat", b"moov", b"free", b"uuid"]
    assert read_metadata(Asset.of(twice, "video/mp4")).detail.model_name == "Second"


@pytest.mark.parametrize("data", [CLIP[:-3], CLIP + b"\0\0\0\0mdatto the end", CLIP + b"\0\0"])
def test_a_file_that_does_not_end_with_a_whole_box_is_refused(data) -> None:
    with pytest.raises(InputError) as refused:
        described(data)
    assert refused.value.code == "media.damaged"
