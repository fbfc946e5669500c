"""What goes to a time-stamp authority and what comes back (RFC 3161 §2.4), as plain values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provenance.timestamp import der
from provenance.timestamp.der import DerError

if TYPE_CHECKING:
    from provenance.timestamp.der import Node

SHA256 = "2.16.840.1.101.3.4.2.1"
DIGESTS = {SHA256: "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
"""Digest algorithms of imprints and signatures; older ones prove nothing."""
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_FAILURES = {
    0: "it does not know the digest algorithm",
    2: "it says that the request is malformed",
    5: "it says that the data have the wrong form",
    14: "it has no time at the moment",
    15: "it does not have the policy asked for",
    16: "it does not know an extension",
    17: "it cannot give what was asked for",
    25: "it failed",
}
"""Bits of PKIFailureInfo (RFC 3161 §2.4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What a token says (``TSTInfo``), whoever signed it.

    Attributes:
        digest: name of the digest algorithm, for ``hashlib``.
        imprint: the digest that was stamped.
        at: when, UTC.
        nonce: number of the request, where one came back.
        serial: number of the token.
    """

    digest: str
    imprint: bytes
    at: datetime
    nonce: int | None
    serial: int


def request(data: bytes, nonce: int) -> bytes:
    """Asks for a time-stamp over ``data``, of which the authority sees the SHA-256 alone.

    Args:
        data: of any length.
        nonce: at least 64 random bits; it has to come back (§2.4.1).
    """
    algorithm = der.encode(der.SEQUENCE, der.encode_oid(SHA256), der.encode(der.NULL))
    imprint = der.encode(der.SEQUENCE, algorithm, der.encode(der.OCTETS, hashlib.sha256(data).digest()))
    wants_certificates = bytes((0x01, 0x01, 0xFF))
    return der.encode(
        der.SEQUENCE, der.encode_integer(1), imprint, der.encode_integer(nonce), wants_certificates
    )


def token_of(reply: bytes) -> bytes:
    """The token in a reply.

    Raises:
        DerError: it is no reply, or one without a token; says what the authority says.
    """
    parts = der.parse(reply).expect(der.SEQUENCE).children()
    if not parts:
        raise DerError("the reply is empty")
    status = parts[0].expect(der.SEQUENCE).children()
    if not status or status[0].integer() not in (0, 1):
        raise DerError(f"the request was refused: {_why(status)}")
    if len(parts) != 2:
        raise DerError("the reply has no token")
    return parts[1].expect(der.SEQUENCE).whole


def stamped(info: bytes) -> Stamped:
    """The ``TSTInfo`` that a token is about.

    Raises:
        DerError: it is none.
    """
    parts = der.parse(info).expect(der.SEQUENCE).children()
    if len(parts) < 5 or parts[0].integer() != 1:
        raise DerError("not a TSTInfo of version 1")
    algorithm, imprint = _pair(parts[2])
    digest = DIGESTS.get(algorithm.expect(der.SEQUENCE).children()[0].oid())
    if digest is None:
        raise DerError("the digest algorithm is not SHA-2")
    nonce = next((part.integer() for part in parts[5:] if part.tag == der.INTEGER), None)
    return Stamped(
        digest=digest,
        imprint=imprint.expect(der.OCTETS).content,
        at=_time(parts[4]),
        nonce=nonce,
        serial=parts[3].integer(),
    )


def _pair(node: Node) -> tuple[Node, Node]:
    parts = node.expect(der.SEQUENCE).children()
    if len(parts) != 2 or not parts[0].children():
        raise DerError("an algorithm and a value belong here")
    return parts[0], parts[1]


def _time(node: Node) -> datetime:
    """GeneralizedTime in UTC, with a fraction of a second or without (§2.4.2)."""
    raw = node.expect(der.TIME).content
    whole, _, fraction = raw.partition(b".")
    if not raw.endswith(b"Z") or len(whole.rstrip(b"Z")) != 14 or len(raw) > 32:
        raise DerError("the time is not in UTC")
    try:
        moment = datetime.strptime(whole.rstrip(b"Z").decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        part = int(fraction.rstrip(b"Z")[:6].ljust(6, b"0")) if fraction else 0
    except ValueError as error:
        raise DerError("the time is none") from error
    return moment.replace(microsecond=part)


def _why(status: tuple[Node, ...]) -> str:
    for part in status[1:]:
        if part.tag == 0x03:  # a BIT STRING: unused bits, then the bits from the left
            bits = part.content[1:]
            found = (text for bit, text in _FAILURES.items() if _bit(bits, bit))
            return next(found, "without a reason that is known here")
    return "without a reason"


def _bit(bits: bytes, number: int) -> bool:
    return number // 8 < len(bits) and bool(bits[number // 8] & 0x80 >> number % 8)
