"""Development identities, loading of keys, signers."""

from __future__ import annotations

import getpass
import socket
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from provenance.errors import ConfigurationError, Error, InputError
from provenance.manifest.identity import Identity, create_development_identity, load_signer
from provenance.manifest.reading import ManifestState, TrustTier
from provenance.manifest.sign import sign
from provenance.manifest.signers import PemSigner, Signer
from provenance.manifest.trust import TrustList, TrustLists

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def identity():
    return create_development_identity(name="studio", now=NOW)


@pytest.fixture
def files(tmp_path, identity):
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(identity.chain_pem)
    key.write_bytes(identity.key_pem)
    key.chmod(0o600)
    return chain, key


def code_of(action) -> str:
    with pytest.raises(Error) as caught:
        action()
    assert caught.value.what
    return caught.value.code


def test_a_fresh_identity_signs_and_reads_as_development(identity, files, picture, spec):
    item = TrustList.of(name="this", tier=TrustTier.DEVELOPMENT, pem=identity.root_pem, date=NOW.date())
    made = sign(picture(), spec, load_signer(*files), trust=TrustLists(lists=(item,)))
    assert made.reading.state is ManifestState.DEVELOPMENT
    assert "UNTRUSTED DEVELOPMENT" in str(made.reading.signer)


def test_another_installations_identity_is_unknown(identity, files, picture, spec):
    other = create_development_identity(name="studio", now=NOW)
    item = TrustList.of(name="this", tier=TrustTier.DEVELOPMENT, pem=other.root_pem, date=NOW.date())
    made = sign(picture(), spec, load_signer(*files), trust=TrustLists(lists=(item,)))
    assert made.reading.state is ManifestState.UNKNOWN_SIGNER


def test_the_certificate_names_nobody(identity):
    text = x509.load_pem_x509_certificate(identity.chain_pem).subject.rfc4514_string().lower()
    assert "studio" in text
    assert getpass.getuser().lower() not in text.split("cn=")[0]
    assert socket.gethostname().lower() not in text


def test_the_shape_of_the_certificate(identity):
    leaf = x509.load_pem_x509_certificate(identity.chain_pem)
    root = x509.load_pem_x509_certificate(identity.root_pem)
    leaf.verify_directly_issued_by(root)
    assert b"PRIVATE" not in identity.root_pem + identity.chain_pem
    assert identity.key_pem.decode() not in repr(identity)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    described = Identity.of(identity.chain_pem, TrustTier.DEVELOPMENT)
    assert described.name == "studio"
    assert not described.expired(NOW + timedelta(days=89))
    assert described.expired(NOW + timedelta(days=91))


@pytest.mark.parametrize(
    ("name", "days"), [("", 90), ("x" * 48, 90), ("é" * 24, 90), ("a\x1bb", 90), ("ok", 0), ("ok", 400)]
)
def test_impossible_identities(name, days):
    with pytest.raises(InputError):
        create_development_identity(name=name, now=NOW, days=days)


@pytest.mark.parametrize("name", ["x" * 47, "é" * 23])
def test_the_longest_name_fits_with_its_root(name):
    made = create_development_identity(name=name, now=NOW)
    assert Identity.of(made.chain_pem, TrustTier.DEVELOPMENT).name == name


def test_each_way_a_key_can_be_wrong_has_its_code(identity, files, tmp_path):
    chain, key = files
    other = create_development_identity(name="other", now=NOW, passphrase=b"open sesame")
    locked = tmp_path / "locked.pem"
    locked.write_bytes(other.key_pem)
    locked.chmod(0o600)
    junk = tmp_path / "junk.pem"
    junk.write_bytes(b"nothing")
    junk.chmod(0o600)
    assert code_of(lambda: load_signer(tmp_path / "no.pem", key)) == "signer.chain-missing"
    assert code_of(lambda: load_signer(chain, tmp_path / "no.pem")) == "signer.key-missing"
    assert code_of(lambda: load_signer(tmp_path, key)) == "signer.chain-missing"
    assert code_of(lambda: load_signer(chain, junk)) == "signer.bad-key"
    assert code_of(lambda: load_signer(junk, key)) == "signer.bad-chain"
    assert code_of(lambda: load_signer(chain, locked)) == "signer.passphrase-needed"
    assert code_of(lambda: load_signer(chain, locked, lambda: b"wrong")) == "signer.passphrase-wrong"
    assert code_of(lambda: load_signer(chain, locked, lambda: b"")) == "signer.passphrase-wrong"
    assert code_of(lambda: load_signer(chain, locked, lambda: b"open sesame")) == "signer.key-mismatch"
    assert code_of(lambda: load_signer(chain, key, now=NOW + timedelta(days=100))) == "signer.expired"
    assert code_of(lambda: load_signer(chain, key, now=NOW - timedelta(days=1))) == "signer.not-yet-valid"
    key.chmod(0o644)
    assert code_of(lambda: load_signer(chain, key)) == "signer.key-exposed"


def test_an_encrypted_key_opens(tmp_path):
    made = create_development_identity(name="locked", now=NOW, passphrase=b"open sesame")
    (tmp_path / "c").write_bytes(made.chain_pem)
    (tmp_path / "k").write_bytes(made.key_pem)
    (tmp_path / "k").chmod(0o600)
    assert isinstance(load_signer(tmp_path / "c", tmp_path / "k", lambda: b"open sesame"), Signer)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ec.generate_private_key(ec.SECP521R1()), "es512"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
    ],
)
def test_every_algorithm_signs_what_reads_as_trusted(authority, trust, picture, spec, key, algorithm):
    signer = authority.signer(key=key)
    assert signer.algorithm == algorithm
    assert sign(picture(), spec, signer, trust=trust).reading.state is ManifestState.TRUSTED


def test_weak_and_foreign_keys_are_refused(authority):
    for key in (ec.generate_private_key(ec.SECP192R1()), rsa.generate_private_key(65537, 1024)):
        with pytest.raises(ConfigurationError) as caught:
            PemSigner(chain=authority.signer().chain, key=key)
        assert caught.value.code == "signer.unsupported-key"


def test_a_signer_never_shows_its_key(signer):
    pem = signer.private_pem().decode()
    assert pem.splitlines()[1] not in repr(signer)
    locked = load_pem_private_key(pem.encode(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    assert b"ENCRYPTED" in locked
