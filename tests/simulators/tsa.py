"""A time-stamp authority on the loopback: ``openssl ts`` signs, this file misbehaves on request (RFC 3161).

Used by tests alone. Every certificate and key is made for the test and lies in its own folder.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from simulators.loopback import Answer, Loopback, Request

NEEDED = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the time-stamp authority is openssl ts"),
]
"""Marks of tests that ask one."""
_CONFIG = """[tsa]
default_tsa = t
[t]
serial = {0}/serial
crypto_device = builtin
signer_cert = {0}/tsa.pem
certs = {0}/chain.pem
signer_key = {0}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {1}
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def _usage(**said: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: said.get(name, False) for name in names})


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass
class Clock:
    """A root, and one authority that it vouches for.

    Attributes:
        folder: where ``openssl ts`` finds its files.
        days: until the certificate of the authority ends.
        digests: that the authority accepts.
        purposes: of its certificate.
    """

    folder: Path
    days: float = 900
    digests: str = "sha256,sha384,sha512"
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        self.root = self._issue("Clock root", self.root_key, authority=True)
        leaf = self._issue("Clock", key, authority=False)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (self.folder / "tsa.key").write_bytes(secret)
        (self.folder / "tsa.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        (self.folder / "chain.pem").write_bytes(self.root_pem)
        (self.folder / "ts.cnf").write_text(_CONFIG.format(self.folder, self.digests))
        (self.folder / "serial").write_text("01\n")
        self._turn = threading.Lock()

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def reply(self, request: bytes) -> bytes:
        """What ``openssl ts -reply`` answers."""
        with self._turn:
            (self.folder / "q").write_bytes(request)
            command = ["openssl", "ts", "-reply", "-queryfile", "q", "-config", "ts.cnf", "-out", "r"]
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
            return (self.folder / "r").read_bytes()

    def _issue(self, common: str, key: rsa.RSAPrivateKey, *, authority: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(_name("Clock root"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=9))
            .not_valid_after(self.now + timedelta(days=3000 if authority else self.days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()), critical=False
            )
        )
        if authority:
            usage = _usage(key_cert_sign=True, crl_sign=True)
        else:
            usage = _usage(digital_signature=True)
            builder = builder.add_extension(x509.ExtendedKeyUsage(self.purposes), critical=True)
        return builder.add_extension(usage, critical=True).sign(self.root_key, hashes.SHA256())


@dataclass
class Server(Loopback):
    """Answers with what ``reply`` makes of the body of a request."""

    reply: Callable[[bytes], bytes]
    asked: list[bytes] = field(default_factory=list)

    def respond(self, request: Request) -> Answer:
        self.asked.append(request.body)
        return Answer(self.reply(request.body), headers={"Content-Type": "application/timestamp-reply"})

    @property
    def url(self) -> str:
        return f"{self.address}/tsr"


def hang(seconds: float) -> Callable[[bytes], bytes]:
    """An answer that comes late."""

    def answer(_request: bytes) -> bytes:
        time.sleep(seconds)
        return b""

    return answer
