"""Every rule of the certificate profile is broken once, and named; what the library refuses is an error."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID, ObjectIdentifier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.identity import create_development_identity
from provenance.manifest.profile import Gravity, errors_of, lint_chain, read_chain
from provenance.manifest.profile_rules import _has_unique_ids
from provenance.manifest.sign import sign
from provenance.manifest.signers import PemSigner
from provenance.manifest.trust import CLAIM_SIGNING, EMAIL_PROTECTION

NOW = datetime.now(UTC)
ROOT_KEY, ISSUING_KEY, KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in USAGES})


SIGNS = usage("digital_signature", "content_commitment")
NO_AUTHORITY = x509.BasicConstraints(ca=False, path_length=None)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A certificate to be made; the defaults are those of a sound signer."""

    name: str = "Signer"
    organisation: str | None = "Example Labs"
    issuer: str = "Issuing"
    key: object = KEY
    signing: object = ISSUING_KEY
    start: timedelta = timedelta(days=-1)
    end: timedelta = timedelta(days=300)
    digest: hashes.HashAlgorithm | None = field(default_factory=hashes.SHA256)
    padding: object = None
    usage: x509.KeyUsage | None = SIGNS
    usage_critical: bool = True
    purposes: tuple[str, ...] = (CLAIM_SIGNING, EMAIL_PROTECTION)
    basic: x509.BasicConstraints | None = NO_AUTHORITY
    basic_critical: bool = True
    key_id: bool = True
    issuer_id: bool = True
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()

    def made(self) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject(self.name, self.organisation))
            .issuer_name(subject(self.issuer, "Example Labs"))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + self.start)
            .not_valid_after(NOW + self.end)
        )
        for value, critical in self.extensions():
            builder = builder.add_extension(value, critical=critical)
        return builder.sign(self.signing, self.digest, rsa_padding=self.padding)

    def extensions(self):
        if self.basic is not None:
            yield self.basic, self.basic_critical
        if self.usage is not None:
            yield self.usage, self.usage_critical
        if self.purposes:
            yield x509.ExtendedKeyUsage([ObjectIdentifier(one) for one in self.purposes]), False
        if self.key_id:
            yield x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False
        if self.issuer_id:
            yield x509.AuthorityKeyIdentifier.from_issuer_public_key(self.signing.public_key()), False
        yield from self.more


