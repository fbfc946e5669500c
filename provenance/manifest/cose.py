"""The signature box: certificates, and what stands beside the signature unsigned (RFC 9052 §4.2)."""

from __future__ import annotations

from typing import Any, NamedTuple

from provenance.manifest.cbor import Decoder, StructureError, decode
from provenance.manifest.jumbf import SIGNATURE, Superbox

_X5CHAIN = 33
"""Header label of the certificate chain (RFC 9360 §2)."""
_MAX_CERTIFICATES = 16
_STAMPS = ("sigTst", "sigTst2")
_KNOWN = {*_STAMPS, "rVals", "pad", "pad2", "x5chain", "temp_signing_time", _X5CHAIN}
"""Unsigned headers that C2PA §13.2 and §14 define; each carries its own proof or is checked to be zero."""


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
        unsigned: headers that nothing vouches for.
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
    contents = manifest.only(SIGNATURE).contents
    if len(contents) != 1 or contents[0].kind != b"cbor":
        raise StructureError("COSE: the signature box holds something else")
    return _block(Decoder(store, contents[0].start, contents[0].end))


def chain_of(data: bytes) -> tuple[bytes, ...]:
    """The certificate chain of a signature that stands by itself, as one over an identity does (DER).

    Raises:
        StructureError: as ``signature_block``.
    """
    return _block(Decoder(data)).chain


def _block(reader: Decoder) -> SignatureBlock:
    if reader.head() != (6, 18, 18) or reader.head()[::2] != (4, 4):
        raise StructureError("COSE: not a COSE_Sign1")
    protected = decode(_bytes(reader.item()) or b"\xa0")
    headers, unsigned, stamps = _unprotected(reader)
    if reader.item() is not None or not _bytes(reader.item()) or reader.position != reader.end:
        raise StructureError("COSE: payload not detached, signature missing or bytes left over")
    if not isinstance(protected, dict):
        raise StructureError("COSE: the protected header is not a map")
    for source in (protected, headers):
        for key in (_X5CHAIN, "x5chain"):
            if key in source:
                return SignatureBlock(chain=_certificates(source[key]), unsigned=unsigned, stamps=stamps)
    raise StructureError("COSE: no certificate chain")


def _unprotected(reader: Decoder) -> tuple[dict[Any, Any], tuple[Unsigned, ...], tuple[Unsigned, ...]]:
    """The headers, those that nothing vouches for, and those with time-stamps."""
    major, _, count = reader.head()
    if major != 5 or count is None or count > 64:
        raise StructureError("COSE: the unprotected header is not a plain map")
    headers: dict[Any, Any] = {}
    unsigned, stamps = [], []
    for _ in range(count):
        start = reader.position
        key, value = reader.item(), reader.item()
        if not isinstance(key, str | int) or key in headers:
            raise StructureError("COSE: a header is repeated or not plain")
        headers[key] = value
        if key in ("pad", "pad2"):
            if not isinstance(value, bytes) or value.strip(b"\0"):
                raise StructureError("COSE: the padding beside the signature is not zero")
        elif key in _STAMPS:
            stamps.append(Unsigned(name=key, start=start, end=reader.position, reason="time-stamp"))
        elif key not in _KNOWN:
            unsigned.append(
                Unsigned(name=str(key)[:40], start=start, end=reader.position, reason="unsigned header")
            )
    return headers, tuple(unsigned), tuple(stamps)


def _certificates(value: Any) -> tuple[bytes, ...]:
    chain = [value] if isinstance(value, bytes) else value
    if not isinstance(chain, list) or not 0 < len(chain) <= _MAX_CERTIFICATES:
        raise StructureError("COSE: the certificate chain is not a list of certificates")
    return tuple(_bytes(item) for item in chain)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise StructureError("COSE: bytes expected")
    return value
