"""Signing identities: making a development one, loading any from two PEM files."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.path import common_name, fingerprint
from provenance.manifest.signers import PemSigner, PrivateKey, leaf_of
from provenance.manifest.trust import CLAIM_SIGNING, EMAIL_PROTECTION

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.manifest.reading import TrustTier

Passphrase = Callable[[], bytes]
ORGANISATION = "UNTRUSTED DEVELOPMENT"
"""In the subject of development certificates and their roots, and of nothing else."""
_BACKDATE = timedelta(minutes=5)
"""Clocks of the machines that verify may be a little behind."""
_MAX_PEM = 1 << 20
_ENCRYPTED = b"ENCRYPTED"
"""In the first lines of every PEM file with an encrypted key, PKCS 8 or older."""


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
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise InputError("identity.bad-name", "the name of an identity has 1 to 64 printable characters")
    if not 0 < days <= 366:
        raise InputError("identity.bad-lifetime", "a claim-signing certificate lives 1 to 366 days")
    start, end = now.astimezone(UTC) - _BACKDATE, now.astimezone(UTC) + timedelta(days=days)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name(f"{name} development root")
    blank = x509.CertificateBuilder().issuer_name(root_name).not_valid_before(start).not_valid_after(end)
    root = _shaped(blank.subject_name(root_name), root_key, ca=True).sign(root_key, hashes.SHA256())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    leaf = (
        _shaped(blank.subject_name(_name(name)), key, ca=False)
        .add_extension(_purposes(), critical=False)
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
    chain = _read(chain_path, "signer.chain-missing", "the certificate chain")
    key = _private_key(_read(key_path, "signer.key-missing", "the private key"), passphrase, key_path)
    _check_mode(key_path)
    signer = PemSigner(chain=chain, key=key)
    check_validity(signer.leaf, now or datetime.now(UTC))
    return signer


def is_encrypted(key_path: Path) -> bool:
    """Whether the private key asks for a passphrase.

    Raises:
        ConfigurationError: ``signer.key-missing``.
    """
    return _ENCRYPTED in _read(key_path, "signer.key-missing", "the private key")


def require_passphrase(key_path: Path, passphrase: Passphrase) -> None:
    """``passphrase``, called only when the private key is encrypted, opens it.

    Raises:
        ConfigurationError: ``signer.key-missing``, ``signer.passphrase-wrong``.
    """
    if is_encrypted(key_path):
        _private_key(_read(key_path, "signer.key-missing", "the private key"), passphrase, key_path)


def check_validity(leaf: x509.Certificate, now: datetime) -> None:
    """Raises:
    ConfigurationError: ``signer.expired`` or ``signer.not-yet-valid``.
    """
    if now > leaf.not_valid_after_utc:
        raise ConfigurationError(
            "signer.expired",
            f"the signing certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}",
            hint="guard keys renew (a bought certificate is renewed where it was bought)",
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
        .add_extension(_usage(ca=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=not ca,  # non-repudiation, as the C2PA leaf profile wants
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _purposes() -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ObjectIdentifier(CLAIM_SIGNING), ObjectIdentifier(EMAIL_PROTECTION)])


def _read(path: Path, code: str, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_PEM)
    except OSError as error:
        raise ConfigurationError(
            code,
            f"{what} cannot be read: {error.strerror}",
            where=str(path),
            hint="restore it from a copy, or guard keys renew makes another development identity",
        ) from error


def _check_mode(path: Path) -> None:
    # Windows keeps access in lists that the mode bits do not show.
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(
            "signer.key-exposed",
            "the private key can be read by other users of this machine",
            where=str(path),
            hint=f"chmod 600 {path.name}, and consider the key known to those users",
        )


def _private_key(pem: bytes, passphrase: Passphrase | None, path: Path) -> PrivateKey:
    encrypted = _ENCRYPTED in pem
    if encrypted and passphrase is None:
        raise ConfigurationError("signer.passphrase-needed", "the private key is encrypted", where=str(path))
    secret = passphrase() if encrypted and passphrase is not None else None
    try:
        key = load_pem_private_key(pem, secret)
    except (ValueError, TypeError) as error:
        if encrypted:
            raise ConfigurationError(
                "signer.passphrase-wrong",
                "the passphrase does not open the private key",
                where=str(path),
                hint="if it is lost: move that folder away, and guard keys renew makes another identity",
            ) from error
        raise ConfigurationError(
            "signer.bad-key", "the private key cannot be read as PEM", where=str(path)
        ) from error
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise ConfigurationError(
        "signer.unsupported-key", "C2PA cannot sign with this kind of key", where=str(path)
    )
