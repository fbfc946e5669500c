"""Many entries: buckets with a crowd in each, and look-ups that read one of them."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.keys import create_log_key
from provenance.log.leaves import ALLOW, DecisionLeaf
from provenance.log.store import Log
from provenance.registry_entry import Place
from provenance.registry_layout import BY_BINDING, CROWD, binding_value, parsed_value
from provenance.registry_publish import Contents, publish
from provenance.registry_published import PublishedRegistry

KEY = "0123456789abcdef"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def made(tmp_path, count: int):
    """A publication of ``count`` ids that lead to a few manifests; what those say is not looked at here."""
    signer = create_log_key(tmp_path / "log.pem", random=secrets.token_bytes)
    log = Log.create(tmp_path / "log", signer)
    manifests = [f"manifest {number}".encode() for number in range(5)]
    digests = [hashlib.sha256(data).hexdigest() for data in manifests]
    leaves = [
        DecisionLeaf(
            action=ALLOW, decision_commitment=sha("c"), subject_sha256=sha(one), manifest_sha256=one, time=1
        )
        for one in digests
    ]
    log.append([leaf.to_bytes() for leaf in leaves])
    places = [
        Place(
            algorithm="test.1",
            key_id=KEY,
            epoch=1,
            content_id=number.to_bytes(8, "big"),
            manifest_sha256=digests[number % 5],
            asset_sha256=sha(digests[number % 5]),
            log_index=number % 5,
        )
        for number in range(count)
    ]
    contents = Contents(
        places=places,
        manifest=lambda wanted: (manifests[digests.index(wanted)], None),
        fingerprints={},
        withdrawals={},
        locators={},
    )
    return publish(contents, log, signer, tmp_path / "pub", now=1), places


@pytest.mark.parametrize(("count", "length"), [(0, 0), (40, 0), (1500, 1)])
def test_every_id_is_found_in_its_bucket(tmp_path, count, length):
    done, places = made(tmp_path, count)
    assert done.prefix == length
    assert length == 0 or done.crowd >= CROWD
    registry = PublishedRegistry.open(tmp_path / "pub")
    assert len(list((tmp_path / "pub" / BY_BINDING).iterdir())) == 16**length
    for place in places[:: max(1, count // 20)]:
        found = registry.look_up(place.algorithm, place.key_id, place.epoch, place.content_id)
        assert [entry.manifest_sha256 for entry in found.entries] == [place.manifest_sha256]
        assert found.entries[0].log_index == place.log_index
    assert registry.look_up("test.1", KEY, 1, b"unknown!").entries == ()
    sizes = {path.stat().st_size % 4096 for path in (tmp_path / "pub" / BY_BINDING).iterdir()}
    assert sizes == {0}


@given(data=st.binary(max_size=12), text=st.text(max_size=20))
def test_a_value_has_one_spelling_in_base64_and_one_in_hex(data, text):
    whole = data if len(data) == 8 else None
    assert parsed_value(binding_value(data)) == whole
    assert parsed_value(data.hex()) == whole
    found = parsed_value(text)
    assert found is None or text in (binding_value(found), found.hex())


@pytest.mark.parametrize(
    "value", [None, 7, "eftfRaI9Ikp=", "EFTF", "eftfRaI9Iko", "79FB5F45A23D224A", "é" * 12]
)
def test_what_is_no_value_is_none(value):
    assert parsed_value(value) is None
