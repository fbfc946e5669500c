"""Private keys in PEM files: read, opened where encrypted, refused where others may read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.manifest.signers import PrivateKey

Passphrase = Callable[[], bytes]
_MAX_PEM = 1 << 20
_ENCRYPTED = b"ENCRYPTED"
"""In the first lines of every PEM file with an encrypted key, PKCS 8 or older."""


def load_private_key(path: Path, passphrase: Passphrase | None = None) -> PrivateKey:
    """The private key in the file ``path``.

    Args:
        passphrase: called only when the key is encrypted.

    Raises:
        ConfigurationError: ``signer.key-missing``, ``signer.key-exposed``, ``signer.passphrase-needed``,
            ``signer.passphrase-wrong``, ``signer.bad-key``, ``signer.unsupported-key``.
    """
    key = _opened(read_pem(path, "signer.key-missing", "the private key"), passphrase, path)
    _check_mode(path)
    return key


def is_encrypted(key_path: Path) -> bool:
    """Whether the private key asks for a passphrase.

    Raises:
        ConfigurationError: ``signer.key-missing``.
    """
    return _ENCRYPTED in read_pem(key_path, "signer.key-missing", "the private key")


def require_passphrase(key_path: Path, passphrase: Passphrase) -> None:
    """``passphrase``, called only when the private key is encrypted, opens it.

    Raises:
        ConfigurationError: ``signer.key-missing``, ``signer.passphrase-wrong``.
    """
    if is_encrypted(key_path):
        _opened(read_pem(key_path, "signer.key-missing", "the private key"), passphrase, key_path)


def read_pem(path: Path, code: str, what: str) -> bytes:
    """The bytes of a PEM file.

    Raises:
        ConfigurationError: ``code``; ``what`` cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_MAX_PEM)
    except OSError as error:
        raise ConfigurationError(
            code,
            f"{what} cannot be read: {error.strerror}",
            where=str(path),
            hint="restore it from a copy, or guard keys renew makes another development identity",
        ) from error


def _check_mode(path: Path) -> None:
    # Windows keeps access in lists that the mode bits do not show.
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(
            "signer.key-exposed",
            "the private key can be read by other users of this machine",
            where=str(path),
            hint=f"chmod 600 {path.name}, and consider the key known to those users",
        )


def _opened(pem: bytes, passphrase: Passphrase | None, path: Path) -> PrivateKey:
    encrypted = _ENCRYPTED in pem
    if encrypted and passphrase is None:
        raise ConfigurationError("signer.passphrase-needed", "the private key is encrypted", where=str(path))
    secret = passphrase() if encrypted and passphrase is not None else None
    try:
        key = load_pem_private_key(pem, secret)
    except (ValueError, TypeError) as error:
        if encrypted:
            raise ConfigurationError(
                "signer.passphrase-wrong",
                "the passphrase does not open the private key",
                where=str(path),
                hint="if it is lost: move that folder away, and guard keys renew makes another identity",
            ) from error
        raise ConfigurationError(
            "signer.bad-key", "the private key cannot be read as PEM", where=str(path)
        ) from error
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise ConfigurationError(
        "signer.unsupported-key", "C2PA cannot sign with this kind of key", where=str(path)
    )
