"""Connections to the signer, and its answers."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from guard.signer.failures import raise_received
from guard.signer.wire import PROTOCOL, Wire, malformed
from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from guard.signer.wire import Message
    from guard.tools import Marker
    from provenance.canonical import Json
    from provenance.stored import Bytes

_CONNECT_S = 10.0
_ANSWER_S = 1800.0
"""A clip is decoded twice by the signer; a dead one is noticed by the connection, not by this."""


def connect(path: Path, marker: Marker | None = None) -> Wire:
    """A connection to the signer that has greeted.

    Args:
        path: of the socket.
        marker: whose key has to be the signer's; None: it does not matter.

    Raises:
        ConfigurationError: ``signer.unreachable``, ``signer.other-locator``; ``signer.busy`` and
            ``signer.not-allowed`` as the signer says; ``signer.unsupported`` on systems without Unix sockets.
    """
    return _greeted(path, marker)[0]


def status(path: Path, marker: Marker | None = None) -> dict[str, Any]:
    """What the signer says of itself: version, locator, packs, name and size of its log.

    Raises:
        As ``connect``, and what is wrong with the signer's log.
    """
    wire, greeting = _greeted(path, marker)
    try:
        return {**greeting.header, **ask(wire, {"op": "ready"}).header}
    finally:
        wire.close()


def _greeted(path: Path, marker: Marker | None) -> tuple[Wire, Message]:
    """A connection, and how the signer began it; closed where its key is not the marker's."""
    wire = Wire(_connected_socket(path))
    try:
        greeting = _reply(wire, _CONNECT_S)
        _require_same_key(greeting, marker, path)
    except BaseException:
        wire.close()
        raise
    return wire, greeting


def _require_same_key(greeting: Message, marker: Marker | None, path: Path) -> None:
    if marker is None or greeting.header.get("locator") == [marker.key.key_id, marker.key.epoch]:
        return
    raise ConfigurationError(
        "signer.other-locator",
        "the signer reads marks with another locator key than this installation writes them with",
        where=str(path),
        hint="guard signer join takes the signer's key into a new home",
    )


def _connected_socket(path: Path) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        what, hint = "this system has no Unix sockets", "run the generating side on Linux, beside the signer"
        raise ConfigurationError("signer.unsupported", what, hint=hint)
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(_CONNECT_S)
    try:
        peer.connect(str(path))
    except OSError as error:
        peer.close()
        why = error.strerror or type(error).__name__
        raise ConfigurationError(
            "signer.unreachable",
            f"no signer answers there: {why.lower()}",
            where=str(path),
            hint="guard signer run, as the signer's user; its socket lets in who is named with --allow-user",
        ) from error
    return peer


def ask(wire: Wire, header: Mapping[str, Json], parts: Sequence[Bytes] = ()) -> Message:
    """The signer's answer.

    Raises:
        Error: what the signer raised.
        ConfigurationError: ``signer.unreachable`` or ``signer.timeout``.
    """
    try:
        wire.send(header, parts)
    except ConfigurationError:
        # Whoever hangs up in the middle of a message has said why.
        _reply(wire, 1.0)
        raise
    return _reply(wire, _ANSWER_S)


def _reply(wire: Wire, wait_s: float) -> Message:
    reply = wire.receive(wait_s=wait_s)
    if reply is None:
        raise ConfigurationError(
            "signer.unreachable",
            "the signer hung up without an answer",
            hint="look at the signer's journal; the next release mends what was begun",
        )
    raise_received(reply.header)
    if reply.header.get("ok") != PROTOCOL:
        raise malformed("the signer speaks another protocol")
    return reply
