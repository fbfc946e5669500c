"""Writes the signature value of a manifest in its other form, which needs no key (SEC 1, §4.1.4)."""

from __future__ import annotations

import struct
import zlib

from provenance.manifest.containers import find_store

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the base point of P-256 (FIPS 186-5)."""


def other_form(png: bytes) -> bytes:
    """(r, s) of the manifest's ES256 signature written as (r, n - s); the chunk's checksum is made right."""
    start = find_store(png).pieces[0].file
    (length,) = struct.unpack(">I", png[start - 8 : start - 4])
    chunk = bytearray(png[start : start + length])
    if chunk[-66:-64] != b"\x58\x40":
        raise ValueError("the store does not end in a CBOR byte string of 64 bytes, the signature")
    chunk[-32:] = (ORDER - int.from_bytes(chunk[-32:])).to_bytes(32)
    checksum = zlib.crc32(b"caBX" + chunk).to_bytes(4)
    return png[:start] + chunk + checksum + png[start + length + 4 :]
