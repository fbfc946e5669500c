"""What is in a trust list, certificate by certificate: for people who decide whether to believe it."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.errors import InputError
from provenance.manifest.path import BROKEN, common_name, fingerprint, is_authority, organisation, parse_whole
from provenance.manifest.trust import CLAIM_SIGNING, ListKind

if TYPE_CHECKING:
    from datetime import datetime

C2PA_POLICY = "1.3.6.1.4.1.62558.1.1"
"""Policy of the C2PA certificate policy; certificates on the official lists carry it."""
SOON = timedelta(days=60)
"""Before the end of an anchor from which it is named: its authority publishes the next one about then."""
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_BLOCK = re.compile(
    rb"-----BEGIN CERTIFICATE-----[ \t]*\r?\n[A-Za-z0-9+/= \t\r\n]+?-----END CERTIFICATE-----"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One certificate of a list.

    Attributes:
        name: whom it names, as its issuer wrote it.
        fingerprint_sha256: lower-case hex over its DER.
        not_before: start of its validity, UTC.
        not_after: end of its validity, UTC.
        authority: whether it vouches for others; else it is one signer that is trusted by itself.
        purposes: extended key usages, as dotted OIDs.
        official: whether it carries the policy of C2PA.
    """

    name: str
    fingerprint_sha256: str
    not_before: datetime
    not_after: datetime
    authority: bool
    purposes: tuple[str, ...]
    official: bool

    def __str__(self) -> str:
        """Name and the beginning of its fingerprint, which tells two of one name apart."""
        return f"{self.name} ({self.fingerprint_sha256[:16]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListContents:
    """The certificates of a list, once each.

    Attributes:
        certificates: in the order of the file.
        twice: those that stand in it more than once.
        pem: the same certificates and nothing else, in one canonical form.
    """

    certificates: tuple[Listed, ...]
    twice: tuple[Listed, ...]
    pem: bytes

    def expired(self, now: datetime) -> tuple[Listed, ...]:
        """Those that are over."""
        return tuple(one for one in self.certificates if one.not_after < now)

    def ending(self, now: datetime) -> tuple[Listed, ...]:
        """Those that will be over soon."""
        return tuple(one for one in self.certificates if now <= one.not_after < now + SOON)

    @property
    def official(self) -> bool:
        """Whether it looks like a list of C2PA. No proof: anybody can write the policy into a certificate."""
        return any(one.official for one in self.certificates)

    @property
    def kind(self) -> ListKind | None:
        """What its certificates say that they vouch for; None where they leave it open, as roots do."""
        purposes = {purpose for one in self.certificates for purpose in one.purposes}
        clocks = ExtendedKeyUsageOID.TIME_STAMPING.dotted_string in purposes
        signers = CLAIM_SIGNING in purposes
        if clocks == signers:
            return None
        return ListKind.TSA if clocks else ListKind.MANIFEST


@lru_cache(maxsize=16)
def contents_of(pem: bytes) -> ListContents:
    """The certificates in a PEM file, whatever stands between them.

    Raises:
        InputError: ``trust.not-certificates``: there is none, or one cannot be read.
    """
    blocks = _BLOCK.findall(pem)
    if not blocks or len(blocks) != pem.count(_BEGIN):
        raise _no_certificates("it holds none, or one that is cut off")
    parsed = [_parsed(block) for block in blocks]
    once = list(dict.fromkeys(parsed))
    return ListContents(
        certificates=tuple(map(_listed, once)),
        twice=tuple(_listed(one) for one in once if parsed.count(one) > 1),
        pem=b"".join(one.public_bytes(Encoding.PEM) for one in once),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """What one list has that another does not."""

    added: tuple[Listed, ...]
    gone: tuple[Listed, ...]


def change(before: bytes | None, after: bytes) -> ListChange:
    """What changes when a list (PEM, or None for none) is replaced."""
    old = () if before is None else contents_of(before).certificates
    new = contents_of(after).certificates
    return ListChange(
        added=tuple(one for one in new if one not in old), gone=tuple(one for one in old if one not in new)
    )


def _parsed(block: bytes) -> x509.Certificate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_pem_x509_certificate(block)
        parse_whole(certificate)
    except BROKEN as error:
        raise _no_certificates(str(error)[:200]) from error
    return certificate


def _listed(certificate: x509.Certificate) -> Listed:
    subject = certificate.subject
    names = dict.fromkeys(filter(None, (common_name(subject), organisation(subject))))
    return Listed(
        name=", ".join(names)[:256],
        fingerprint_sha256=fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        authority=is_authority(certificate),
        purposes=_purposes(certificate),
        official=C2PA_POLICY in _policies(certificate),
    )


def _purposes(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(usage.dotted_string for usage in usages)


def _policies(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(item.policy_identifier.dotted_string for item in found)


def _no_certificates(why: str) -> InputError:
    return InputError(
        "trust.not-certificates",
        f"this is no list of certificates: {why}",
        hint='give a PEM file, with lines "-----BEGIN CERTIFICATE-----"',
    )
