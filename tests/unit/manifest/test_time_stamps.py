"""A signing time counts as proven when a time-stamp authority on a list says so, and only then."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.manifest.build import manifest_definition
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState, SigningTime, TrustTier
from provenance.manifest.revocation import Revocation, RevocationReason
from provenance.manifest.trust import ListKind, TrustList
from provenance.media import Asset

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the time-stamp authority is openssl ts"),
]
CONFIG = """[tsa]
default_tsa = t
[t]
serial = {0}/serial
crypto_device = builtin
signer_cert = {0}/tsa.pem
certs = {0}/chain.pem
signer_key = {0}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256,sha384,sha512
ess_cert_id_alg = sha256
"""


def certificate(clock):
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clock")])
    issued = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(clock.issuing.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(clock.now - timedelta(days=1))
        .not_valid_after(clock.now + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(clock.key.public_key()), critical=False
        )
        .sign(clock.key, hashes.SHA256())
    )
    return issued, key


@pytest.fixture
def stamped(tmp_path, picture, spec, signer, stranger):
    issued, key = certificate(stranger)
    (tmp_path / "tsa.pem").write_bytes(issued.public_bytes(Encoding.PEM))
    (tmp_path / "tsa.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    (tmp_path / "chain.pem").write_bytes(stranger.issuing.public_bytes(Encoding.PEM) + stranger.root_pem())
    (tmp_path / "ts.cnf").write_text(CONFIG.format(tmp_path))
    (tmp_path / "serial").write_text("01\n")

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            (tmp_path / "q").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            command = ["openssl", "ts", "-reply", "-queryfile", "q", "-config", "ts.cnf", "-out", "r"]
            subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
            reply = (tmp_path / "r").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *args):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        info = c2pa.C2paSignerInfo(
            b"es256", signer.chain, signer.private_pem(), f"http://127.0.0.1:{server.server_port}/".encode()
        )
        out = io.BytesIO()
        context = c2pa.Context.from_dict({"verify": {"verify_after_sign": False}})
        builder = c2pa.Builder(manifest_definition(spec), context=context)
        builder.sign(c2pa.Signer.from_info(info), "image/png", io.BytesIO(picture().data), out)
    finally:
        server.shutdown()
        server.server_close()
    return Asset.of(out.getvalue(), "image/png")


def test_a_listed_authority_proves_the_time_and_outlives_the_certificate(stamped, trust, stranger, authority):
    later = authority.now + timedelta(days=500)
    clocks = TrustList.of(
        name="clocks", tier=TrustTier.OFFICIAL, kind=ListKind.TSA, pem=stranger.root_pem(), date=later.date()
    )
    with_clocks = read_manifest(stamped, trust.adding(clocks), at=later)
    assert with_clocks.state is ManifestState.TRUSTED
    assert with_clocks.signer.time is SigningTime.PROVEN
    without = read_manifest(stamped, trust, at=later)
    assert without.state is ManifestState.EXPIRED
    assert without.signer.time is SigningTime.CLAIMED
    assert read_manifest(stamped, trust).state is ManifestState.TRUSTED


def test_a_proven_time_before_the_revocation_outlives_it_and_one_after_does_not(
    stamped, trust, stranger, authority, signer
):
    now = datetime.now(UTC)
    clocks = TrustList.of(
        name="clocks", tier=TrustTier.OFFICIAL, kind=ListKind.TSA, pem=stranger.root_pem(), date=now.date()
    )

    def read(hours: float, *, with_clocks: bool = True):
        at = now + timedelta(hours=hours)
        gone = Revocation.of(signer.leaf, at=at, reason=RevocationReason.KEY_COMPROMISE)
        known = replace(trust.adding(clocks) if with_clocks else trust, revoked=(gone,))
        return read_manifest(stamped, known, at=now + timedelta(hours=9))

    held = read(1)
    assert held.state is ManifestState.TRUSTED
    assert held.signer.time is SigningTime.PROVEN
    after = read(-1)
    assert after.state is ManifestState.REVOKED
    assert "signed after" in after.reason
    # The same time stamp, of an authority on no list, is a claim: whoever has the key can make one.
    assert read(1, with_clocks=False).state is ManifestState.REVOKED
