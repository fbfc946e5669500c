"""Where the signing key of an installation is, as ``[signer]`` of its settings says, and how it is reached.

The certificate chain always lies in ``keys/signing/chain.pem``: it is public, and verdicts are about it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guard.identities import CHAIN, KEY
from provenance.errors import ConfigurationError
from provenance.manifest.identity import check_validity, load_signer
from provenance.manifest.key_files import read_pem
from provenance.manifest.revocation import refuse_revoked
from provenance.manifest.signers import leaf_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from guard.config import SignerConfig
    from guard.home import Home
    from provenance.manifest.callback import CallbackSigner
    from provenance.manifest.signers import Signer


ELSEWHERE = ("pkcs11", "command")
"""Kinds of signer that have a chain here and no key."""


def open_signer(
    home: Home, secret: Callable[[], bytes] | None = None, *, now: datetime | None = None
) -> Signer:
    """The signer of ``home``; nothing is signed with a certificate that is revoked or not valid.

    Args:
        home: whose.
        secret: gives the passphrase of a key file or the PIN of a token; called where one is needed.
        now: time at which the certificate has to be valid; None for the present.

    Raises:
        ConfigurationError: as ``load_signer``, ``Pkcs11Signer``, ``CommandSigner``; ``signer.revoked``;
            ``timestamp.bad-authority``; ``signer.elsewhere`` where a signer process has the key.
    """
    config = home.config()
    signer = _signer(home, config.signer, secret, now)
    refuse_revoked(signer.chain, home.trust().revoked)
    stamper = config.timestamp.stamper()
    if stamper is None:
        return signer
    from provenance.manifest.timestamps import StampedSigner  # noqa: PLC0415 - where one is asked for

    return StampedSigner(signer=signer, stamper=stamper)


def _signer(
    home: Home, config: SignerConfig, secret: Callable[[], bytes] | None, now: datetime | None
) -> Signer:
    folder = home.signing_folder
    if config.kind == "file":
        return load_signer(folder / CHAIN, folder / KEY, passphrase=secret, now=now)
    if config.kind == "socket":
        raise key_elsewhere(config)
    chain = read_pem(folder / CHAIN, "signer.chain-missing", "the certificate chain")
    check_validity(leaf_of(chain), now or datetime.now(UTC))
    return reach_signer(chain, config, secret)


def reach_signer(
    chain: bytes, config: SignerConfig, secret: Callable[[], bytes] | None = None
) -> CallbackSigner:
    """A signer whose key is on a token or behind a program; nothing is asked of it yet."""
    if config.kind == "command":
        from provenance.manifest.command import CommandSigner  # noqa: PLC0415

        return CommandSigner(chain=chain, command=config.command, timeout_s=config.timeout_s)
    from provenance.manifest.pkcs11 import Pkcs11Signer, TokenKey  # noqa: PLC0415

    key = TokenKey(module=config.module, token=config.token, key=config.key)
    return Pkcs11Signer(chain=chain, key=key, pin=secret)


def key_elsewhere(config: SignerConfig) -> ConfigurationError:
    """The error for what only the signer process can do."""
    return ConfigurationError(
        "signer.elsewhere",
        "the signing key of this installation is that of its signer process",
        where=config.socket,
        hint="run the command as the signer's user, with its GUARD_HOME",
    )
