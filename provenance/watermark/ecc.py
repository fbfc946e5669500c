"""Payloads of 64 or 128 bits to 1,024 coded bits and back: a CRC of 28 bits, then a polar code.

The decoder lists the likeliest messages and takes the first whose CRC passes. On noise alone each entry
passes with 2**-28, so a payload that nobody wrote is returned with ``FALSE_PASS`` = 2**-23 at each reading:
the list of 32 spends five bits of the CRC, and the CRC is four bits longer than OpenPGP's to pay for them.
It is CRC-32 (ISO-HDLC, as in zip files) without its four highest bits.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from provenance.watermark import polar
from provenance.watermark.key import PAYLOAD_SIZES

if TYPE_CHECKING:
    from numpy.typing import NDArray

CRC_BITS = 28
CODED_BITS = polar.N
FALSE_PASS = polar.LIST * 2.0**-CRC_BITS
"""Probability that noise decodes to some payload, for each size that is tried."""


def message_bits(payload_bytes: int) -> int:
    """Payload and CRC."""
    return 8 * payload_bytes + CRC_BITS


def crc28(data: bytes) -> int:
    """The lower 28 bits of CRC-32 over ``data``."""
    return zlib.crc32(data) & ((1 << CRC_BITS) - 1)


def encode(payload: bytes) -> NDArray[np.int64]:
    """The (CODED_BITS,) zeros and ones of 8 or 16 payload bytes."""
    if len(payload) not in PAYLOAD_SIZES:
        raise ValueError("a payload has 8 or 16 bytes")
    check = crc28(payload) << (32 - CRC_BITS)
    message = np.unpackbits(np.frombuffer(payload + check.to_bytes(4, "big"), np.uint8))
    return polar.encode(message[: message_bits(len(payload))]).astype(np.int64)


def decode(soft: NDArray[np.float64], payload_bytes: int = 8) -> tuple[bytes, bool]:
    """The likeliest payload whose CRC passes and True, or the likeliest of all and False.

    Args:
        soft: (CODED_BITS,) log likelihood ratios up to one common factor, positive for a zero.
        payload_bytes: 8 or 16, as it was written.
    """
    rows = np.packbits(polar.decode(soft, message_bits(payload_bytes)), axis=1)
    messages = [row.tobytes() for row in rows]
    for message in messages:
        check = int.from_bytes(message[payload_bytes:], "big") >> (32 - CRC_BITS)
        if crc28(message[:payload_bytes]) == check:
            return message[:payload_bytes], True
    return messages[0][:payload_bytes], False
