"""The signer process: a Unix socket, one thread a client, and an end that leaves nothing half done.

Who may connect is decided twice: by the permissions of the socket (0600, unless other users are allowed),
and by the user id that the kernel gives for each connection (SO_PEERCRED, unix(7)).
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guard.signer.failures import error_to_wire
from guard.signer.office import busy
from guard.signer.session import Session
from guard.signer.wire import Wire, WireLimits
from provenance.errors import ConfigurationError, Error, InputError
from provenance.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guard.signer.office import Office

_CREDENTIALS = struct.Struct("3i")
"""struct ucred: process, user, group."""
_TURN_S = 0.2
"""How soon the process notices that it is to end."""
_LONGEST_PATH = 107
"""Bytes of a socket's path on Linux (unix(7)); fewer elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Listens at ``path`` until ``stop`` is set.

    Attributes:
        office: the keys, and what the sessions share.
        path: of the socket.
        users: user ids that are let in.
        clients: connections at a time; more are told to come back later.
        limits: of what a client may send.
        grace_s: how long the requests in hand have to finish once ``stop`` is set.
        stop: set to end.
    """

    office: Office
    path: Path
    users: frozenset[int]
    clients: int = 32
    limits: WireLimits = field(default_factory=WireLimits)
    grace_s: float = 60.0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Mend what was left, listen, answer; returns once ``stop`` is set and the last request is done.

        Raises:
            ConfigurationError: ``signer.running``.
            InputError: ``signer.socket``.
            Error: what cannot be mended.
        """
        with _listening(self.path, public=self.users != {os.geteuid()}) as listener:
            mended = self.office.mend()
            if mended:
                self.office.say(f"mended {mended} releases that were interrupted")
            self.office.say(f"ready on {self.path}")
            sessions: list[threading.Thread] = []
            while not self.stop.is_set():
                peer = _accepted(listener)
                sessions = [one for one in sessions if one.is_alive()]
                if peer is not None and (thread := self._admitted(peer, len(sessions))) is not None:
                    sessions.append(thread)
        self._finish(sessions)

    def _admitted(self, peer: socket.socket, others: int) -> threading.Thread | None:
        """A thread that answers ``peer``; None for one that is sent away."""
        uid = _user_of(peer)
        wire = Wire(peer, self.limits)
        if uid not in self.users:
            self._send_away(wire, uid, _not_allowed(uid))
            return None
        if others >= self.clients:
            self._send_away(wire, uid, busy())
            return None
        session = Session(self.office, wire, uid=uid)
        thread = threading.Thread(target=self._answer, args=(session, uid), daemon=True)
        thread.start()
        return thread

    def _answer(self, session: Session, uid: int) -> None:
        try:
            session.run(lambda: not self.stop.is_set())
        except Error as error:
            self.office.say(f"uid {uid}: {error.code}: {error.what}")
        except Exception as error:  # noqa: BLE001 - one client's bug is not the end of all
            self.office.say(f"uid {uid}: a bug in guard ({type(error).__name__}); the connection is closed")

    def _send_away(self, wire: Wire, uid: int, why: Error) -> None:
        self.office.say(f"uid {uid}: {why.code}")
        try:
            wire.send(error_to_wire(why))  # small enough for the socket's buffer: nobody is waited for
        except Error as gone:
            self.office.say(f"uid {uid}: {gone.code}: could not be told")
        finally:
            wire.close()

    def _finish(self, sessions: list[threading.Thread]) -> None:
        busy_ones = [one for one in sessions if one.is_alive()]
        self.office.say(f"ending; {len(busy_ones)} clients connected")
        for thread in busy_ones:
            thread.join(self.grace_s)
        self.office.say("ended")


def require_supported() -> None:
    """This system has what the signer needs.

    Raises:
        ConfigurationError: ``signer.unsupported``.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        what = "this system does not tell who is at a socket's other end"
        raise ConfigurationError("signer.unsupported", what, hint="run the signer on Linux")


@contextmanager
def _listening(path: Path, *, public: bool) -> Iterator[socket.socket]:
    """The socket, under a lock, so that two signers never share a path."""
    if not hasattr(socket, "SO_PEERCRED"):
        raise ConfigurationError(
            "signer.unsupported", "this system does not tell who is at a socket's other end"
        )
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise _unusable(path, f"its path has more than {_LONGEST_PATH} bytes")
    with _alone(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            if path.is_socket():
                path.unlink()  # left by a signer that was killed: whoever runs has the lock
            mask = os.umask(0o177)
            try:
                listener.bind(str(path))
            finally:
                os.umask(mask)
            path.chmod(0o666 if public else 0o600)
        except OSError as error:
            raise _unusable(path, error.strerror or type(error).__name__) from error
        listener.listen(64)
        listener.settimeout(_TURN_S)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = path.with_name(path.name + ".lock")
    try:
        with locked(lock, timeout_s=0.0):
            yield
            lock.unlink(missing_ok=True)
    except ConfigurationError as error:
        if error.code != "lock.timeout" or error.where != str(lock):
            raise
        raise ConfigurationError(
            "signer.running", "a signer listens there already", where=str(path), hint="guard signer status"
        ) from error


def _accepted(listener: socket.socket) -> socket.socket | None:
    try:
        return listener.accept()[0]
    except TimeoutError:
        return None
    except (
        OSError
    ):  # the peer was gone before it was accepted, or descriptors ran out and some will be closed
        return None


def _user_of(peer: socket.socket) -> int:
    found = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(found)[1])


def _not_allowed(uid: int) -> ConfigurationError:
    return ConfigurationError(
        "signer.not-allowed",
        f"the signer does not work for user {uid}",
        hint="guard signer run --allow-user names who else may have bytes signed",
    )


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        "signer.socket",
        f"the signer cannot listen there: {why}",
        where=str(path),
        hint="name a path in a folder of the signer's user: guard signer run --socket PATH",
    )
