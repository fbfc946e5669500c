"""A certificate authority that issues what a request asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

NOW = datetime.now(UTC)


class Authority:
    """Issues what a request asks for, as a real one would after checking the name."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example Root")])
        basic = x509.BasicConstraints(ca=True, path_length=None), True
        self.root = self.sign(
            self.name, self.key.public_key(), [basic, self.usage("key_cert_sign")], days=900
        )

    def usage(self, name: str) -> tuple[x509.KeyUsage, bool]:
        names = ("digital_signature content_commitment key_encipherment data_encipherment key_agreement "
                 "key_cert_sign crl_sign encipher_only decipher_only")  # fmt: skip
        return x509.KeyUsage(**{one: one == name for one in names.split(" ")}), True

    def sign(self, subject, public, extensions, *, days: float) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=3))
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        )
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        if not any(isinstance(value, x509.SubjectKeyIdentifier) for value, _ in extensions):
            builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, request: bytes, *, days: float = 300, without: type | None = None) -> bytes:
        asked = x509.load_pem_x509_csr(request)
        assert asked.is_signature_valid
        wanted = [(one.value, one.critical) for one in asked.extensions if type(one.value) is not without]
        leaf = self.sign(asked.subject, asked.public_key(), wanted, days=days)
        return leaf.public_bytes(Encoding.PEM) + self.root_pem

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)
