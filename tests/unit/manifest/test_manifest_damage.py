"""Damage of every kind: never an exception but ours, never intact, never "no manifest"."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import Error
from provenance.manifest import cbor, cose, jumbf, path
from provenance.manifest.cbor import StructureError
from provenance.manifest.containers import find_store, has_trace
from provenance.manifest.read import read_manifest, read_stored_manifest
from provenance.manifest.reading import ManifestReading, ManifestState
from provenance.media import Asset

relaxed = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
BROKEN = {ManifestState.TAMPERED, ManifestState.MALFORMED}


def listed(reading: ManifestReading, offset: int) -> bool:
    ranges = [re.match(r"bytes (\d+)-(\d+):", text) for text in reading.uncovered]
    return any(int(found[1]) <= offset <= int(found[2]) for found in ranges if found)


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "image/tiff"])
def test_any_changed_byte_is_noticed(signed, trust, mime):
    asset = signed(mime).asset
    start, length = find_store(asset.data).pieces[0].file - 16, len(signed(mime).manifest) + 32
    rng = random.Random(mime)
    offsets = [rng.randrange(len(asset.data)) for _ in range(150)]
    offsets += [rng.randrange(start, min(start + length, len(asset.data))) for _ in range(150)]
    for offset in offsets:
        data = bytearray(asset.data)
        data[offset] ^= rng.randrange(1, 256)
        reading = read_manifest(Asset.of(bytes(data), mime), trust)
        assert reading.state in BROKEN or listed(reading, offset), f"byte {offset}: {reading.state}"


@pytest.mark.slow
@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "image/tiff"])
def test_every_single_byte_is_noticed(signed, trust, mime):
    asset = signed(mime).asset
    for offset in range(len(asset.data)):
        data = bytearray(asset.data)
        data[offset] ^= 0xA5
        reading = read_manifest(Asset.of(bytes(data), mime), trust)
        assert reading.state in BROKEN or listed(reading, offset), f"byte {offset}: {reading.state}"


@relaxed
@given(data=st.data())
def test_cuts_and_splices_end_in_a_reading_or_our_error(signed, trust, data):
    mime = data.draw(st.sampled_from(["image/png", "image/jpeg", "image/webp", "image/tiff"]))
    raw = signed(mime).asset.data
    low = data.draw(st.integers(0, len(raw)))
    high = data.draw(st.integers(0, len(raw)))
    put = data.draw(st.binary(max_size=40))
    damaged = raw[:low] + put + raw[high:]
    try:
        reading = read_manifest(Asset.of(damaged, mime), trust)
    except Error:
        assert not has_trace(damaged)
        return
    assert reading.state in BROKEN or not has_trace(damaged) or damaged == raw


def test_a_signed_file_cut_into_very_many_parts_is_malformed_not_absent(signed, trust):
    """Found by the property above: a cut made a directory of 20,000 entries."""
    raw = signed("image/tiff").asset.data
    offset = int.from_bytes(raw[4:8], "little")
    damaged = raw[:offset] + b"\xff\xff" + raw[offset + 2 :]
    assert has_trace(damaged)
    reading = read_manifest(Asset.of(damaged, "image/tiff"), trust)
    assert reading.state is ManifestState.MALFORMED
    assert "more than 20,000" in reading.reason


@relaxed
@given(raw=st.binary(max_size=300))
def test_parsers_refuse_anything_with_their_own_error(raw):
    def kind_of_failure(parse):
        try:
            parse(raw)
        except Exception as error:  # noqa: BLE001 - the kind is what is asked for
            return type(error)
        return None

    for parse in (cbor.decode, jumbf.parse_store, lambda data: path.certificates((data,))):
        assert kind_of_failure(parse) in (None, StructureError)


@relaxed
@given(data=st.data())
def test_a_damaged_store_never_reads_as_intact(signed, trust, data):
    store = bytearray(signed().manifest)
    for _ in range(data.draw(st.integers(1, 4))):
        store[data.draw(st.integers(0, len(store) - 1))] ^= data.draw(st.integers(1, 255))
    reading = read_stored_manifest(bytes(store), "image/png", trust)
    assert not reading.intact
    assert reading.state in BROKEN or bytes(store) == signed().manifest or reading.uncovered


def test_padding_that_is_not_zero_is_not_padding(signed):
    store = bytearray(signed().manifest)
    start = store.rindex(b"cpad") + 12
    assert not any(store[start : start + 100])
    store[start + 50] = 1
    tree = jumbf.parse_store(bytes(store))
    with pytest.raises(StructureError, match="padding"):
        cose.signature_block(bytes(store), tree.boxes[-1])


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("00", 0),
        ("1903e8", 1000),
        ("3863", -100),
        ("f97e00", None),
        ("fb3ff199999999999a", 1.1),
        ("9f0102ff", [1, 2]),
        ("bf6161018161629f03ffff", None),
        ("7f657374726561646d696e67ff", "streaming"),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("c074323031332d30332d32315432303a30343a30305a", "tag"),
        ("f4", False),
        ("f6", None),
    ],
)
def test_cbor_examples_of_the_specification(encoded, value):
    raw = bytes.fromhex(encoded)
    if encoded.startswith("bf"):
        with pytest.raises(StructureError):
            cbor.decode(raw)
    elif value == "tag":
        assert cbor.decode(raw).tag == 0
    elif encoded == "f97e00":
        assert cbor.decode(raw) != cbor.decode(raw)
    else:
        assert cbor.decode(raw) == value


@pytest.mark.parametrize(
    "encoded",
    ["", "ff", "1c", "81", "9b7fffffffffffffff", "a2616101616102", "62ff", "81" * 40 + "00", "0000", "5f01"],
)
def test_cbor_that_is_refused(encoded):
    with pytest.raises(StructureError):
        cbor.decode(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    "encoded", ["5f00ff", "5f6161ff", "7f4161ff", "7ff6ff", "5f5f4161ffff", "5f" * 5_000]
)
def test_a_string_in_pieces_is_made_of_strings_of_its_kind_only(encoded):
    with pytest.raises(StructureError):
        cbor.decode(bytes.fromhex(encoded))


@pytest.mark.parametrize("opening", ["81", "9f", "a100", "bf00", "c1"])
@pytest.mark.parametrize("deep", [True, False])
def test_cbor_is_read_to_a_depth_of_32(opening, deep):
    closing = "ff" if opening in ("9f", "bf00") else ""
    raw = bytes.fromhex(opening * (32 + deep) + "00" + closing * (32 + deep))
    if deep:
        with pytest.raises(StructureError, match="deep"):
            cbor.decode(raw)
    else:
        assert cbor.decode(raw) is not None
