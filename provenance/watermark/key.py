"""The locator key: who has it can read, forge and remove the marks made with it."""

from __future__ import annotations

from dataclasses import dataclass, field

SECRET_BYTES = 32
PAYLOAD_SIZES = (8, 16)
"""Bytes a payload may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkKey:
    """A locator key, made to be published with a registry; no other key can be derived from it.

    ``provenance.keys`` makes, stores and exports them.

    Attributes:
        key_id: public name, 1-64 printable ASCII characters.
        epoch: counts renewals under the same key id, from 0.
        secret: 32 random bytes that place the mark.
        payload_sizes: bytes a payload of this key may have, in the order in which a reader tries them: 8,
            16 or both. Each size that is tried is another chance for noise to pass a CRC.
    """

    key_id: str
    epoch: int
    secret: bytes = field(repr=False)
    payload_sizes: tuple[int, ...] = (8,)

    def __post_init__(self) -> None:
        printable = self.key_id.isascii() and self.key_id.isprintable()
        if not (printable and 1 <= len(self.key_id) <= 64):
            raise ValueError("key_id must be 1-64 printable ASCII characters")
        if not 0 <= self.epoch < 2**31 or len(self.secret) != SECRET_BYTES:
            raise ValueError("epoch must be in 0..2**31-1 and the secret have 32 bytes")
        sizes = set(self.payload_sizes)
        if not sizes or len(sizes) < len(self.payload_sizes) or not sizes <= set(PAYLOAD_SIZES):
            raise ValueError("payload_sizes must be 8, 16 or both")
