"""A manifest read in a process of its own: the same reading, and never more than a reading when it fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.codecs import read_asset
from provenance.errors import InputError
from provenance.manifest import values_json
from provenance.manifest.cbor import Tagged
from provenance.manifest.isolated import ChildLimits, read_manifest_isolated
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState
from provenance.media import Asset

AT = datetime.now(UTC)
SHORT = ChildLimits(memory=2**20)
"""Less than the interpreter has taken already."""


def test_the_same_reading_from_memory_and_from_a_file(signed, trust, tmp_path):
    made = signed("image/tiff").asset
    assert read_manifest_isolated(made, trust, at=AT) == read_manifest(made, trust, at=AT)
    path = tmp_path / "sound.wav"
    path.write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + b"\1\0\1\0" + bytes(12) + b"data\0\0\0\0")
    stored = read_asset(path)
    assert read_manifest_isolated(stored, trust, at=AT) == read_manifest(stored, trust, at=AT)


def test_a_sidecar_goes_along(signed, picture, trust):
    beside = signed("image/png").manifest
    other = picture("image/jpeg")
    found = read_manifest_isolated(other, trust, at=AT, sidecar=beside)
    assert found == read_manifest(other, trust, at=AT, sidecar=beside)
    assert found.state is ManifestState.TAMPERED


def test_refusals_are_those_of_the_reader(trust):
    broken = Asset.of(b"\x89PNG\r\n\x1a\n" + bytes(4), "image/png")
    with pytest.raises(InputError) as isolated:
        read_manifest_isolated(broken, trust, at=AT)
    with pytest.raises(InputError) as here:
        read_manifest(broken, trust, at=AT)
    assert isolated.value.code == here.value.code == "media.damaged"
    assert isolated.value.what == here.value.what


def test_a_reader_that_reaches_a_limit_makes_a_signed_file_malformed(signed, trust):
    found = read_manifest_isolated(signed("image/png").asset, trust, at=AT, limits=SHORT)
    assert found.state is ManifestState.MALFORMED
    assert found.reason.startswith("the reader")


def test_and_an_unsigned_one_unreadable_not_unsigned(picture, trust):
    with pytest.raises(InputError, match="the reader") as caught:
        read_manifest_isolated(picture("image/png"), trust, at=AT, limits=SHORT)
    assert caught.value.code == "media.unreadable"


def test_a_reader_that_never_ends_is_ended(signed, trust):
    found = read_manifest_isolated(signed().asset, trust, at=AT, limits=ChildLimits(wall_s=0.0))
    assert found.state is ManifestState.MALFORMED
    assert "took too long" in found.reason


def test_values_come_back_equal_and_of_their_types(signed, trust):
    reading = signed("image/jpeg").reading
    odd = MappingProxyType(
        {"a": [1, 2.5, None, {"b": b"\0\xff"}], "c": ({3: "four"},), "t": Tagged(tag=0, value="x")}
    )
    held = replace(reading, digest_assertion=odd)
    for value in (held, trust, date(2026, 1, 2), AT):
        back = values_json.loads(values_json.dumps(value))
        assert back == value
        assert type(back) is type(value)


def test_what_is_no_value_is_refused():
    with pytest.raises(TypeError):
        values_json.dumps(object())


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200) | st.sampled_from([b'{"value":["Path",{}]}', b'{"enum":["TrustTier","best"]}'])
)
def test_answers_that_are_none_are_noticed(raw):
    try:
        values_json.loads(raw)
    except ValueError:
        return
    # Plain JSON is a value; anything else has to name one of ours.
    assert not raw.lstrip().startswith(b'{"value":["Path"')
