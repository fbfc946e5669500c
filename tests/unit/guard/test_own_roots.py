"""The list of this installation's own roots comes back, with nothing on it that is not its own."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from guard.api import verify_file
from guard.doctor import examine
from guard.roots import kept_roots
from guard.setup import initialise, new_identity
from guard.verdict import State
from provenance.errors import Error
from provenance.manifest.identity import create_development_identity

NOW = datetime.now(UTC)


def init(home):
    return {part.path.name: part.new for part in initialise(home, now=NOW, random=secrets.token_bytes)}


def trust_state(home) -> str:
    return next(found.state for found in examine(home, now=NOW) if found.what == "trust")


def test_a_removed_list_comes_back_with_the_roots_of_earlier_identities(home, signed):
    new_identity(home, now=NOW, random=secrets.token_bytes)
    before = home.trust()
    shutil.rmtree(home.trust_folder)
    assert verify_file(signed[".png"], home=home).state is State.UNKNOWN_SIGNER
    assert trust_state(home) == "broken"
    assert init(home)["trust"] is True
    assert trust_state(home) == "ok"
    assert verify_file(signed[".png"], home=home).state is State.DEVELOPMENT
    (listed,), (earlier,) = home.trust().lists, before.lists
    begin = b"-----BEGIN"
    assert sorted(listed.pem.split(begin)) == sorted(earlier.pem.split(begin))
    assert init(home)["trust"] is False


def test_renewing_brings_back_what_was_removed(home, signed):
    shutil.rmtree(home.trust_folder)
    new_identity(home, now=NOW, random=secrets.token_bytes)
    assert verify_file(signed[".png"], home=home).state is State.DEVELOPMENT


def authority_that_issued(home) -> bytes:
    """A root of another kind that really issued a certificate beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Some Authority")])
    blank = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=9))
    )
    leaf = x509.load_pem_x509_certificate((home.signing_folder / "chain.pem").read_bytes())
    root, bought = (
        blank.subject_name(subject).public_key(public).serial_number(serial).sign(key, hashes.SHA256())
        for subject, public, serial in ((name, key.public_key(), 1), (leaf.subject, leaf.public_key(), 2))
    )
    (home.signing_folder / "chain.pem").write_bytes(bought.public_bytes(Encoding.PEM))
    return root.public_bytes(Encoding.PEM)


@pytest.mark.parametrize("kind", ["stranger", "authority", "rubbish"])
def test_only_an_own_root_is_put_back(home, kind):
    roots = {
        "stranger": lambda: create_development_identity(name="stranger", now=NOW).root_pem,
        "authority": lambda: authority_that_issued(home),
        "rubbish": lambda: b"no certificate",
    }
    (home.signing_folder / "root.pem").write_bytes(roots[kind]())
    shutil.rmtree(home.trust_folder)
    with pytest.raises(Error) as caught:
        init(home)
    assert caught.value.code == "trust.foreign-root"
    assert home.trust().lists == ()


def test_only_the_first_certificate_of_the_file_counts(home):
    kept = home.signing_folder / "root.pem"
    before = kept_roots(home)
    kept.write_bytes(kept.read_bytes() + create_development_identity(name="stranger", now=NOW).root_pem)
    assert kept_roots(home) == before


def test_without_any_root_the_way_out_is_named(home):
    (home.signing_folder / "root.pem").unlink()
    shutil.rmtree(home.trust_folder)
    with pytest.raises(Error) as caught:
        init(home)
    assert caught.value.code == "trust.development-missing"
    assert "guard keys renew" in (caught.value.hint or "")
