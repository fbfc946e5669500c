"""Signing identities: making a development one, loading any from two PEM files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.key_files import load_private_key, read_pem
from provenance.manifest.path import common_name, fingerprint, organisation
from provenance.manifest.signers import PemSigner, leaf_of
from provenance.manifest.trust import CLAIM_SIGNING, EMAIL_PROTECTION

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.manifest.key_files import Passphrase
    from provenance.manifest.reading import TrustTier

ORGANISATION = "UNTRUSTED DEVELOPMENT"
"""In the subject of development certificates and their roots, and of nothing else."""
_ROOT = " development root"
_LONGEST_NAME = 64 - len(_ROOT)
"""Bytes in UTF-8, so that the root's common name has at most 64 (RFC 5280 appendix A.1, ub-common-name)."""
_BACKDATE = timedelta(minutes=5)
"""Clocks of the machines that verify may be a little behind."""


def _usage(*allowed: str) -> x509.KeyUsage:
    names = (
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
    return x509.KeyUsage(**{name: name in allowed for name in names})


SIGNER_USAGE = _usage("digital_signature", "content_commitment")
"""Of a signer's key; content commitment is non-repudiation, as the C2PA leaf profile wants."""
_AUTHORITY_USAGE = _usage("key_cert_sign", "crl_sign")
SIGNER_PURPOSES = x509.ExtendedKeyUsage([ObjectIdentifier(CLAIM_SIGNING), ObjectIdentifier(EMAIL_PROTECTION)])
"""Of a signer's certificate: claim signing, and what verifiers in their default state ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIdentity:
    """A development identity just made; the key of its root no longer exists.

    Attributes:
        chain_pem: the signer's certificate.
        key_pem: its private key, PKCS 8; to be kept with mode 0600.
        root_pem: the root, to be put on the development trust list.
    """

    chain_pem: bytes
    key_pem: bytes = field(repr=False)
    root_pem: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signing certificate, described without its key."""

    name: str
    fingerprint_sha256: str
    not_before: datetime
    not_after: datetime
    tier: TrustTier

    @classmethod
    def of(cls, chain_pem: bytes, tier: TrustTier) -> Identity:
        """The identity behind the first certificate of a chain.

        Raises:
            ConfigurationError: ``signer.bad-chain``.
        """
        leaf = leaf_of(chain_pem)
        return cls(
            name=common_name(leaf.subject),
            fingerprint_sha256=fingerprint(leaf),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            tier=tier,
        )

    def expired(self, at: datetime) -> bool:
        """Whether the certificate is not valid at ``at``."""
        return not self.not_before <= at <= self.not_after


def create_development_identity(
    *, name: str, now: datetime, days: int = 90, passphrase: bytes | None = None
) -> NewIdentity:
    """A root that issues one certificate and is thrown away.

    The certificate has the shape of the C2PA claim-signing profile (claimSigning and
    emailProtection, digitalSignature and nonRepudiation, at most 366 days) and says in its
    organisation that nobody vouches for it. ``name`` becomes public with every signed file.

    Raises:
        InputError: ``identity.bad-name`` or ``identity.bad-lifetime``.
    """
    if not name.isprintable() or not 0 < len(name.encode()) <= _LONGEST_NAME:
        what = f"the name of an identity has 1 to {_LONGEST_NAME} bytes in UTF-8, all of them printable"
        raise InputError("identity.bad-name", what, hint="give it a shorter name")
    if not 0 < days <= 366:
        raise InputError("identity.bad-lifetime", "a claim-signing certificate lives 1 to 366 days")
    start, end = now.astimezone(UTC) - _BACKDATE, now.astimezone(UTC) + timedelta(days=days)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name(name + _ROOT)
    blank = x509.CertificateBuilder().issuer_name(root_name).not_valid_before(start).not_valid_after(end)
    root = _shaped(blank.subject_name(root_name), root_key, ca=True).sign(root_key, hashes.SHA256())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    leaf = (
        _shaped(blank.subject_name(_name(name)), key, ca=False)
        .add_extension(SIGNER_PURPOSES, critical=False)
        .add_extension(authority, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    protection: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    )
    return NewIdentity(
        chain_pem=leaf.public_bytes(Encoding.PEM),
        key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection),
        root_pem=root.public_bytes(Encoding.PEM),
    )


def load_signer(
    chain_path: Path, key_path: Path, passphrase: Passphrase | None = None, *, now: datetime | None = None
) -> PemSigner:
    """A signer over a certificate chain and a private key in PEM files.

    Args:
        passphrase: called only when the key is encrypted.
        now: time at which the certificate has to be valid; None for the present.

    Raises:
        ConfigurationError: ``signer.chain-missing``, ``signer.key-missing``, ``signer.key-exposed``,
            ``signer.passphrase-needed``, ``signer.passphrase-wrong``, ``signer.bad-key``,
            ``signer.bad-chain``, ``signer.key-mismatch``, ``signer.expired``, ``signer.not-yet-valid``.
    """
    chain = read_pem(chain_path, "signer.chain-missing", "the certificate chain")
    key = load_private_key(key_path, passphrase)
    signer = PemSigner(chain=chain, key=key)
    check_validity(signer.leaf, now or datetime.now(UTC))
    return signer


def is_development(leaf: x509.Certificate) -> bool:
    """Whether nobody but the installation that made it vouches for the certificate, as its name says."""
    return organisation(leaf.subject) == ORGANISATION


def check_validity(leaf: x509.Certificate, now: datetime) -> None:
    """Raises:
    ConfigurationError: ``signer.expired`` or ``signer.not-yet-valid``.
    """
    if now > leaf.not_valid_after_utc:
        raise ConfigurationError(
            "signer.expired",
            f"the signing certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}",
            hint="guard keys renew"
            if is_development(leaf)
            else "guard keys csr asks its authority for the next",
        )
    if now < leaf.not_valid_before_utc:
        raise ConfigurationError(
            "signer.not-yet-valid",
            f"the signing certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            hint="check the clock of this machine",
        )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _shaped(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.CertificateBuilder:
    """What root and signer have in common."""
    return (
        builder.public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(_AUTHORITY_USAGE if ca else SIGNER_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
