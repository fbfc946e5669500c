"""Rules for every certificate of a chain, whoever it belongs to (C2PA §14.5.1, RFC 5280 §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID as Signed

from provenance.manifest.path import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

T = TypeVar("T", bound=x509.ExtensionType)
Broken: TypeAlias = tuple[str, str, str, str]
"""Rule, ``"error"`` or ``"warning"``, clause, sentence."""

C2PA = "C2PA §14.5.1"
RFC = "RFC 5280 "
ERROR, WARNING = "error", "warning"

_SIGNED_WITH = frozenset(
    {
        Signed.RSA_WITH_SHA256,
        Signed.RSA_WITH_SHA384,
        Signed.RSA_WITH_SHA512,
        Signed.ECDSA_WITH_SHA256,
        Signed.ECDSA_WITH_SHA384,
        Signed.ECDSA_WITH_SHA512,
        Signed.RSASSA_PSS,
        Signed.ED25519,
    }
)
_SHA2 = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_UNDERSTOOD = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
)
"""Critical extensions that every verifier processes, ours included (``path``)."""
_UNIQUE_IDS = {0x81, 0xA1, 0x82, 0xA2}
"""Tags [1] and [2] of a TBSCertificate (RFC 5280 §4.1)."""


def broken(certificate: x509.Certificate, now: datetime) -> Iterator[Broken]:
    """The rules for all certificates that this one breaks, at the time ``now``."""
    if certificate.version is not x509.Version.v3:
        yield "certificate.version", ERROR, f"{C2PA}, {RFC}§4.1.2.1", "it is no X.509 version 3 certificate"
    yield from _signature(certificate)
    yield from _key(certificate)
    yield from _validity(certificate, now)
    if _has_unique_ids(certificate.tbs_certificate_bytes):
        what = "it has an issuer or subject unique identifier, which is not allowed"
        yield "certificate.unique-id", ERROR, f"{C2PA}, {RFC}§4.1.2.8", what
    yield from _extensions(certificate)


def self_signed(certificate: x509.Certificate) -> bool:
    """Whether it names itself as its issuer."""
    return certificate.issuer == certificate.subject


def extension(certificate: x509.Certificate, kind: type[T]) -> x509.Extension[T] | None:
    """The extension of that kind, or None."""
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _signature(certificate: x509.Certificate) -> Iterator[Broken]:
    if certificate.signature_algorithm_oid not in _SIGNED_WITH:
        name = certificate.signature_algorithm_oid.dotted_string
        what = (
            f"its issuer signed it with an algorithm that is not allowed ({name}); allowed are RSA and "
            "ECDSA with SHA-256, SHA-384 or SHA-512, RSASSA-PSS with these, and Ed25519"
        )
        yield "certificate.signature-algorithm", ERROR, C2PA, what
    elif certificate.signature_algorithm_oid == Signed.RSASSA_PSS:
        yield from _pss(certificate)


def _pss(certificate: x509.Certificate) -> Iterator[Broken]:
    try:
        used, parameters = certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters
    except BROKEN:
        used, parameters = None, None
    inner = parameters.mgf._algorithm if isinstance(parameters, padding.PSS) else None  # noqa: SLF001 - no getter
    if not isinstance(used, _SHA2) or inner is None or inner.name != used.name:
        what = "its RSASSA-PSS signature does not use SHA-256, SHA-384 or SHA-512 for both hash and mask"
        yield "certificate.pss-parameters", ERROR, C2PA, what


def _key(certificate: x509.Certificate) -> Iterator[Broken]:
    try:
        key = certificate.public_key()
    except BROKEN:
        what = "its key cannot be read, or is none of ECDSA, RSA and Ed25519"
        yield "certificate.key-type", ERROR, C2PA, what
        return
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            what = f"its key is on the curve {key.curve.name}; allowed are P-256, P-384 and P-521"
            yield "certificate.curve", ERROR, C2PA, what
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size < 2048:
            what = f"its RSA key has {key.key_size} bits; at least 2048 are needed"
            yield "certificate.key-size", ERROR, C2PA, what
        if (exponent := key.public_numbers().e) < 3 or exponent % 2 == 0:
            what = "the public exponent of its RSA key is no odd number"
            yield "certificate.rsa-exponent", ERROR, C2PA, what
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        yield "certificate.key-type", ERROR, C2PA, "its key is none of ECDSA, RSA and Ed25519"


def _validity(certificate: x509.Certificate, now: datetime) -> Iterator[Broken]:
    start, end, clause = certificate.not_valid_before_utc, certificate.not_valid_after_utc, f"{RFC}§4.1.2.5"
    if start > end:
        yield "certificate.validity", ERROR, clause, "its validity ends before it begins"
    elif now > end:
        yield "certificate.expired", ERROR, f"C2PA §15.7, {clause}", f"it expired on {end:%Y-%m-%d}"
    elif now < start:
        what = f"it becomes valid on {start:%Y-%m-%d %H:%M} UTC; now it is not"
        yield "certificate.not-yet-valid", ERROR, f"C2PA §15.7, {clause}", what


def _extensions(certificate: x509.Certificate) -> Iterator[Broken]:
    if not self_signed(certificate) and extension(certificate, x509.AuthorityKeyIdentifier) is None:
        what = "it does not say by which key it was signed (authority key identifier)"
        yield "certificate.authority-key-id", ERROR, f"{C2PA}, {RFC}§4.2.1.1", what
    usage = extension(certificate, x509.KeyUsage)
    if usage is None:
        what = "it does not say what its key is for (key usage)"
        yield "certificate.key-usage", ERROR, f"{C2PA}, {RFC}§4.2.1.3", what
    elif not usage.critical:
        what = "its key usage is not marked as critical, as it should be"
        yield "certificate.key-usage-critical", WARNING, f"{C2PA}, {RFC}§4.2.1.3", what
    for item in certificate.extensions:
        if item.critical and not isinstance(item.value, _UNDERSTOOD):
            what = f"it insists on an extension that verifiers do not process ({item.oid.dotted_string})"
            yield "certificate.critical-extension", ERROR, f"{RFC}§4.2", what


def _has_unique_ids(tbs: bytes) -> bool:
    """Walks the fields of a TBSCertificate, whose DER the library has parsed before."""
    _, at, end = _header(tbs, 0)
    while at < end:
        tag, _, after = _header(tbs, at)
        if tag in _UNIQUE_IDS:
            return True
        at = after
    return False


def _header(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the DER element at ``at``."""
    length, body = der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, body = int.from_bytes(der[body : body + size], "big"), body + size
    return der[at], body, body + length
