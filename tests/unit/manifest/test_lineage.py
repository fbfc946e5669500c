"""Every ingredient's signer is judged again, against the lists of whoever asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provenance.manifest.crjson import crjson
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState, TrustTier
from provenance.manifest.revocation import Revocation, RevocationReason
from provenance.manifest.sign import sign
from provenance.manifest.trust import TrustLists
from provenance.media import Asset


@pytest.fixture(scope="session")
def chained(picture, spec, signer, stranger, trust):
    """Ours, over a stranger's, over nothing; signed with our lists at ingest."""
    foreign = sign(picture(seed=3), spec, stranger.signer()).asset
    return sign(foreign, spec, signer, trust=trust).asset


def test_the_signer_of_an_ingredient_has_the_tier_of_the_readers_lists(chained, trust, stranger):
    """What was recorded at ingest is one thing, what the reader trusts another."""
    ours = read_manifest(chained, trust).ingredients[0]
    assert ours.signer.organisation == stranger.organisation
    assert ours.signer.tier is TrustTier.UNKNOWN
    theirs = replace(stranger.trust().lists[0], name="theirs")
    both = replace(trust, lists=(*trust.lists, theirs))
    node = read_manifest(chained, both).ingredients[0]
    assert (node.signer.tier, node.signer.list_name) == (TrustTier.OWN, "theirs")
    assert "signingCredential.untrusted" in node.recorded
    assert node.validated
    assert node.revalidated == ()


def test_a_signer_revoked_since_is_named_as_such(chained, trust, stranger, authority):
    gone = Revocation.of(stranger.issuing, at=authority.now, reason=RevocationReason.UNSPECIFIED)
    theirs = replace(stranger.trust().lists[0], name="theirs")
    lists = replace(trust, lists=(*trust.lists, theirs), revoked=(gone,))
    node = read_manifest(chained, lists, at=authority.now).ingredients[0]
    assert node.signer.revocation is not None
    assert node.signer.tier is TrustTier.UNKNOWN


def test_an_ingredient_without_a_manifest_has_no_signer(picture, spec, signer, trust):
    plain = sign(picture(seed=5), spec, signer, parent=picture(seed=6), trust=trust)
    node = plain.reading.ingredients[0]
    assert (node.label, node.signer, node.validated) == (None, None, False)


def test_a_signature_that_does_not_hold_names_nobody(signed, picture, spec, signer, trust):
    data = bytearray(signed().asset.data)
    data[-20] ^= 1
    tampered = Asset.of(bytes(data), "image/png")
    assert read_manifest(tampered, trust).state is ManifestState.TAMPERED
    node = sign(picture(seed=7), spec, signer, parent=tampered, trust=trust).reading.ingredients[0]
    assert node.problem
    assert node.signer is None


def test_crjson_says_what_the_verdict_says_at_the_time_asked_for(signed, trust, authority):
    asset = signed().asset
    later = authority.now.replace(year=authority.now.year + 5)
    for lists, at, code in (
        (trust, authority.now, "signingCredential.trusted"),
        (TrustLists(), authority.now, "signingCredential.untrusted"),
        (trust, later, "signingCredential.expired"),
    ):
        reading = read_manifest(asset, lists, at=at)
        document = crjson(asset, reading, lists).document
        results = document["manifests"][0]["validationResults"]
        found = {kind: [one["code"] for one in results[kind]] for kind in ("success", "failure")}
        assert code in found["success"] + found["failure"]
        assert ("signingCredential.trusted" in found["success"]) is (reading.state is ManifestState.TRUSTED)
        assert results["validationTime"].startswith(at.strftime("%Y-%m-%dT%H:%M"))
        assert document["manifests"][0]["label"] == reading.label


def test_crjson_of_a_development_identity_trusts_nobody(signed, authority):
    lists = authority.trust(TrustTier.DEVELOPMENT)
    reading = read_manifest(signed().asset, lists)
    assert reading.state is ManifestState.DEVELOPMENT
    results = crjson(signed().asset, reading, lists).document["manifests"][0]["validationResults"]
    assert "signingCredential.untrusted" in [one["code"] for one in results["failure"]]
    assert "signingCredential.trusted" not in [one["code"] for one in results["success"]]


def test_where_there_is_no_manifest_crjson_says_why(picture, trust):
    found = crjson(picture(), read_manifest(picture(), trust), trust)
    assert found.document is None
    assert "no manifest" in found.missing
