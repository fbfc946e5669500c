"""The signature box: certificates, and what stands beside the signature unsigned (RFC 9052 §4.2)."""

from __future__ import annotations

from typing import Any, NamedTuple

from provenance.manifest.cbor import Decoder, StructureError, byte_string, decode
from provenance.manifest.jumbf import SIGNATURE, Superbox

_X5CHAIN = 33
"""Header label of the certificate chain (RFC 9360 §2)."""
_MAX_CERTIFICATES = 16
_STAMPS = ("sigTst", "sigTst2")
_PADDING = {"pad": b"\x63pad", "pad2": b"\x64pad2"}
"""Headers that hold zeros (C2PA §13.2), and these names as CBOR."""
_NAMED = {"rVals": "revocation answer", "x5chain": "certificates", _X5CHAIN: "certificates"}
"""Other unsigned headers of C2PA §13.2 and §14. Whoever can change them can put anything there: listed."""
_FORM = "value of unusual form"


class Unsigned(NamedTuple):
    """One header outside the signature; ``start`` and ``end`` bound its key and value in the store."""

    name: str
    start: int
    end: int
    reason: str


class SignatureBlock(NamedTuple):
    """A COSE_Sign1 without its payload.

    Attributes:
        chain: certificates as DER, the signer's first.
        unsigned: headers that nothing vouches for, and values that are not in their shortest form, in
            which something can be hidden.
        stamps: headers with time-stamps; whoever cannot verify these has nothing that vouches for them.
    """

    chain: tuple[bytes, ...]
    unsigned: tuple[Unsigned, ...]
    stamps: tuple[Unsigned, ...] = ()


def signature_block(store: bytes, manifest: Superbox) -> SignatureBlock:
    """The signature of a manifest.

    Raises:
        StructureError: not one COSE_Sign1 with a certificate chain, or padding that is not zero.
    """
    box = manifest.only(SIGNATURE)
    contents = box.contents
    if len(contents) != 1 or box.boxes or contents[0].kind != b"cbor":
        raise StructureError("COSE: the signature box holds something else")
    return _block(Decoder(store, contents[0].start, contents[0].end))


def chain_of(data: bytes) -> tuple[bytes, ...]:
    """The certificate chain of a signature that stands by itself, as one over an identity does (DER).

    Raises:
        StructureError: as ``signature_block``.
    """
    return _block(Decoder(data)).chain


def _block(reader: Decoder) -> SignatureBlock:
    if reader.head() != (6, 18, 18) or reader.head() != (4, 4, 4):
        raise StructureError("COSE: not a COSE_Sign1")
    unsigned: list[Unsigned] = []
    protected = decode(_string(reader, unsigned) or b"\xa0")
    headers, stamps = _unprotected(reader, unsigned)
    payload = reader.head()
    if payload != (7, 22, 22) or not _string(reader, unsigned) or reader.position != reader.end:
        raise StructureError("COSE: payload not detached, signature missing or bytes left over")
    if not isinstance(protected, dict):
        raise StructureError("COSE: the protected header is not a map")
    for source in (protected, headers):
        for key in (_X5CHAIN, "x5chain"):
            if key in source:
                return SignatureBlock(_certificates(source[key]), tuple(unsigned), stamps)
    raise StructureError("COSE: no certificate chain")


def _string(reader: Decoder, unsigned: list[Unsigned]) -> bytes:
    """The next byte string; its form is added to ``unsigned`` where it is not the one it has to have."""
    start = reader.position
    value = _bytes(reader.item())
    if reader.data[start : reader.position] != byte_string(value):
        unsigned.append(Unsigned(name="form", start=start, end=reader.position, reason=_FORM))
    return value


def _unprotected(reader: Decoder, unsigned: list[Unsigned]) -> tuple[dict[Any, Any], tuple[Unsigned, ...]]:
    """The headers, and those with time-stamps; all but padding is added to ``unsigned``."""
    begin = reader.position
    major, info, count = reader.head()
    if major != 5 or count is None or count > 64:
        raise StructureError("COSE: the unprotected header is not a plain map")
    if (info != count and count < 24) or reader.position > begin + 2:
        unsigned.append(Unsigned(name="form", start=begin, end=reader.position, reason=_FORM))
    headers: dict[Any, Any] = {}
    stamps: list[Unsigned] = []
    for _ in range(count):
        start = reader.position
        key, value = reader.item(), reader.item()
        if not isinstance(key, str | int) or key in headers:
            raise StructureError("COSE: a header is repeated or not plain")
        headers[key] = value
        raw = reader.data[start : reader.position]
        if key in _PADDING and _is_padding(value) and raw == _PADDING[str(key)] + byte_string(value):
            continue
        stamp = key in _STAMPS
        reason = "time-stamp" if stamp else _FORM if key in _PADDING else _NAMED.get(key, "unsigned header")
        one = Unsigned(name=str(key)[:40], start=start, end=reader.position, reason=reason)
        (stamps if stamp else unsigned).append(one)
    return headers, tuple(stamps)


def _is_padding(value: Any) -> bool:
    """True, or an error for padding that holds anything."""
    if not isinstance(value, bytes) or value.strip(b"\0"):
        raise StructureError("COSE: the padding beside the signature is not zero")
    return True


def _certificates(value: Any) -> tuple[bytes, ...]:
    chain = [value] if isinstance(value, bytes) else value
    if not isinstance(chain, list) or not 0 < len(chain) <= _MAX_CERTIFICATES:
        raise StructureError("COSE: the certificate chain is not a list of certificates")
    return tuple(_bytes(item) for item in chain)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise StructureError("COSE: bytes expected")
    return value
