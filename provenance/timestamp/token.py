"""What a time-stamp token proves, checked without asking anybody (RFC 3161 §2.4.2, RFC 5652).

Whether its authority is one to believe is another question: ``authority_of`` looks it up in trust lists.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.errors import IntegrityError
from provenance.manifest.path import BROKEN, find_path, parse_whole
from provenance.manifest.trust import ListKind
from provenance.timestamp import der
from provenance.timestamp.der import DerError
from provenance.timestamp.messages import DIGESTS, SIGNED_DATA, TST_INFO, Stamped, stamped

if TYPE_CHECKING:
    from datetime import datetime

    from provenance.manifest.path import TrustPath
    from provenance.manifest.trust import TrustLists
    from provenance.timestamp.der import Node

MOST_BYTES = 2**16
"""Of a token or a reply; those of public authorities have 2 to 8 kB."""
_CONTENT_TYPE, _DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = {"1.2.840.113549.1.9.16.2.12": "sha1", "1.2.840.113549.1.9.16.2.47": "sha256"}
"""Which certificate signed, by its digest (RFC 5035 §3); what that digest is where nothing else is said."""
_PSS = "1.2.840.113549.1.1.10"
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_MOST_CERTIFICATES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamp:
    """A token that holds for the data it was checked against.

    Attributes:
        token: DER, a CMS ``ContentInfo``.
        at: when the data existed, UTC.
        nonce: number of the request, where one came back.
        chain: certificates in the token, the authority's first.
    """

    token: bytes
    at: datetime
    nonce: int | None
    chain: tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    info: bytes
    certificates: tuple[x509.Certificate, ...]
    attributes: Node
    digest: str
    algorithm: str
    signature: bytes


def verify_token(token: bytes, data: bytes) -> TimeStamp:
    """The time-stamp over ``data``.

    Checked: the imprint is that of ``data``; the signature is over this very statement; the certificate that
    it names is the one that verifies, is for time-stamping and nothing else, and was valid at that time.

    Raises:
        IntegrityError: ``timestamp.invalid``, with what does not hold.
    """
    if len(token) > MOST_BYTES:
        raise _invalid(f"it has more than {MOST_BYTES} bytes")
    try:
        signed = _signed(token)
        said = stamped(signed.info)
        leaf = _require_signature(signed)
        _require_purpose(leaf, said)
    except DerError as error:
        raise _invalid(str(error)) from error
    except (IndexError, *BROKEN) as error:  # parts are missing, or one of them is no certificate
        raise _invalid("it is not built as one") from error
    if hashlib.new(said.digest, data).digest() != said.imprint:
        raise _invalid("it is about other data")
    others = tuple(one for one in signed.certificates if one != leaf)
    return TimeStamp(token=token, at=said.at, nonce=said.nonce, chain=(leaf, *others))


def authority_of(stamp: TimeStamp, trust: TrustLists) -> TrustPath | None:
    """The path from a token's authority to a list of kind ``tsa``, valid at the time it states; or None."""
    found = find_path(stamp.chain, trust, ListKind.TSA)
    return found if found is not None and found.not_before <= stamp.at <= found.not_after else None


def _invalid(why: str) -> IntegrityError:
    return IntegrityError("timestamp.invalid", f"the time-stamp does not hold: {why}")


def _signed(token: bytes) -> _Signed:
    """``SignedData`` with one signer (RFC 5652 §5.1)."""
    kind, wrapped = der.parse(token).expect(der.SEQUENCE).children()
    if kind.oid() != SIGNED_DATA:
        raise DerError("it is no signed data")
    (body,) = wrapped.expect(0xA0).children()
    parts = body.expect(der.SEQUENCE).children()
    content = parts[2].expect(der.SEQUENCE).children()
    if len(content) != 2 or content[0].oid() != TST_INFO:
        raise DerError("it is about something else than a time")
    (info,) = content[1].expect(0xA0).children()
    ders = [one.whole for part in parts[3:-1] if part.tag == 0xA0 for one in part.children()]
    found = tuple(x509.load_der_x509_certificate(one) for one in ders[:_MOST_CERTIFICATES] if one[0] == 0x30)
    for certificate in found:
        parse_whole(certificate)
    signers = parts[-1].expect(der.SET).children()
    if len(signers) != 1:
        raise DerError("it has not exactly one signature")
    _, _, digest, attributes, algorithm, signature, *_ = signers[0].expect(der.SEQUENCE).children()
    return _Signed(
        info=info.expect(der.OCTETS).content,
        certificates=found,
        attributes=attributes.expect(0xA0),
        digest=_digest(digest),
        algorithm=algorithm.expect(der.SEQUENCE).children()[0].oid(),
        signature=signature.expect(der.OCTETS).content,
    )


def _digest(node: Node) -> str:
    name = DIGESTS.get(node.expect(der.SEQUENCE).children()[0].oid())
    if name is None:
        raise DerError("its digest algorithm is not SHA-2")
    return name


def _require_signature(signed: _Signed) -> x509.Certificate:
    """The certificate that the signed attributes name and whose key verifies them."""
    said: dict[str, Node] = {}
    for attribute in signed.attributes.children():
        name, values = attribute.expect(der.SEQUENCE).children()
        (value,) = values.expect(der.SET).children()
        if said.setdefault(name.oid(), value) is not value:
            raise DerError("an attribute is there twice")
    if _CONTENT_TYPE not in said or said[_CONTENT_TYPE].oid() != TST_INFO:
        raise DerError("the signature is about something else")
    if _DIGEST not in said or said[_DIGEST].content != hashlib.new(signed.digest, signed.info).digest():
        raise DerError("the signature is about another time")
    leaf = _named(signed, said)
    # Signed as a SET, though tagged [0] where it stands (RFC 5652 §5.4).
    covered = bytes((der.SET,)) + signed.attributes.whole[1:]
    try:
        _verify(leaf, signed, covered)
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise DerError("the signature is wrong") from error
    return leaf


def _named(signed: _Signed, said: dict[str, Node]) -> x509.Certificate:
    for oid, usual in _SIGNING_CERTIFICATE.items():
        if oid not in said:
            continue
        first = said[oid].children()[0].children()[0].children()
        digest = usual if first[0].tag == der.OCTETS else _digest(first[0])
        wanted = [part.content for part in first if part.tag == der.OCTETS]
        for certificate in signed.certificates:
            if hashlib.new(digest, certificate.public_bytes(Encoding.DER)).digest() in wanted:
                return certificate
    raise DerError("the certificate that it names is not in it")


def _verify(leaf: x509.Certificate, signed: _Signed, covered: bytes) -> None:
    public, digest = leaf.public_key(), _HASHES[signed.digest]
    if isinstance(public, rsa.RSAPublicKey):
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.AUTO)
        how = pss if signed.algorithm == _PSS else padding.PKCS1v15()
        public.verify(signed.signature, covered, how, digest)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signed.signature, covered, ec.ECDSA(digest))
    elif isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signed.signature, covered)
    else:
        raise DerError("its key is of a kind that is not known here")


def _require_purpose(leaf: x509.Certificate, said: Stamped) -> None:
    """RFC 3161 §2.3: for time-stamping alone, and critical; valid when it signed."""
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise DerError("its certificate is not one of a time-stamp authority") from error
    if list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING] or not usage.critical:
        raise DerError("its certificate is not one of a time-stamp authority")
    if not leaf.not_valid_before_utc <= said.at <= leaf.not_valid_after_utc:
        raise DerError("its certificate was not valid at that time")
