"""A web server on the loopback, in a thread of the test: what every simulated service stands on."""

from __future__ import annotations

import abc
import ssl
import sys
import threading
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass
class Answer:
    """What a server says."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What it was asked."""

    path: str
    headers: Message
    body: bytes


class Refused(Exception):
    """An answer with another status than 200."""

    def __init__(self, status: int, body: bytes = b"no", **headers: str) -> None:
        super().__init__(status)
        self.answer = Answer(body=body, status=status, headers=headers)


class Loopback(abc.ABC):
    """Serves while its block runs. Those that derive from it say what they answer."""

    context: ssl.SSLContext | None = None
    """For https; None: plain http."""

    @abc.abstractmethod
    def respond(self, request: Request) -> Answer:
        """The answer to a GET or POST request, which may be raised as ``Refused``."""

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Where it is reached, without a path."""
        return f"http{'s' if self.context else ''}://127.0.0.1:{self._server.server_port}"


class _Server(ThreadingHTTPServer):
    def __init__(self, simulator: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.simulator = simulator

    def get_request(self):
        # Without the handshake: a client that does not believe us is the handler's affair.
        raw, address = super().get_request()
        if self.simulator.context is None:
            return raw, address
        wrapped = self.simulator.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def handle_error(self, *connection: object) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that hangs up is the point of some tests
            super().handle_error(*connection)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            answer = self.server.simulator.respond(Request(self.path, self.headers, body))
        except Refused as refusal:
            answer = refusal.answer
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Tests read what was asked instead."""
