"""Gaussian Shading (arXiv 2404.04956): a mark in the noise that a generated picture is drawn from.

The noise keeps the sizes of its numbers, so each is still standard normal, and takes its signs from

    coded payload, spread over the latent   XOR   keystream(key, nonce)

To whoever lacks the nonce these signs are fair coins, independent of the sizes and of every other
picture: marked noise is noise, and marked pictures come from the very distribution of unmarked ones. That
holds for one use of a keystream only (arXiv 2503.11404), so each picture has a fresh nonce. The nonce is
kept with the picture's recipe in the private record: finding the mark means trying the nonces on record.

To read, the picture is followed back to its noise by an ``Inverter``, handed in by whoever has the model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from provenance.errors import InputError
from provenance.watermark import ecc

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ALGORITHM = "org.mediaguard.gaussian-shading.1"
"""Our own name, described as unregistered like the tile's."""
NONCE_BYTES = 16
PAYLOAD_SIZES = (8, 16, 32)
"""Bytes; coded in blocks of at most 16, each with its own check."""
_BLOCK = 16


class MarkKey(Protocol):
    """A key that makes keystreams: the locator key or the private mark key."""

    @property
    def key_id(self) -> str:
        """Public name."""
        ...

    @property
    def epoch(self) -> int:
        """Counts renewals."""
        ...

    @property
    def secret(self) -> bytes:
        """32 random bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentMark:
    """What tells one marked picture's noise from another's.

    Attributes:
        nonce: 16 random bytes, used for one picture only.
        payload: 8, 16 or 32 bytes.
    """

    nonce: bytes
    payload: bytes

    def __post_init__(self) -> None:
        if len(self.nonce) != NONCE_BYTES or len(self.payload) not in PAYLOAD_SIZES:
            raise ValueError("a latent mark has a nonce of 16 bytes and a payload of 8, 16 or 32")


def fresh(random: Callable[[int], bytes], *, payload: bytes | None = None) -> LatentMark:
    """A mark for one picture; ``random(n)`` returns n unpredictable bytes."""
    return LatentMark(
        nonce=random(NONCE_BYTES), payload=random(PAYLOAD_SIZES[0]) if payload is None else payload
    )


def shade(noise: NDArray[np.float32], mark: LatentMark, key: MarkKey) -> NDArray[np.float32]:
    """Noise that carries ``mark``: the sizes of ``noise`` with the mark's signs.

    Args:
        noise: independent standard normal numbers in the shape the pipeline takes as ``latents``: (C, H, W),
            packed (tokens, channels), (C, T, H, W), … The mark counts them in this order.
        mark: fresh, see there.
        key: whose keystream.

    Raises:
        InputError: ``latent.capacity-exceeded``: fewer numbers than coded bits.
    """
    return np.asarray(np.abs(noise) * signs(mark, key, noise.size).reshape(noise.shape), np.float32)


def signs(mark: LatentMark, key: MarkKey, count: int) -> NDArray[np.int8]:
    """(count,) +1 and -1 of the marked noise."""
    coded = np.concatenate([ecc.encode(block) for block in _blocks(mark.payload)])
    carried = _carried(count, len(mark.payload))
    flat: NDArray[np.int8] = (1 - 2 * coded[carried]).astype(np.int8)
    return flat * keystream(mark.nonce, key, count)


def keystream(nonce: bytes, key: MarkKey, count: int) -> NDArray[np.int8]:
    """(count,) fair +1 and -1 out of key and nonce, by SHAKE-256."""
    seed = b"mediaguard latent mark\0" + key.secret + key.epoch.to_bytes(4, "big") + nonce
    drawn = np.frombuffer(hashlib.shake_256(seed).digest(-(-count // 8)), np.uint8)
    return (1 - 2 * np.unpackbits(drawn, count=count).astype(np.int8)).astype(np.int8)


def decode(values: NDArray[np.float64], nonce: bytes, key: MarkKey, size: int) -> tuple[bytes, bool]:
    """The likeliest payload of ``size`` bytes and whether the checks of all its blocks pass.

    Args:
        values: (count,) soft signs of the noise that was found; 0 where nothing is known.
        nonce: of the mark.
        key: of the mark.
        size: bytes of the payload: 8, 16 or 32.
    """
    clear = values * keystream(nonce, key, len(values))
    soft = np.zeros(_coded_bits(size))
    np.add.at(soft, _carried(len(values), size), clear)
    block = min(size, _BLOCK)
    read = [ecc.decode(part, block) for part in soft.reshape(-1, ecc.CODED_BITS)]
    return b"".join(payload for payload, _ in read), all(passed for _, passed in read)


def _blocks(payload: bytes) -> list[bytes]:
    return [payload[start : start + _BLOCK] for start in range(0, len(payload), _BLOCK)]


def _coded_bits(size: int) -> int:
    return -(-size // _BLOCK) * ecc.CODED_BITS


@lru_cache(maxsize=8)
def _carried(count: int, size: int) -> NDArray[np.int64]:
    """(count,) which coded bit each number of the latent carries.

    All of them equally often, in an order without neighbours, so that what happens to a region of the
    picture or to one channel happens to every bit a little.
    """
    bits = _coded_bits(size)
    if count < bits:
        raise InputError(
            "latent.capacity-exceeded",
            f"a latent of {count} numbers cannot carry {size * 8} bits, which are {bits} when coded",
            hint="take a shorter payload or a larger picture",
        )
    order = np.frombuffer(hashlib.shake_256(b"mediaguard latent order").digest(8 * count), ">u8").argsort()
    carried = np.empty(count, np.int64)
    carried[order] = np.arange(count) % bits
    carried.flags.writeable = False
    return carried
