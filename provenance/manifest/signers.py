"""Signers: something that has a certificate chain and signs bytes; the key may live anywhere."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provenance.errors import ConfigurationError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_CURVES = {"secp256r1": ("es256", 32), "secp384r1": ("es384", 48), "secp521r1": ("es512", 66)}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "es256": hashes.SHA256(),
    "es384": hashes.SHA384(),
    "es512": hashes.SHA512(),
    "ps256": hashes.SHA256(),
}
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


@runtime_checkable
class Signer(Protocol):
    """Signs claims (C2PA §13.2)."""

    @property
    def algorithm(self) -> str:
        """COSE algorithm in lower case: es256, es384, es512, ps256 or ed25519."""
        ...

    @property
    def chain(self) -> bytes:
        """Certificates as PEM, the signer's first."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Signature over ``data``; ECDSA as r ‖ s (RFC 9053 §2.1)."""
        ...


class PemSigner:
    """A signer whose private key is in memory.

    Raises:
        ConfigurationError: ``signer.key-mismatch`` when key and certificate do not belong together,
            ``signer.unsupported-key``, ``signer.bad-chain``.
    """

    __slots__ = ("__weakref__", "_key", "algorithm", "chain", "leaf")

    def __init__(self, *, chain: bytes, key: PrivateKey) -> None:
        try:
            self.leaf = x509.load_pem_x509_certificates(chain)[0]
        except ValueError as error:
            raise ConfigurationError(
                "signer.bad-chain", "the certificate chain cannot be read as PEM"
            ) from error
        self._key = key
        self.chain = chain
        self.algorithm = _algorithm(key)
        _self_test(self)

    def __repr__(self) -> str:
        """Never shows the key."""
        return f"PemSigner({self.algorithm})"

    def private_pem(self) -> bytes:
        """The key as unencrypted PKCS 8, for a library that takes nothing else; never to be stored."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, data: bytes) -> bytes:
        """Signature over ``data``; ECDSA as r ‖ s."""
        key = self._key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            size = _CURVES[key.curve.name][1]
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(_HASHES[self.algorithm])))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, _PSS, hashes.SHA256())
        return key.sign(data)


def _algorithm(key: PrivateKey) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name][0]
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise ConfigurationError(
        "signer.unsupported-key",
        "C2PA signs with P-256, P-384, P-521, Ed25519 or RSA of at least 2048 bits",
        hint="guard keys renew makes one",
    )


def _self_test(signer: PemSigner) -> None:
    """One signature checked against the certificate; the library would sign an invalid file."""
    data = b"mediaguard signer self-test"
    try:
        fits = _verifies(signer, signer.sign(data), data)
    except (InvalidSignature, ValueError, KeyError):
        fits = False
    if not fits:
        raise ConfigurationError(
            "signer.key-mismatch",
            "the private key does not belong to the certificate",
            hint="use the key the certificate was issued for; guard keys list shows its fingerprint",
        )


def _verifies(signer: PemSigner, signature: bytes, data: bytes) -> bool:
    """Whether the certificate's key verifies; raises for a signature that does not."""
    public = signer.leaf.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        half = len(signature) // 2
        pair = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        public.verify(encode_dss_signature(*pair), data, ec.ECDSA(_HASHES[signer.algorithm]))
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, data, _PSS, hashes.SHA256())
    elif isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signature, data)
    else:
        return False
    return True
