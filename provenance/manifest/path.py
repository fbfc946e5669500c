"""Certificate paths, judged at a time the caller gives (RFC 5280 §6, reduced to what C2PA §14.5 asks).

The library judges by its own clock. Here the same bytes, lists and time always give the same answer.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.errors import IntegrityError
from provenance.manifest.cbor import StructureError
from provenance.manifest.trust import ListKind, TrustList, TrustLists

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

T = TypeVar("T", bound=x509.ExtensionType)

_MAX_LINKS = 6
_MAX_SIGNATURES = 64
"""Signature checks spent on one chain, whatever certificates it holds."""
BROKEN = (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm)
"""What the library raises for certificates that are none."""
_PROCESSED = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
_CLOCK = (ExtendedKeyUsageOID.TIME_STAMPING.dotted_string,)
_ANY_EKU = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string


class TrustPath(NamedTuple):
    """A path from a signer to an anchor.

    Attributes:
        found: the list that holds the anchor.
        not_before: latest start of validity on the path.
        not_after: earliest end of validity on the path.
        certificates: from the signer's to the anchor.
    """

    found: TrustList
    not_before: datetime
    not_after: datetime
    certificates: tuple[x509.Certificate, ...]


@lru_cache(maxsize=64)
def certificates(chain: tuple[bytes, ...]) -> tuple[x509.Certificate, ...]:
    """Parsed DER certificates; kept, because the files of one batch mostly share a signer.

    Raises:
        StructureError: one of them is not a certificate.
    """
    try:
        with warnings.catch_warnings():
            # Odd but harmless, such as a serial number of zero; the signature decides.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            parsed = tuple(x509.load_der_x509_certificate(der) for der in chain)
        for certificate in parsed:
            parse_whole(certificate)
    except BROKEN as error:
        raise StructureError("a certificate in the signature cannot be parsed") from error
    return parsed


@lru_cache(maxsize=64)
def profile_problem(leaf: x509.Certificate, ekus: tuple[str, ...]) -> str | None:
    """Why a certificate may not sign claims (C2PA §14.5.1), or None."""
    extensions = leaf.extensions
    usages = _extension(extensions, x509.ExtendedKeyUsage)
    allowed = {usage.dotted_string for usage in usages} if usages is not None else set()
    if _ANY_EKU in allowed or not allowed & set(ekus):
        return "the certificate is not made for signing claims (extended key usage)"
    usage = _extension(extensions, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        return "the certificate is not made for signing (key usage)"
    basic = _extension(extensions, x509.BasicConstraints)
    if basic is not None and basic.ca:
        return "the certificate belongs to an authority, not to a signer"
    return None


@lru_cache(maxsize=64)
def find_path(
    chain: tuple[x509.Certificate, ...], trust: TrustLists, kind: ListKind = ListKind.MANIFEST
) -> TrustPath | None:
    """The best path from the first certificate of ``chain`` to an anchor, whatever the time is.

    No clock is asked, so the answer may be kept.
    Lists are tried strongest tier first; among paths to one list the first found wins.
    """
    budget = [_MAX_SIGNATURES]
    ekus = _CLOCK if kind is ListKind.TSA else trust.ekus
    for item in trust.of_kind(kind):
        if chain[0] in anchors_in(item.pem) and not is_authority(chain[0]):
            return _path(item, chain[:1])  # a signer that is on the list itself
        for path in _paths((chain[0],), chain[1:], anchors_in(item.pem), budget):
            if not all(_understood(certificate, ekus) for certificate in path[:-1]):
                continue
            return _path(item, path)
    return None


def _path(found: TrustList, path: tuple[x509.Certificate, ...]) -> TrustPath:
    return TrustPath(
        found=found,
        not_before=max(certificate.not_valid_before_utc for certificate in path),
        not_after=min(certificate.not_valid_after_utc for certificate in path),
        certificates=path,
    )


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate may issue others (RFC 5280 §4.2.1.9); a self-issued one without a word counts."""
    basic = _extension(certificate.extensions, x509.BasicConstraints)
    return certificate.issuer == certificate.subject if basic is None else basic.ca


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 over the DER, lower-case hex."""
    return certificate.fingerprint(SHA256()).hex()


def common_name(name: x509.Name) -> str:
    """The common name, else the whole name."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def organisation(name: x509.Name) -> str:
    """The organisation, or an empty string."""
    found = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""


def _paths(
    path: tuple[x509.Certificate, ...],
    offered: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    budget: list[int],
) -> Iterator[tuple[x509.Certificate, ...]]:
    tail = path[-1]
    if len(path) > _MAX_LINKS:
        return
    for issuer in anchors:
        if _issued(tail, issuer, len(path) - 1, budget):
            yield (*path, issuer)
    for issuer in offered:
        if issuer not in path and issuer not in anchors and _issued(tail, issuer, len(path) - 1, budget):
            yield from _paths((*path, issuer), offered, anchors, budget)


def _issued(subject: x509.Certificate, issuer: x509.Certificate, below: int, budget: list[int]) -> bool:
    """Whether ``issuer`` may sign certificates, ``below`` authorities under it, and signed this one."""
    if subject.issuer != issuer.subject or subject == issuer or budget[0] <= 0:
        return False
    basic = _extension(issuer.extensions, x509.BasicConstraints)
    usage = _extension(issuer.extensions, x509.KeyUsage)
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        return False
    if basic.path_length is not None and basic.path_length < below:
        return False
    digest = subject.signature_hash_algorithm
    if digest is not None and digest.name in {"md5", "sha1"}:
        return False
    budget[0] -= 1
    try:
        subject.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _understood(certificate: x509.Certificate, ekus: Sequence[str]) -> bool:
    """Whether we process everything the certificate insists on (RFC 5280 §4.2), and its usages allow signers.

    Name constraints and the like are not processed here, so a certificate that has them is not relied on.
    """
    for extension in certificate.extensions:
        if extension.critical and not isinstance(extension.value, _PROCESSED):
            return False
    usages = _extension(certificate.extensions, x509.ExtendedKeyUsage)
    return usages is None or any(usage.dotted_string in {*ekus, _ANY_EKU} for usage in usages)


def _extension(extensions: x509.Extensions, kind: type[T]) -> T | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def parse_whole(certificate: x509.Certificate) -> None:
    """Touches what the library parses on first use, so that breakage shows here and nowhere else."""
    _ = certificate.subject, certificate.issuer, certificate.extensions
    _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    _ = certificate.signature_hash_algorithm


@lru_cache(maxsize=16)
def anchors_in(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a trust list.

    Raises:
        IntegrityError: ``trust.list-damaged``.
    """
    try:
        parsed = tuple(x509.load_pem_x509_certificates(pem))
        for certificate in parsed:
            parse_whole(certificate)
        return parsed  # noqa: TRY300 - the loop above is part of the attempt
    except BROKEN as error:
        raise IntegrityError(
            "trust.list-damaged", "a trust list holds a certificate that cannot be read"
        ) from error
