"""A web server on the loopback, with a certificate of its own or without any, which misbehaves on request.

Used by tests alone; ``SSL_CERT_FILE`` makes a client believe in it.
"""

from __future__ import annotations

import ipaddress
import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Answer:
    """What the server says under one path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class HttpsServer:
    """Serves ``answers`` at ``https://127.0.0.1:port``, or http.

    Attributes:
        folder: where its certificate and key lie.
        answers: path to what is said there.
        asked: paths that were asked for, in order.
        secure: whether it speaks https, or plain http.
    """

    folder: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    secure: bool = True

    @property
    def certificate(self) -> Path:
        """What a client has to believe in."""
        return self.folder / "server.pem"

    def __enter__(self) -> HttpsServer:
        _make(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.folder / "server.key")
        simulator = self

        class Server(ThreadingHTTPServer):
            def get_request(self):
                # Without the handshake: a client that does not believe us is the handler's affair.
                raw, address = super().get_request()
                if not simulator.secure:
                    return raw, address
                return context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, *_: object) -> None:
                """A client that hangs up is what some tests are about."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                simulator.asked.append(self.path)
                answer = simulator.answers.get(self.path, Answer(status=404))
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Tests read ``asked`` instead."""

        self._server = server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str) -> str:
        """The address of ``path``."""
        scheme = "https" if self.secure else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_port}{path}"


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(private)
