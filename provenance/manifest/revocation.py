"""Revoked signing certificates: which, from when on, why; and whether a signature of that time still holds.

``trust/revoked.json`` holds what this installation was told, its own certificates and those of others.
A certificate is known again by the bytes its issuer signed, not by its fingerprint: an ECDSA signature
can be rewritten by anybody ((r, s) becomes (r, n - s)), which changes the fingerprint and nothing else.
Where the key was compromised, every certificate with that key is revoked (RFC 5280 §5.3.1).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from provenance.canonical import canonical_bytes
from provenance.errors import ConfigurationError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from provenance.canonical import Json

_FILE = "revoked.json"
_DIGEST = 64


class RevocationReason(StrEnum):
    """Why a certificate is no longer relied on (RFC 5280 §5.3.1, as far as it concerns signers)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    """Somebody else may have the private key: every certificate with that key is revoked."""
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION = "cessation-of-operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """From when on a signer does not count, and why; what a verdict says of a revocation.

    Attributes:
        at: UTC.
        reason: why.
    """

    at: datetime
    reason: RevocationReason

    def __str__(self) -> str:
        """In words."""
        return f"revoked from {self.at:%Y-%m-%d %H:%M} UTC on ({self.reason})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One revoked certificate.

    Attributes:
        name: common name in it, to be shown to people.
        fingerprint_sha256: of the certificate as it was revoked, for people; not what it is known by.
        tbs_sha256: digest of the bytes its issuer signed.
        key_sha256: digest of its public key.
        at: from this time on its signatures do not count, UTC.
        reason: why.
    """

    name: str
    fingerprint_sha256: str
    tbs_sha256: str
    key_sha256: str
    at: datetime
    reason: RevocationReason

    @classmethod
    def of(cls, certificate: x509.Certificate, *, at: datetime, reason: RevocationReason) -> Revocation:
        """The revocation of ``certificate``."""
        from provenance.manifest.path import common_name, fingerprint  # noqa: PLC0415 - path imports trust

        return cls(
            name=common_name(certificate.subject)[:256],
            fingerprint_sha256=fingerprint(certificate),
            tbs_sha256=_tbs(certificate),
            key_sha256=key_digest(certificate.public_key()),
            at=at.astimezone(UTC),
            reason=reason,
        )

    def concerns(self, certificate: x509.Certificate) -> bool:
        """Whether it is this certificate, or one with a key that was compromised."""
        if self.tbs_sha256 == _tbs(certificate):
            return True
        if self.reason is not RevocationReason.KEY_COMPROMISE:
            return False
        from provenance.manifest.path import BROKEN  # noqa: PLC0415 - path imports trust

        try:
            return self.key_sha256 == key_digest(certificate.public_key())
        except BROKEN:  # a key of a kind that nothing here signs with
            return False

    @property
    def told(self) -> Revoked:
        """Without the names and digests."""
        return Revoked(at=self.at, reason=self.reason)


def refuse_revoked(chain: bytes, revoked: Iterable[Revocation]) -> None:
    """Nobody signs with a revoked certificate, or one that a revoked authority issued.

    Raises:
        ConfigurationError: ``signer.revoked``; ``signer.bad-chain`` for a chain that cannot be read.
    """
    known = tuple(revoked)
    if not known:
        return
    from cryptography import x509  # noqa: PLC0415 - trust lists load without

    try:
        found = revocation_of(x509.load_pem_x509_certificates(chain), known)
    except ValueError as error:
        raise ConfigurationError("signer.bad-chain", "the certificate chain cannot be read as PEM") from error
    if found is not None:
        raise ConfigurationError(
            "signer.revoked",
            f"the signing certificate is {found.told}",
            hint="guard keys renew makes a development identity; guard keys csr asks for another",
        )


def revocation_of(
    certificates: Iterable[x509.Certificate], revoked: Iterable[Revocation]
) -> Revocation | None:
    """The earliest revocation of any of ``certificates``, or None."""
    known = tuple(revoked)
    found = [one for certificate in certificates for one in known if one.concerns(certificate)]
    return min(found, key=lambda one: one.at, default=None)


def load_revocations(folder: Path) -> tuple[Revocation, ...]:
    """What is known in the trust folder ``folder``; nothing where it has no such file.

    Raises:
        IntegrityError: ``trust.revocations-damaged``; a list that cannot be read is never an empty one.
    """
    path = folder / _FILE
    try:
        return _document(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise IntegrityError(
            "trust.revocations-damaged",
            f"the list of revoked certificates cannot be used: {error}",
            where=str(path),
            hint="restore it from a copy; without it revoked signers would count again",
        ) from error


def save_revocations(folder: Path, revoked: Iterable[Revocation]) -> None:
    """Write the list, at once or not at all.

    Raises:
        InputError: ``output.unwritable``.
        ConfigurationError: ``disk.full``, ``disk.failed``.
    """
    from provenance.files import write_private  # noqa: PLC0415 - readers do without it

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    entries: list[Json] = [_entry(one) for one in revoked]
    document = canonical_bytes({"version": 1, "revocations": entries}) + b"\n"
    write_private(folder / _FILE, document, overwrite=True)


def key_digest(key: PublicKeyTypes) -> str:
    """SHA-256 over the public key's SubjectPublicKeyInfo, lower-case hex."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - trust lists load without
        Encoding,
        PublicFormat,
    )

    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _tbs(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest()


def _entry(one: Revocation) -> dict[str, Json]:
    return {
        "name": one.name,
        "fingerprint_sha256": one.fingerprint_sha256,
        "tbs_sha256": one.tbs_sha256,
        "key_sha256": one.key_sha256,
        "at": one.at.isoformat(),
        "reason": one.reason.value,
    }


def _document(document: dict[str, Any]) -> tuple[Revocation, ...]:
    if document["version"] != 1:
        raise ValueError("its version is not known here")
    return tuple(_parsed(entry) for entry in document["revocations"])


def _parsed(entry: dict[str, str]) -> Revocation:
    at = datetime.fromisoformat(entry["at"])
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return Revocation(
        name=str(entry["name"]),
        fingerprint_sha256=_hex(entry["fingerprint_sha256"]),
        tbs_sha256=_hex(entry["tbs_sha256"]),
        key_sha256=_hex(entry["key_sha256"]),
        at=at.astimezone(UTC),
        reason=RevocationReason(entry["reason"]),
    )


def _hex(text: str) -> str:
    if len(text) != _DIGEST or set(text) - set("0123456789abcdef"):
        raise ValueError("a digest is 64 hexadecimal digits")
    return text
