"""Keys and certificate requests: what is asked for is what the profile wants, and what was said."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import example, given
from hypothesis import strategies as st

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.key_files import is_encrypted, load_private_key
from provenance.manifest.request import ALGORITHMS, Subject, certificate_request, make_key, protected_pem
from provenance.manifest.signers import algorithm_of

STUDIO = Subject(organisation="Example Studio", name="Renderer", country="DE")
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=64)
"""Of all lengths in UTF-8, up to 256 bytes."""
COMMON = NAMES.filter(lambda name: len(name.encode()) <= 64)
KEY = make_key("es256")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_makes_a_key_and_a_request(algorithm):
    key = make_key(algorithm)
    assert algorithm_of(key) == algorithm
    request = x509.load_pem_x509_csr(certificate_request(key, STUDIO))
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()
    usage = request.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign


def test_other_algorithms_are_refused():
    with pytest.raises(InputError) as caught:
        make_key("rs256")
    assert caught.value.code == "identity.bad-algorithm"


@given(organisation=NAMES, name=COMMON, unit=st.none() | NAMES, country=st.sampled_from([None, "DE", "US"]))
def test_the_request_names_what_was_said(organisation, name, unit, country):
    subject = Subject(organisation=organisation, name=name, unit=unit, country=country)
    assert Subject.of(x509.load_pem_x509_csr(certificate_request(KEY, subject))) == subject


@given(NAMES, NAMES)
@example("Studio", "a" * 64)
@example("Studio", "é" * 32)
@example("Studio", "é" * 32 + "a")
@example("é" * 64, "é" * 64)
@example("Studio", "€" * 22)
def test_a_common_name_is_counted_in_bytes_and_refused_in_one_line(organisation, name):
    """The library under it counts the others in characters, and raises what says nothing about whose name."""
    if len(name.encode()) <= 64:
        certificate_request(KEY, Subject(organisation=organisation, name=name))
        return
    with pytest.raises(InputError) as caught:
        Subject(organisation=organisation, name=name)
    assert caught.value.code == "identity.bad-name"
    assert f"this one has {len(name.encode())}" in caught.value.what
    assert "--name" in caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        *({"organisation": text} for text in ("", " ", "x" * 65, "a\nb", "a\x1b[2J", "a\u202eb")),
        *({"name": ""}, {"unit": ""}, {"country": "de"}, {"country": "DEU"}, {"country": "ÄÖ"}),
    ],
)
def test_names_that_no_certificate_should_have(change):
    with pytest.raises(InputError) as caught:
        Subject(**{"organisation": "Studio", "name": "Studio", **change})
    assert caught.value.code == "identity.bad-name"


@given(st.binary(min_size=1, max_size=64))
def test_a_protected_key_opens_with_its_passphrase_only(secret):
    pem = protected_pem(KEY, secret)
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert load_pem_private_key(pem, secret).private_numbers() == KEY.private_numbers()
    with pytest.raises(ValueError):
        load_pem_private_key(pem, secret + b"x")


def test_each_way_a_key_file_can_be_wrong_has_its_code(tmp_path):
    path = tmp_path / "key.pem"
    with pytest.raises(ConfigurationError) as caught:
        load_private_key(path)
    assert caught.value.code == "signer.key-missing"
    path.write_bytes(protected_pem(KEY, b"correct horse"))
    path.chmod(0o600)
    assert is_encrypted(path)
    assert load_private_key(path, lambda: b"correct horse").public_key() == KEY.public_key()
    for passphrase, code in ((None, "passphrase-needed"), (lambda: b"wrong", "passphrase-wrong")):
        with pytest.raises(ConfigurationError) as caught:
            load_private_key(path, passphrase)
        assert caught.value.code == f"signer.{code}"
    path.chmod(0o640)
    with pytest.raises(ConfigurationError) as caught:
        load_private_key(path, lambda: b"correct horse")
    assert caught.value.code == "signer.key-exposed"
