"""A time-stamp in the file: in the place of padding, so that nothing else moves; and what policy says."""

from __future__ import annotations

import importlib
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulators.tsa import NEEDED, Server

from guard.origin_answers import manifest_answer, time_answer
from provenance.errors import ConfigurationError
from provenance.manifest import jumbf
from provenance.manifest.cbor import Decoder, decode
from provenance.manifest.containers import find_store
from provenance.manifest.formats import MIMES
from provenance.manifest.read import raw_agrees, read_manifest
from provenance.manifest.reading import ManifestState, SigningTime, TrustTier
from provenance.manifest.sidecar import BESIDE
from provenance.manifest.sign import sign
from provenance.manifest.timestamps import StampedSigner, _padding, place_token
from provenance.manifest.trust import ListKind, TrustList
from provenance.media import Asset
from provenance.spool import Spool, copied
from provenance.timestamp.client import TimePolicy, TimeStamper

pytestmark = NEEDED
DEAD = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
        yield importlib.import_module("_every_format").every_format()


@pytest.fixture(scope="module")
def server(clock):
    with Server(clock.reply) as running:
        yield running


@pytest.fixture(scope="module")
def listed(clock, trust):
    clocks = TrustList.of(
        name="clocks", tier=TrustTier.OWN, kind=ListKind.TSA, pem=clock.root_pem, date=clock.now.date()
    )
    return trust.adding(clocks)


def stamped(signer, *authorities: str, policy: TimePolicy = TimePolicy.REQUIRED) -> StampedSigner:
    stamper = TimeStamper(authorities=authorities, policy=policy, rounds=1, wait=lambda _: None)
    return StampedSigner(signer=signer, stamper=stamper)


def signature(store: bytes):
    box = jumbf.parse_store(store).boxes[-1].only(jumbf.SIGNATURE).contents[0]
    return decode(store[box.start : box.end]).value


@pytest.mark.parametrize("mime", MIMES)
def test_the_time_is_proven_in_every_container(mime, server, signer, listed, trust, spec, samples):
    made = sign(samples[mime], spec, stamped(signer, server.url), trust=listed)
    assert (made.reading.state, made.reading.signer.time) == (ManifestState.TRUSTED, SigningTime.PROVEN)
    beside = made.manifest if mime in BESIDE else None
    assert raw_agrees(made.asset, sidecar=beside)
    assert beside or find_store(made.asset.content).store == made.manifest
    # Who has no list with that authority is told what the manifest claims.
    assert read_manifest(made.asset, trust, sidecar=beside).signer.time is SigningTime.CLAIMED


def test_a_manifest_beside_the_file_is_stamped_as_well(server, signer, listed, picture, spec):
    made = sign(picture(), spec, stamped(signer, server.url), trust=listed, embed=False)
    assert made.reading.signer.time is SigningTime.PROVEN
    assert made.asset.data == picture().data


def test_a_clip_is_stamped_where_it_lies(server, signer, listed, spec, make_clip):
    held = copied(make_clip(), Spool())
    made = sign(Asset.of(held, "video/mp4"), spec, stamped(signer, server.url), trust=listed)
    assert isinstance(made.asset.content, Spool)
    assert made.reading.signer.time is SigningTime.PROVEN


def test_nothing_moves_and_nothing_else_changes(server, signer, listed, picture, spec):
    """The same file with the token taken out again is the file as it was signed."""
    asset = sign(picture(), spec, stamped(signer, DEAD, policy=TimePolicy.PREFERRED), trust=listed)
    token = TimeStamper(authorities=(server.url,)).timestamp(b"whatever")
    out = io.BytesIO(asset.asset.data)
    store = place_token(token, asset.manifest, asset.asset.data, out)
    changed = out.getvalue()
    assert (len(changed), len(store)) == (len(asset.asset.data), len(asset.manifest))
    before, after = signature(asset.manifest), signature(store)
    assert (before[0], before[2], before[3]) == (after[0], after[2], after[3])
    assert after[1]["sigTst2"] == {"tstTokens": [{"val": token}]}
    assert set(after[1]) == {"sigTst2", "pad"}
    assert find_store(changed).store == store
    inside = find_store(changed).spans[0]
    assert changed[: inside[0]] + changed[inside[1] :] == (
        asset.asset.data[: inside[0]] + asset.asset.data[inside[1] :]
    )


def test_a_token_over_something_else_proves_nothing(server, signer, listed, picture, spec):
    made = sign(picture(), spec, stamped(signer, DEAD, policy=TimePolicy.PREFERRED), trust=listed)
    out = io.BytesIO(made.asset.data)
    place_token(TimeStamper(authorities=(server.url,)).timestamp(b"x"), made.manifest, made.asset.data, out)
    found = read_manifest(Asset.of(out.getvalue(), "image/png"), listed)
    assert found.signer.time is not SigningTime.PROVEN
    assert found.state is ManifestState.TRUSTED
    assert "a time stamp is there and does not hold" in time_answer(found).text


