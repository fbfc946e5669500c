"""A manifest in several JPEG segments: each byte of their heads is held against something, or listed."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import Error
from provenance.manifest.cbor import StructureError
from provenance.manifest.containers import find_store
from provenance.manifest.read import read_manifest
from provenance.manifest.sign import sign
from provenance.media import Asset
from provenance.metadata import jpeg

HEAD = 20
"""Bytes of a later segment before its part of the store: marker, length, CI, En, Z, LBox and TBox."""
OWN = 12
"""The same of the first segment, whose box header is the store's own."""


@pytest.fixture(scope="module")
def signed(picture, spec, signer, trust):
    """A picture whose manifest takes three segments, and where these begin."""
    large = replace(spec, digest_assertion={"version": 1, "lab": ["a" * 50_000] * 3, "side": 32})
    data = sign(picture("image/jpeg"), large, signer, trust=trust).asset.data
    starts = [one.start for one in jpeg.segments(data) if one.marker == jpeg.APP11]
    assert len(starts) == 3
    return data, starts


def unnoticed(data: bytes, changed: set[int], trust) -> bool:
    """Whether the file counts as intact though something changed that is not listed."""
    try:
        reading = read_manifest(Asset.of(data, "image/jpeg"), trust)
    except Error:
        return False
    ranges = [line.split(" ")[1].rstrip(":").split("-") for line in reading.uncovered]
    listed = {at for low, high in ranges for at in range(int(low), int(high) + 1)}
    return reading.intact and not changed <= listed


def test_a_number_of_the_group_changed_in_all_its_segments_is_listed(signed, trust):
    data, starts = signed
    changed = bytearray(data)
    for start in starts:
        changed[start + 6 : start + 8] = b"\x77\x77"
    reading = read_manifest(Asset.of(bytes(changed), "image/jpeg"), trust)
    assert reading.intact
    numbers = [f"bytes {start + 6}-{start + 7}: number of the JPEG box instance" for start in starts]
    assert reading.uncovered == tuple(numbers)
    assert (reading.left_out.bytes, reading.left_out.exact) == (6, True)
    one = bytearray(data)
    one[starts[1] + 7] ^= 1
    assert not read_manifest(Asset.of(bytes(one), "image/jpeg"), trust).intact


def test_no_byte_of_a_head_changes_unnoticed(signed, trust):
    data, starts = signed
    for offset in range(HEAD):
        places = [start + offset for start in starts if offset < OWN or start != starts[0]]
        for some in (places, places[-1:], places[:1]):
            changed = bytearray(data)
            for at in some:
                changed[at] ^= 0x21
            assert not unnoticed(bytes(changed), set(some), trust), (offset, some)


def framed(parts: int, *, large: bool) -> bytes:
    """A JPEG header with a store in so many segments, its box header of 8 or of 16 bytes."""
    kind = b"c2pa" + bytes.fromhex("00110010800000AA00389B71")
    body = struct.pack(">I4s", 40, b"jumd") + kind + b"\3c2pa\0" + bytes(8 + 30 * parts)
    length = len(body) + 8
    box = struct.pack(">I4sQ", 1, b"jumb", length + 8) if large else struct.pack(">I4s", length, b"jumb")
    size = -(-len(body) // parts)
    data = b"\xff\xd8" + jpeg.segment(jpeg.APP0, b"JFIF\0" + bytes(9))
    for n in range(parts):
        head = struct.pack(">2sHI", b"JP", 5, n + 1) + box
        data += jpeg.segment(jpeg.APP11, head + body[n * size : (n + 1) * size])
    return data + b"\xff\xda\0\2\xff\xd9"


@settings(max_examples=300)
@given(st.data(), st.integers(1, 4), st.booleans())
def test_whatever_changes_in_a_head_is_refused_or_listed_or_changes_the_store(data, parts, large):
    whole = framed(parts, large=large)
    before = find_store(whole)
    assert before is not None
    inside = {at for piece in before.pieces for at in range(piece.file, piece.file + piece.length)}
    heads = [sorted(set(range(low, high)) - inside) for low, high in before.spans]
    which = data.draw(st.lists(st.sampled_from(heads), min_size=1, unique_by=id))
    offset, flip = data.draw(st.integers(0, 31)), data.draw(st.integers(1, 255))
    places = {head[offset] for head in which if offset < len(head)}
    changed = bytes(byte ^ flip if at in places else byte for at, byte in enumerate(whole))
    try:
        after = find_store(changed)
    except (StructureError, Error):
        return
    if after is not None and after.store == before.store:
        listed = {at for one in after.open for at in range(one.start, one.end)}
        assert places <= listed
