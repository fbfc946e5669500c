"""Messages between a client and the signer: a bounded header in canonical JSON, then bounded raw bytes.

::

    length of the header, 4 bytes, big-endian | header | part | part

The header is one JSON object in canonical form (``provenance.canonical``), so that a message has one
reading only; its key ``parts`` has the length of each part. Nothing is ever unpickled. Every message has a
deadline as a whole, so that a peer that sends a byte a second holds nobody up.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.canonical import canonical_bytes
from provenance.errors import ConfigurationError, InputError
from provenance.spool import IN_MEMORY, Spool
from provenance.stored import CHUNK, chunks_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from provenance.canonical import Json
    from provenance.stored import Bytes

PROTOCOL = 1
"""Both sides have to speak the same; a newer one is refused, not guessed at."""
_LENGTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """Bounds of one message."""

    header_bytes: int = 4 * 2**20
    """The manifest's statements and facts; the C2PA library refuses definitions of 2 MiB."""
    parts: int = 66
    """The bytes, the file they were made from, and what else went in (``provenance.manifest.ingredient``)."""
    part_bytes: int = 512 * 2**20
    """As much as is ever signed (``provenance.manifest.sign.MOST_BYTES``)."""
    all_bytes: int = 2**30
    """All parts of a message together."""
    header_s: float = 10.0
    """From the first byte of a message to the end of its header."""
    slowest_bytes_per_s: int = 2**20
    """A part takes at most ``header_s`` and its length over this."""
    idle_s: float = 120.0
    """How long the next message is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, whole.

    Attributes:
        header: a JSON object.
        parts: raw bytes; large ones lie in a spool, which nobody else can read.
    """

    header: Mapping[str, Any]
    parts: tuple[Bytes, ...] = ()


def _always() -> bool:
    return True


class Wire:
    """One end of a connection.

    Args:
        peer: the connected socket; closed by ``close``.
        limits: bounds of what is received.
        folder: where large parts are spooled; None: the system's folder for temporary files.
    """

    def __init__(
        self, peer: socket.socket, limits: WireLimits | None = None, *, folder: Path | None = None
    ) -> None:
        self._peer = peer
        self._limits = limits or WireLimits()
        self._folder = folder

    def close(self) -> None:
        """Let go of the connection."""
        self._peer.close()

    def send(self, header: Mapping[str, Json], parts: Sequence[Bytes] = ()) -> None:
        """Send one message.

        Raises:
            ConfigurationError: ``signer.unreachable`` when the other end went away; ``signer.timeout``.
        """
        head = canonical_bytes({**header, "parts": [len(part) for part in parts]})
        deadline = self._deadline(sum(map(len, parts)))
        self._put(len(head).to_bytes(_LENGTH, "big") + head, deadline)
        for part in parts:
            for chunk in chunks_of(part):
                self._put_all(chunk, deadline)

    def receive(
        self, *, wait_s: float | None = None, patient: Callable[[], bool] = _always
    ) -> Message | None:
        """The next message; None when the other end is done, or ``patient`` says no before one begins.

        Args:
            wait_s: how long the message is waited for; None: ``idle_s``.
            patient: asked several times a second while nothing has come.

        Raises:
            InputError: ``signer.message`` for one that is not in form, or larger than allowed.
            ConfigurationError: ``signer.timeout``; ``signer.unreachable`` when it breaks off in the middle.
        """
        first = self._first(self._limits.idle_s if wait_s is None else wait_s, patient)
        if not first:
            return None
        deadline = self._deadline(0)
        length = int.from_bytes(first + self._exactly(_LENGTH - 1, deadline), "big")
        if length > self._limits.header_bytes:
            raise malformed(f"a header of {length:,} bytes")
        header = _parsed(self._exactly(length, deadline))
        sizes = self._sizes(header)
        deadline = self._deadline(sum(sizes))
        return Message(header=header, parts=tuple(self._part(size, deadline) for size in sizes))

    def _sizes(self, header: Mapping[str, Any]) -> list[int]:
        sizes = header.get("parts")
        if not isinstance(sizes, list) or len(sizes) > self._limits.parts:
            raise malformed("it does not say how long its parts are")
        for size in sizes:
            if type(size) is not int or not 0 <= size <= self._limits.part_bytes:
                raise malformed(f"a part has more than {self._limits.part_bytes:,} bytes, or no length")
        if sum(sizes) > self._limits.all_bytes:
            raise malformed(f"its parts have more than {self._limits.all_bytes:,} bytes together")
        return sizes

    def _part(self, size: int, deadline: float) -> Bytes:
        if size <= IN_MEMORY:
            return self._exactly(size, deadline)
        spool, left = Spool(self._folder), size
        while left:
            chunk = self._some(min(CHUNK, left), deadline)
            spool.write_at(spool.size, chunk)
            left -= len(chunk)
        return spool

    def _first(self, wait_s: float, patient: Callable[[], bool]) -> bytes:
        """The first byte of a message, or nothing."""
        until = time.monotonic() + wait_s
        while patient():
            left = until - time.monotonic()
            if left <= 0:
                raise _late()
            try:
                self._peer.settimeout(min(0.2, left))
                return self._peer.recv(1)
            except TimeoutError:
                continue
            except OSError as error:
                raise _gone() from error
        return b""

    def _exactly(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            parts += self._some(min(CHUNK, count - len(parts)), deadline)
        return bytes(parts)

    def _some(self, most: int, deadline: float) -> bytes:
        try:
            self._peer.settimeout(_left(deadline))
            data = self._peer.recv(most)
        except TimeoutError as error:
            raise _late() from error
        except OSError as error:
            raise _gone() from error
        if not data:
            raise _gone()
        return data

    def _put_all(self, data: bytes, deadline: float) -> None:
        for start in range(0, len(data), CHUNK):
            self._put(data[start : start + CHUNK], deadline)

    def _put(self, data: bytes, deadline: float) -> None:
        try:
            self._peer.settimeout(_left(deadline))
            self._peer.sendall(data)
        except TimeoutError as error:
            raise _late() from error
        except OSError as error:
            raise _gone() from error

    def _deadline(self, part_bytes: int) -> float:
        limits = self._limits
        return time.monotonic() + limits.header_s + part_bytes / limits.slowest_bytes_per_s


def malformed(why: str) -> InputError:
    """The error for a message that is not in form."""
    return InputError(
        "signer.message",
        f"a message that cannot be understood: {why}",
        hint="use the same version of mediaguard on both sides; guard signer status shows the signer's",
    )


def _parsed(head: bytes) -> dict[str, Any]:
    try:
        header = json.loads(head)
        canonical = isinstance(header, dict) and canonical_bytes(header) == head
    except (ValueError, TypeError, RecursionError) as error:
        raise malformed("its header is not JSON") from error
    if not canonical:
        raise malformed("its header is not one JSON object in canonical form")
    return dict(header)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _late() -> ConfigurationError:
    return ConfigurationError(
        "signer.timeout",
        "the other end of the signer's socket took too long",
        hint="guard signer status shows whether the signer answers",
    )


def _gone() -> ConfigurationError:
    return ConfigurationError(
        "signer.unreachable",
        "the connection to the signer broke off",
        hint="look at the signer's journal; the next release mends what was begun",
    )