def test_changed_bytes_of_a_token_are_listed_and_told(server, signer, listed, trust, picture, spec):
    """Nothing hashes them, and the file stays intact: whatever proves nothing has to be told apart."""
    made = sign(picture(), spec, stamped(signer, server.url), trust=listed)
    (said,) = made.reading.uncovered
    assert said.endswith(": time-stamp beside the signature, which vouches for itself alone")
    token = signature(made.manifest)[1]["sigTst2"]["tstTokens"][0]["val"]
    out = io.BytesIO(made.asset.data)
    place_token(bytes(len(token)), made.manifest, made.asset.data, out)
    found = read_manifest(Asset.of(out.getvalue(), "image/png"), listed)
    ((low, high),) = (map(int, re.findall(r"\d+", listed_range)[:2]) for listed_range in found.uncovered)
    at = made.asset.data.index(token)
    assert low <= at <= at + len(token) - 1 <= high
    assert found.uncovered[0].endswith(": time-stamp beside the signature")
    but = "as it was signed, with every assertion but for a time stamp that does not hold"
    assert manifest_answer(found).text == but
    assert manifest_answer(made.reading).text == "as it was signed, with every assertion"
    assert "a time stamp is there and does not hold" in time_answer(found).text
    unlisted = read_manifest(made.asset, trust)
    assert unlisted.uncovered == made.reading.uncovered
    assert "of an authority on no list here" in time_answer(unlisted).text


@pytest.mark.parametrize("mime", ["image/png", "image/gif"])  # in one piece, and in pieces of 255 bytes
def test_every_byte_of_a_token_is_listed_or_noticed(mime, server, signer, listed, samples, spec):
    """Its own signature leaves out the structure around it, and the certificates that nobody needed."""
    made = sign(samples[mime], spec, stamped(signer, server.url), trust=listed)
    asset, token = made.asset, signature(made.manifest)[1]["sigTst2"]["tstTokens"][0]["val"]
    low = asset.data.index(token[:20]) - 60
    for at in range(low, low + len(token) + 200, 17):
        changed = bytearray(asset.data)
        changed[at] ^= 0x5A
        reading = read_manifest(Asset.of(bytes(changed), mime), listed)
        ranges = [list(map(int, re.findall(r"\d+", line)[:2])) for line in reading.uncovered]
        assert not reading.intact or any(first <= at <= last for first, last in ranges), at


def test_required_and_all_dead_is_one_line_and_no_file(signer, listed, picture, spec):
    with pytest.raises(ConfigurationError) as caught:
        sign(picture(), spec, stamped(signer, DEAD), trust=listed)
    assert caught.value.code == "timestamp.unavailable"
    assert caught.value.what == "no time-stamp was given: 127.0.0.1:9: it cannot be reached"


def test_required_means_of_an_authority_on_a_list(server, signer, trust, picture, spec):
    with pytest.raises(ConfigurationError) as caught:
        sign(picture(), spec, stamped(signer, server.url), trust=trust)
    assert caught.value.code == "timestamp.unlisted"
    assert "--kind tsa" in caught.value.hint


def test_preferred_and_unlisted_signs_and_says_so(server, signer, listed, trust, picture, spec, caplog):
    made = sign(picture(), spec, stamped(signer, server.url, policy=TimePolicy.PREFERRED), trust=trust)
    assert "warning: the time-stamp is of an authority that is on no list here" in caplog.text
    assert "guard trust add NAME PEM --kind tsa" in caplog.text
    said = time_answer(made.reading)
    assert "as it claims, not proven" in said.text
    assert "a time stamp is there, of an authority on no list here" in said.text
    # The same file, where a list vouches for it; and signing there warns of nothing.
    assert read_manifest(made.asset, listed).signer.time is SigningTime.PROVEN
    caplog.clear()
    sign(picture(), spec, stamped(signer, server.url, policy=TimePolicy.PREFERRED), trust=listed)
    assert caplog.text == ""


def test_preferred_and_dead_signs_and_says_so(signer, listed, picture, spec, caplog):
    made = sign(picture(), spec, stamped(signer, DEAD, policy=TimePolicy.PREFERRED), trust=listed)
    assert made.reading.state is ManifestState.TRUSTED
    assert made.reading.signer.time is SigningTime.NONE or made.reading.signer.time is SigningTime.CLAIMED
    assert "signed without a time-stamp" in caplog.text
    assert "127.0.0.1:9: it cannot be reached" in caplog.text


def test_a_token_that_does_not_fit_is_refused_by_name(signer, trust, picture, spec):
    made = sign(picture(), spec, signer, trust=trust)
    with pytest.raises(ConfigurationError) as caught:
        place_token(bytes(5000), made.manifest, made.asset.data, io.BytesIO(made.asset.data))
    assert caught.value.code == "timestamp.no-room"


def test_a_file_that_keeps_its_manifest_otherwise_is_refused_by_name(signer, trust, picture, spec):
    made = sign(picture(), spec, signer, trust=trust)
    with pytest.raises(ConfigurationError) as caught:
        place_token(bytes(100), made.manifest, picture().data, io.BytesIO())
    assert caught.value.code == "timestamp.no-place"


@given(st.integers(min_value=9, max_value=70_000))
def test_padding_fills_every_room_exactly(room):
    parts = _padding(room)
    if room > 65_500:
        return
    raw = b"".join(parts)
    assert len(raw) == room
    reader, found = Decoder(raw), {}
    while reader.position < len(raw):
        key = reader.item()
        found[key] = reader.item()
    assert set(found) <= {"pad", "pad2"}
    assert not any(any(value) for value in found.values())


def test_the_signer_behind_is_asked_and_shown_without_its_key(signer):
    outer = stamped(signer, DEAD)
    assert (outer.algorithm, outer.chain) == (signer.algorithm, signer.chain)
    assert repr(outer) == "StampedSigner(PemSigner(es256), 127.0.0.1:9)"
    assert replace(outer.stamper, rounds=3).rounds == 3