def subject(name: str, organisation: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else []
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


AUTHORITY = {
    "end": timedelta(days=900),
    "usage": usage("key_cert_sign", "crl_sign"),
    "purposes": (),
    "basic": x509.BasicConstraints(ca=True, path_length=None),
}


def issuing(**changes) -> x509.Certificate:
    shape = {"name": "Issuing", "issuer": "Root", "key": ISSUING_KEY, "signing": ROOT_KEY, **AUTHORITY}
    return Shape(**{**shape, **changes}).made()


def root() -> x509.Certificate:
    return Shape(name="Root", issuer="Root", key=ROOT_KEY, signing=ROOT_KEY, **AUTHORITY).made()


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def rules(chain: bytes, gravity: Gravity = Gravity.ERROR) -> set[str]:
    return {one.rule for one in lint_chain(chain, now=NOW) if one.gravity is gravity}


LEAVES = {
    "leaf.authority": {
        "basic": x509.BasicConstraints(ca=True, path_length=None),
        "usage": usage("digital_signature", "key_cert_sign"),
    },
    "leaf.key-usage": {"usage": usage("key_agreement")},
    "leaf.issues-certificates": {"usage": usage("digital_signature", "key_cert_sign")},
    "leaf.any-purpose": {"purposes": (CLAIM_SIGNING, Purpose.ANY_EXTENDED_KEY_USAGE.dotted_string)},
    "leaf.purpose": {"purposes": (Purpose.CODE_SIGNING.dotted_string,)},
    "leaf.mixed-purposes": {"purposes": (EMAIL_PROTECTION, Purpose.TIME_STAMPING.dotted_string)},
    "certificate.key-usage": {"usage": None},
    "certificate.authority-key-id": {"issuer_id": False},
    "certificate.signature-algorithm": {"digest": hashes.SHA224()},
    "certificate.expired": {"start": timedelta(days=-90), "end": timedelta(days=-1)},
    "certificate.not-yet-valid": {"start": timedelta(days=1)},
    "certificate.critical-extension": {
        "more": ((x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),)
    },
}  # fmt: skip


@pytest.mark.parametrize("rule", LEAVES)
def test_each_broken_rule_is_named_and_the_library_refuses_it_too(rule, picture, spec):
    chain = pem(Shape(**LEAVES[rule]).made(), issuing())
    assert rules(chain) == {rule}
    with pytest.raises(ConfigurationError) as caught:
        sign(picture(), spec, PemSigner(chain=chain, key=KEY))
    assert caught.value.code in {"sign.certificate-refused", "signer.expired"}


KEYS = {
    "certificate.curve": lambda: ec.generate_private_key(ec.SECP256K1()),
    "certificate.key-size": lambda: rsa.generate_private_key(65537, 1024),
    "certificate.key-type": ed448.Ed448PrivateKey.generate,
}


@pytest.mark.parametrize("rule", KEYS)
def test_keys_that_are_not_allowed(rule):
    assert rules(pem(Shape(key=KEYS[rule]()).made(), issuing())) == {rule}


@pytest.mark.parametrize(
    "key",
    [
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate,
    ],
)
def test_keys_that_are_allowed(key):
    assert lint_chain(pem(Shape(key=key()).made()), now=NOW)[0].rule == "chain.no-anchor-here"
    assert rules(pem(Shape(key=key()).made(), issuing())) == set()


def test_pss_signatures_have_one_hash():
    key = rsa.generate_private_key(65537, 2048)
    for inner, found in ((hashes.SHA256(), set()), (hashes.SHA512(), {"certificate.pss-parameters"})):
        pss = padding.PSS(mgf=padding.MGF1(inner), salt_length=32)
        leaf = Shape(signing=key, padding=pss).made()
        assert rules(pem(leaf, issuing(key=key))) == found


WARNINGS = {
    "leaf.other-key-usage": {"usage": usage("digital_signature", "key_encipherment")},
    "leaf.no-claim-signing": {"purposes": (EMAIL_PROTECTION,)},
    "leaf.only-claim-signing": {"purposes": (CLAIM_SIGNING,)},
    "leaf.subject-key-id": {"key_id": False},
    "leaf.no-organisation": {"organisation": None},
    "leaf.no-common-name": {"name": ""},
    "leaf.lifetime": {"end": timedelta(days=400)},
    "leaf.expires-soon": {"end": timedelta(days=3)},
    "certificate.key-usage-critical": {"usage_critical": False},
}


@pytest.mark.parametrize("rule", WARNINGS)
def test_what_works_and_is_stumbled_over_is_a_warning(rule, picture, spec):
    chain = pem(Shape(**WARNINGS[rule]).made(), issuing())
    assert rules(chain) == set()
    assert rules(chain, Gravity.WARNING) == {rule, "chain.no-anchor-here"}
    assert sign(picture(), spec, PemSigner(chain=chain, key=KEY)).reading.intact


AUTHORITIES = {
    "authority.no-authority": {"basic": x509.BasicConstraints(ca=False, path_length=None)},
    "authority.key-usage": {"usage": usage("digital_signature")},
    "authority.subject-key-id": {"key_id": False},
    "authority.constraints-critical": {"basic_critical": False},
}


@pytest.mark.parametrize("rule", AUTHORITIES)
def test_issuers_have_rules_of_their_own(rule):
    found = lint_chain(pem(Shape().made(), issuing(**AUTHORITIES[rule])), now=NOW)
    (error,) = errors_of(found)
    assert (error.rule, error.certificate, error.subject) == (rule, 2, "Issuing")


def test_a_sound_chain_breaks_nothing_where_its_root_is_known(authority, trust):
    assert lint_chain(authority.signer(days=300).chain, now=NOW, trust=trust) == ()
    own = create_development_identity(name="studio", now=NOW)
    assert rules(own.chain_pem) == set()


def test_a_signer_that_vouches_for_itself():
    alone = Shape(name="Issuing", key=ISSUING_KEY).made()
    assert rules(pem(alone)) == {"leaf.self-signed"}


def test_order_links_and_doubles():
    leaf, middle, top = Shape().made(), issuing(), root()
    assert rules(pem(middle, leaf)) >= {"chain.order"}
    shuffled = lint_chain(pem(leaf, top, middle), now=NOW)
    assert "the right one is 1, 3, 2" in next(one.what for one in shuffled if one.rule == "chain.order")
    assert rules(pem(leaf, middle, middle)) == {"chain.twice"}
    assert rules(pem(leaf, top)) == {"chain.broken-link"}
    assert "names fit" in errors_of(lint_chain(pem(Shape(signing=ROOT_KEY).made(), middle), now=NOW))[0].what
    assert rules(pem(leaf, middle, top)) == set()
    assert "chain.root" in rules(pem(leaf, middle, top), Gravity.WARNING)


def test_lengths_and_lives_of_authorities():
    none_below = x509.BasicConstraints(ca=True, path_length=0)
    low = issuing(name="Low", issuer="Issuing", signing=ISSUING_KEY)
    leaf = Shape(issuer="Low").made()
    assert rules(pem(leaf, low, issuing(basic=none_below))) == {"chain.path-length"}
    short = pem(Shape().made(), issuing(end=timedelta(days=90)))
    assert "chain.issuer-expires-first" in rules(short, Gravity.WARNING)


def test_a_private_key_among_the_certificates_is_noticed():
    key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert rules(pem(Shape().made(), issuing()) + key) == {"chain.private-key"}


def test_old_versions_and_unique_identifiers():
    tbs = Shape().made().tbs_certificate_bytes
    assert not _has_unique_ids(tbs)
    assert _has_unique_ids(b"\x30\x08\x02\x01\x07\x81\x03\x00\x01\x02")
    assert not _has_unique_ids(b"\x30\x03\x02\x01\x07")


@pytest.mark.parametrize(
    "text", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_chain_is_an_error_of_the_file(text):
    with pytest.raises(InputError) as caught:
        lint_chain(text, now=NOW)
    assert caught.value.code == "chain.unreadable"


def test_a_chain_has_a_bounded_length():
    with pytest.raises(InputError) as caught:
        lint_chain(pem(Shape().made()) * 17, now=NOW)
    assert caught.value.code == "chain.too-long"


LEAF_DER = Shape().made().public_bytes(Encoding.DER)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(LEAF_DER) - 1), st.integers(0, 255)), min_size=1, max_size=6
    ),
    cut=st.integers(0, 40),
)
def test_damaged_certificates_are_findings_or_errors_never_a_crash(changes, cut):
    der = bytearray(LEAF_DER)
    for place, byte in changes:
        der[place] = byte
    body = base64.encodebytes(bytes(der[: len(der) - cut]))
    text = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    with suppress(InputError):
        found = lint_chain(text + pem(issuing()), now=NOW)
        assert all(one.what and one.clause and one.rule for one in found)
        assert len(read_chain(text)) == 1
