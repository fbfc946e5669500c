"""CAWG identity assertions: a second name in the manifest, with a trust of its own."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import c2pa
import pytest

from guard.statements import answers
from guard.statements import mark_not_read as unread
from provenance.evidence import Evidence, Outcome
from provenance.manifest.build import manifest_definition
from provenance.manifest.identities import IdentityState, identities
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState, TrustTier
from provenance.manifest.revocation import Revocation, RevocationReason
from provenance.manifest.settings import settings_json
from provenance.manifest.signers import leaf_of
from provenance.manifest.trust import ListKind, TrustList
from provenance.media import Asset


@pytest.fixture(scope="module")
def person(stranger):
    return stranger.signer(name="Jane Roe")


@pytest.fixture(scope="module")
def asset(picture, spec, signer, person, trust) -> Asset:
    """Signed by the library for settings that hold both keys: the one way in which it writes an identity."""

    def local(one):
        key = one.private_pem().decode()
        return {"local": {"alg": "es256", "sign_cert": one.chain.decode(), "private_key": key}}

    settings = json.loads(settings_json(trust)) | {"cawg_x509_signer": local(person), "signer": local(signer)}
    builder = c2pa.Builder(json.dumps(manifest_definition(spec)), context=c2pa.Context.from_dict(settings))
    builder._has_context_signer = True
    out = io.BytesIO()
    builder.sign("image/png", io.BytesIO(picture().data), out)
    return Asset.of(out.getvalue(), "image/png")


@pytest.fixture(scope="module")
def people(trust, stranger):
    """The lists, with one of identities."""
    item = TrustList.of(
        name="people",
        tier=TrustTier.OWN,
        pem=stranger.root_pem(),
        date=date(2026, 8, 1),
        kind=ListKind.CAWG,
    )
    return trust.adding(item)


def line(reading):
    mark = unread("not looked for")
    labels = Evidence(claim="x", channel="xmp", outcome=Outcome.ABSENT, reason="")
    return next(one for one in answers(reading, mark, labels, None) if one.question == "identity")


def test_an_identity_that_nobody_vouches_for_has_a_line_of_its_own(asset, trust):
    reading = read_manifest(asset, trust)
    (found,) = reading.identities
    assert reading.state is ManifestState.TRUSTED
    assert found.state is IdentityState.UNKNOWN
    assert found.signer.tier is TrustTier.UNKNOWN
    assert found.covers == ("c2pa.hash.data",)
    assert "cawg.x509.credential.untrusted" in reading.failures
    assert line(reading).outcome is Outcome.INCONCLUSIVE
    assert "Jane Roe, OpenAI OpCo, LLC [unknown]" in line(reading).text


def test_a_list_of_identities_vouches_for_it_and_no_other_list_does(asset, people, trust, stranger):
    reading = read_manifest(asset, people)
    assert reading.identities[0].state is IdentityState.TRUSTED
    assert reading.identities[0].signer.list_name == "people"
    assert line(reading).outcome is Outcome.SUPPORTS
    assert reading.failures == ()
    signers = TrustList.of(
        name="b", tier=TrustTier.OWN, pem=stranger.root_pem(), date=date(2026, 8, 1), kind=ListKind.MANIFEST
    )
    assert read_manifest(asset, trust.adding(signers)).identities[0].state is IdentityState.UNKNOWN


def test_a_list_of_identities_vouches_for_no_signer_of_manifests(asset, people):
    alone = people.removing("ours")
    assert read_manifest(asset, alone).state is ManifestState.UNKNOWN_SIGNER


def test_it_is_judged_at_the_time_of_the_caller(asset, people):
    later = datetime.now(UTC) + timedelta(days=3000)
    (found,) = read_manifest(asset, people, at=later).identities
    assert found.state is IdentityState.EXPIRED
    again = read_manifest(asset, people, at=later)
    assert again == read_manifest(asset, people, at=later)


def test_a_revoked_identity_counts_for_nothing(asset, people, person):
    at = datetime.now(UTC) - timedelta(days=10)
    revocation = Revocation.of(leaf_of(person.chain), reason=RevocationReason.KEY_COMPROMISE, at=at)
    reading = read_manifest(asset, replace(people, revoked=(revocation,)))
    assert reading.identities[0].state is IdentityState.REVOKED
    assert reading.identities[0].signer.tier is TrustTier.UNKNOWN
    assert line(reading).outcome is Outcome.CONTRADICTS


def test_a_file_without_one_says_so(signed, trust):
    reading = read_manifest(signed().asset, trust)
    assert reading.identities == ()
    assert line(reading).outcome is Outcome.ABSENT


@pytest.mark.parametrize(
    "data",
    [
        7,
        {},
        {"signer_payload": 7, "signature": 7},
        {"signer_payload": {"sig_type": "cawg.x509.cose", "role": 7}, "signature": b"\xff"},
        {"signer_payload": {"sig_type": "cawg.x509.cose", "referenced_assertions": [7, {"url": 7}]}},
        {"signer_payload": {"sig_type": "cawg.identity_claims_aggregation"}, "signature": b""},
    ],
)
def test_hostile_assertions_name_nobody(data, people):
    (found,) = identities({"cawg.identity": data}, (), people, datetime.now(UTC))
    assert found.signer is None
    assert found.state in {IdentityState.INVALID, IdentityState.NOT_CHECKED}


def test_a_signature_that_the_library_did_not_validate_names_nobody(asset, people):
    """Whatever certificates it carries."""
    from provenance.manifest import contents, jumbf
    from provenance.manifest.containers import find_store

    store = find_store(asset.content).store
    found = contents.assertions(store, jumbf.parse_store(store).boxes[-1])
    (one,) = identities(found, (), people, datetime.now(UTC))
    assert (one.state, one.signer) == (IdentityState.INVALID, None)
