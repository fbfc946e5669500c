"""Signers: something that has a certificate chain and signs bytes; the key may live anywhere.

``PemSigner`` has its key in memory, ``provenance.manifest.callback.CallbackSigner`` calls whoever has it.
A token (PKCS 11), a key service or another process is one more class with these three members: nothing
that signs asks for more, and nothing that it raises is swallowed.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provenance.errors import ConfigurationError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_CURVES = {"secp256r1": ("es256", 32), "secp384r1": ("es384", 48), "secp521r1": ("es512", 66)}
CURVE_BYTES = dict(_CURVES.values())
"""ECDSA algorithm → bytes of r and of s."""
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "es256": hashes.SHA256(),
    "es384": hashes.SHA384(),
    "es512": hashes.SHA512(),
    "ps256": hashes.SHA256(),
}
SELF_TEST = b"mediaguard signer self-test"
"""Signed to see whether key and certificate belong together, before anything that matters is."""
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
        self.leaf = leaf_of(chain)
        self._key = key
        self.chain = chain
        self.algorithm = algorithm_of(key)
        require_fit(self, self.leaf)

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
            return as_raw(key.sign(data, ec.ECDSA(_HASHES[self.algorithm])), self.algorithm)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, _PSS, hashes.SHA256())
        return key.sign(data)


def algorithm_of(key: object) -> str:
    """The COSE algorithm that a key, private or public, signs claims with (C2PA §13.2.1).

    Raises:
        ConfigurationError: ``signer.unsupported-key``.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name][0]
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey):
        return "ed25519"
    raise ConfigurationError(
        "signer.unsupported-key",
        "C2PA signs with P-256, P-384, P-521, Ed25519 or RSA of at least 2048 bits",
        hint="guard keys new --signing makes one",
    )


def leaf_of(chain: bytes) -> x509.Certificate:
    """The first certificate of a PEM chain: the signer's.

    Raises:
        ConfigurationError: ``signer.bad-chain``.
    """
    try:
        return x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise ConfigurationError("signer.bad-chain", "the certificate chain cannot be read as PEM") from error


def require_fit(signer: Signer, leaf: x509.Certificate) -> None:
    """One signature checked against the certificate; the library would sign an invalid file.

    Raises:
        ConfigurationError: ``signer.key-mismatch``.
        Exception: whatever ``signer.sign`` raises, but for what says that key and certificate do not fit.
    """
    if not fits(leaf, signer.algorithm, signer.sign(SELF_TEST), SELF_TEST):
        raise mismatch()


def mismatch() -> ConfigurationError:
    """The error for a key that is not the certificate's."""
    return ConfigurationError(
        "signer.key-mismatch",
        "the private key does not belong to the certificate",
        hint="use the key the certificate was issued for; guard keys list shows its fingerprint",
    )


def fits(leaf: x509.Certificate, algorithm: str, signature: bytes, data: bytes) -> bool:
    """Whether ``signature`` over ``data`` verifies with the certificate's key; ECDSA as r ‖ s."""
    try:
        return _verifies(leaf, algorithm, signature, data)
    except (InvalidSignature, ValueError, KeyError, UnsupportedAlgorithm):
        return False


def as_raw(der: bytes, algorithm: str) -> bytes:
    """An ECDSA signature in DER, as key services and tokens give it, as r ‖ s (RFC 9053 §2.1).

    Raises:
        ValueError: it is none, or not of a curve of this size.
    """
    size = CURVE_BYTES[algorithm]
    r, s = decode_dss_signature(der)
    try:
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except OverflowError as error:
        raise ValueError("the numbers of the signature are too large for the curve") from error


def _verifies(leaf: x509.Certificate, algorithm: str, signature: bytes, data: bytes) -> bool:
    """Whether the certificate's key verifies; raises for a signature that does not."""
    public = leaf.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        half = _CURVES[public.curve.name][1]
        if algorithm_of(public) != algorithm or len(signature) != 2 * half:
            return False
        pair = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        public.verify(encode_dss_signature(*pair), data, ec.ECDSA(_HASHES[algorithm]))
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, data, _PSS, hashes.SHA256())
    elif isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signature, data)
    else:
        return False
    return True
