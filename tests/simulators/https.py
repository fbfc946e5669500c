"""A web server on the loopback, with a certificate of its own or without any, which misbehaves on request.

Used by tests alone; ``SSL_CERT_FILE`` makes a client believe in it.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from simulators.loopback import Answer, Loopback, Request


@dataclass
class HttpsServer(Loopback):
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

    def __post_init__(self) -> None:
        _make(self.folder)
        if self.secure:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(self.certificate, self.folder / "server.key")

    def respond(self, request: Request) -> Answer:
        self.asked.append(request.path)
        return self.answers.get(request.path, Answer(status=404))

    def url(self, path: str) -> str:
        """The address of ``path``."""
        return f"{self.address}{path}"


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
