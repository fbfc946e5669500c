"""Certificate requests (PKCS 10, RFC 2986): a key of one's own, a name, and what the certificate is for.

An authority reads the key and the name; the extensions say which profile is asked for, so that one which
copies them issues what ``provenance.manifest.profile`` accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from cryptography.x509.oid import NameOID

from provenance.errors import InputError
from provenance.manifest.identity import SIGNER_PURPOSES, SIGNER_USAGE
from provenance.manifest.path import common_name, organisation
from provenance.manifest.signers import CURVE_BYTES, algorithm_of, mismatch
from provenance.timestamp import der

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.manifest.signers import PrivateKey

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_BIT_STRING = 0x03
_MAKERS: dict[str, Callable[[], PrivateKey]] = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
ALGORITHMS = tuple(_MAKERS)
"""COSE algorithms of C2PA §13.2.1 in lower case; the first is the usual one."""
_LONGEST = 64
"""Characters of each part of a name (RFC 5280 appendix A.1, ub-common-name and its like).

The X.509 library counts the common name in bytes of UTF-8; what it and the standard both allow is asked for.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom the certificate is to name; all of it becomes public with every signed file.

    Attributes:
        organisation: its legal name, as the authority will check it.
        name: common name, which verifiers show; usually the organisation or one of its products. At most 64
            bytes in UTF-8, where the others have 64 characters.
        unit: a department, or None.
        country: two letters (ISO 3166-1), or None.
    """

    organisation: str
    name: str
    unit: str | None = None
    country: str | None = None

    def __post_init__(self) -> None:
        for text in filter(lambda text: text is not None, (self.organisation, self.name, self.unit)):
            assert text is not None
            if not 0 < len(text) <= _LONGEST or not text.isprintable() or not text.strip():
                what = f"a name in a certificate has 1 to {_LONGEST} printable characters"
                raise InputError("identity.bad-name", what, hint="shorten it, or leave it out")
        if (size := len(self.name.encode())) > _LONGEST:
            what = f"a common name has at most {_LONGEST} bytes in UTF-8, and this one has {size}"
            raise InputError("identity.bad-name", what, hint="give a shorter one with --name")
        if self.country is not None and not (
            len(self.country) == 2 and self.country.isascii() and self.country.isupper()
        ):
            what = "a country is given by its two capital letters, such as DE"
            raise InputError("identity.bad-name", what, hint="ISO 3166-1 lists them")

    @classmethod
    def of(cls, certificate: x509.Certificate | x509.CertificateSigningRequest) -> Subject:
        """The subject of a certificate or request that is to be followed by another.

        Raises:
            InputError: ``identity.bad-name`` where it cannot be taken over as it is.
        """
        found = certificate.subject

        def first(oid: x509.ObjectIdentifier) -> str | None:
            values = found.get_attributes_for_oid(oid)
            return str(values[0].value) if values else None

        return cls(
            organisation=organisation(found),
            name=common_name(found),
            unit=first(NameOID.ORGANIZATIONAL_UNIT_NAME),
            country=first(NameOID.COUNTRY_NAME),
        )

    def as_x509(self) -> x509.Name:
        """The distinguished name, country first."""
        parts = (
            (NameOID.COUNTRY_NAME, self.country),
            (NameOID.ORGANIZATION_NAME, self.organisation),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, self.unit),
            (NameOID.COMMON_NAME, self.name),
        )
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])


def make_key(algorithm: str) -> PrivateKey:
    """A new private key for one of ``ALGORITHMS``.

    Raises:
        InputError: ``identity.bad-algorithm``.
    """
    if algorithm not in _MAKERS:
        what = f"there is no signing algorithm {algorithm!r} in C2PA"
        raise InputError("identity.bad-algorithm", what, hint=f"one of {', '.join(ALGORITHMS)}")
    return _MAKERS[algorithm]()


def protected_pem(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """The key as PKCS 8 in PEM, encrypted where there is a passphrase; to be kept with mode 0600."""
    how: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def certificate_request(key: PrivateKey, subject: Subject) -> bytes:
    """A request in PEM for a claim-signing certificate (C2PA §14.5.1), signed with ``key``."""
    return _asking(subject, key.public_key()).sign(key, _digest(key)).public_bytes(Encoding.PEM)


def read_public_key(pem: bytes) -> PublicKey:
    """A public key in PEM, as key services hand it out.

    Raises:
        InputError: ``identity.bad-public-key``.
        ConfigurationError: ``signer.unsupported-key``.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        what = "this is no public key in PEM"
        hint = 'the file begins with "-----BEGIN PUBLIC KEY-----"'
        raise InputError("identity.bad-public-key", what, hint=hint) from error
    algorithm_of(key)
    assert isinstance(key, PublicKey)
    return key


def remote_request(public: PublicKey, subject: Subject, sign: Callable[[bytes], bytes]) -> bytes:
    """The same for a key that is elsewhere: on a token, or in a key service.

    Args:
        public: its public key.
        subject: as ``certificate_request``.
        sign: gives its signature over the request as that over a claim; ECDSA as DER or r ‖ s, RSA as PS256.

    Raises:
        ConfigurationError: ``signer.unsupported-key``; ``signer.key-mismatch`` when it signed with another.
        Exception: whatever ``sign`` raises.
    """
    algorithm = algorithm_of(public)
    # Another key stands in its place until the request is built; the two differ in nothing but the key.
    blank = der.parse(_blank(public, algorithm, subject).public_bytes(Encoding.DER))
    info, how, _ = blank.children()
    version, name, _, attributes = info.children()
    key = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    tbs = der.encode(der.SEQUENCE, version.whole, name.whole, key, attributes.whole)
    for signature in _as_der(sign(tbs), algorithm):
        bits = der.encode(_BIT_STRING, b"\0", signature)
        made = x509.load_der_x509_csr(der.encode(der.SEQUENCE, tbs, how.whole, bits))
        if made.is_signature_valid:
            return made.public_bytes(Encoding.PEM)
    raise mismatch()


def _as_der(signature: bytes, algorithm: str) -> Iterator[bytes]:
    """What an answer may be in the form that X.509 wants, which for ECDSA is DER (RFC 5758 §3.2)."""
    half = CURVE_BYTES.get(algorithm, 0)
    if half and len(signature) == 2 * half:
        r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        yield encode_dss_signature(r, s)
    yield signature


def _blank(public: PublicKey, algorithm: str, subject: Subject) -> x509.CertificateSigningRequest:
    key = make_key(algorithm)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    return _asking(subject, public).sign(key, _digest(key), rsa_padding=pss if algorithm == "ps256" else None)


def _asking(subject: Subject, public: PublicKey) -> x509.CertificateSigningRequestBuilder:
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject.as_x509())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(SIGNER_USAGE, critical=True)
        .add_extension(SIGNER_PURPOSES, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """As strong as the key (RFC 5480 §4); Ed25519 brings its own."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256:
        return hashes.SHA384() if key.key_size == 384 else hashes.SHA512()
    return hashes.SHA256()
