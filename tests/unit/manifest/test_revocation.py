"""A revoked certificate: what it signed from then on fails, what is proven to be older holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import IntegrityError
from provenance.manifest.path import certificates
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState, TrustTier
from provenance.manifest.revocation import (
    Revocation,
    RevocationReason,
    load_revocations,
    revocation_of,
    save_revocations,
)
from provenance.manifest.sign import sign
from provenance.manifest.trust import TrustLists, load_trust, save_trust
from provenance.media import Asset

NOW = datetime.now(UTC)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (SEC 2 §2.4.2)."""


def revoked(certificate, *, at=NOW, reason=RevocationReason.UNSPECIFIED) -> Revocation:
    return Revocation.of(certificate, at=at, reason=reason)


def rewritten(certificate: x509.Certificate) -> x509.Certificate:
    """The same certificate with the other signature that verifies just as well."""
    r, s = decode_dss_signature(certificate.signature)
    before, der = encode_dss_signature(r, s), certificate.public_bytes(Encoding.DER)
    after = encode_dss_signature(r, ORDER - s)
    grown = len(after) - len(before)
    head, tail = der[: -len(before)], der[-len(before) :]
    assert tail == before
    changed = bytearray(head + after)
    changed[2:4] = (int.from_bytes(der[2:4], "big") + grown).to_bytes(2, "big")
    changed[len(head) - 2] += grown  # length of the BIT STRING, before its unused-bits byte
    return x509.load_der_x509_certificate(bytes(changed))


def test_without_a_proven_time_a_revoked_signer_fails(signed, trust, signer):
    found = replace(trust, revoked=(revoked(signer.leaf),))
    reading = read_manifest(signed().asset, found, at=NOW + timedelta(hours=1))
    assert reading.state is ManifestState.REVOKED
    assert reading.signer.tier is TrustTier.UNKNOWN
    assert reading.signer.list_name is None
    assert reading.failures == ("mediaguard.signingCredential.revoked",)
    assert "nothing proves" in reading.reason


def test_judged_for_a_time_before_it_holds(signed, trust, signer):
    found = replace(trust, revoked=(revoked(signer.leaf, at=NOW + timedelta(days=9)),))
    assert read_manifest(signed().asset, found, at=NOW).state is ManifestState.TRUSTED


def test_a_changed_file_of_a_revoked_signer_is_still_called_changed(signed, trust, signer):
    data = bytearray(signed().asset.data)
    data[-40] ^= 1
    found = replace(trust, revoked=(revoked(signer.leaf, at=NOW - timedelta(days=9)),))
    assert read_manifest(Asset.of(bytes(data), "image/png"), found).state in {
        ManifestState.TAMPERED,
        ManifestState.MALFORMED,
    }


@pytest.mark.parametrize("which", ["issuing", "root"])
def test_a_revoked_authority_takes_its_signers_along(signed, trust, authority, which):
    found = replace(trust, revoked=(revoked(getattr(authority, which)),))
    assert read_manifest(signed().asset, found).state is ManifestState.REVOKED


def test_strangers_and_other_signers_are_not_concerned(signed, trust, authority, stranger):
    others = revoked(authority.signer().leaf), revoked(stranger.signer().leaf)
    assert read_manifest(signed().asset, replace(trust, revoked=others)).state is ManifestState.TRUSTED


def test_an_unknown_signer_that_was_revoked_is_told_so(signed, signer):
    found = TrustLists(revoked=(revoked(signer.leaf),))
    later = NOW + timedelta(hours=1)
    assert read_manifest(signed().asset, found, at=later).state is ManifestState.REVOKED


def test_a_rewritten_signature_does_not_slip_through(authority):
    leaf = authority.signer().leaf
    other = rewritten(leaf)
    other.verify_directly_issued_by(authority.issuing)
    assert other.fingerprint(leaf.signature_hash_algorithm) != leaf.fingerprint(leaf.signature_hash_algorithm)
    assert revoked(leaf).concerns(other)


def test_a_compromised_key_is_revoked_in_every_certificate(authority):
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = (authority.signer(key=key, name=name).leaf for name in ("first", "second"))
    assert not revoked(first, reason=RevocationReason.SUPERSEDED).concerns(second)
    assert revoked(first, reason=RevocationReason.KEY_COMPROMISE).concerns(second)


def test_signing_again_gives_a_file_that_holds(signed, trust, signer, authority, spec):
    found = replace(trust, revoked=(revoked(signer.leaf, at=NOW - timedelta(days=1)),))
    again = sign(signed().asset, spec, authority.signer(), trust=found)
    assert again.reading.state is ManifestState.TRUSTED
    assert again.reading.ingredients


def test_the_earliest_of_several_counts(authority):
    leaf = authority.signer().leaf
    known = tuple(revoked(leaf, at=NOW + timedelta(days=day)) for day in (3, -2, 1))
    assert revocation_of((leaf,), known).at == NOW - timedelta(days=2)
    assert revocation_of((authority.issuing,), known) is None


def test_lists_and_revocations_do_not_touch_each_other(tmp_path, trust, signer, authority):
    save_revocations(tmp_path, (revoked(signer.leaf),))
    assert load_trust(tmp_path).revoked == (revoked(signer.leaf),)
    save_trust(tmp_path, trust)
    loaded = load_trust(tmp_path)
    assert loaded.lists == trust.lists
    assert loaded.removing("ours").adding(trust.lists[0]).revoked == loaded.revoked != ()


@given(st.binary(max_size=60) | st.text().map(str.encode))
def test_a_list_that_cannot_be_read_is_never_an_empty_one(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("trust")
    (folder / "revoked.json").write_bytes(data)
    with pytest.raises(IntegrityError) as caught:
        load_trust(folder)
    assert caught.value.code == "trust.revocations-damaged"


@pytest.mark.parametrize(
    "change",
    [
        {"at": "2026-01-01T00:00:00"},
        {"at": 7},
        {"reason": "because"},
        {"tbs_sha256": "AB" * 32},
        {"key_sha256": None},
        {"key_sha256": []},
    ],
)
def test_each_field_has_its_form(tmp_path, signer, change):
    save_revocations(tmp_path, (revoked(signer.leaf),))
    path = tmp_path / "revoked.json"
    document = json.loads(path.read_text())
    document["revocations"][0] |= change
    path.write_text(json.dumps(document))
    with pytest.raises(IntegrityError):
        load_revocations(tmp_path)


@given(
    at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - zone given beside
    reason=st.sampled_from(RevocationReason),
)
def test_what_is_written_is_read_back(tmp_path_factory, signer, at, reason):
    folder = tmp_path_factory.mktemp("trust")
    written = tuple(revoked(one, at=at, reason=reason) for one in certificates_of(signer))
    save_revocations(folder, written)
    assert load_revocations(folder) == written


def certificates_of(signer):
    chain = x509.load_pem_x509_certificates(signer.chain)
    return certificates(tuple(one.public_bytes(Encoding.DER) for one in chain))
