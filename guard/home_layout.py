"""What lies where in a home folder.

::

    config.toml       defaults; written commented, read here
    keys/signing/     signing key (0600), certificate chain, issuing root's certificate
    keys/signing-until-*  earlier identities
    keys/requested/   a key that waits for its certificate (guard keys csr, import)
    keys/log.pem      key of the transparency log
    keys/locator.json key of the watermark: its own, made to be handed out with a registry
    keys/locator-earlier/  its earlier epochs, which still find the marks made with them
    keys/private-mark.json  key of the private layer of marks, if wanted; its earlier epochs beside it
    trust/            lists of certificates this installation trusts
    log/              the transparency log
    registry.sqlite   from mark to manifest, unless config.toml names a server
    registries/       verified copies of other publishers' registries
    withdrawn.json    what was recalled
    records/          what stays private: prompts, recipes, commitment keys (0600)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The paths in ``folder``; none of them need exist."""

    folder: Path

    @property
    def config_path(self) -> Path:
        """The commented settings file."""
        return self.folder / "config.toml"

    @property
    def signing_folder(self) -> Path:
        """Signing key, chain and issuing root."""
        return self.folder / "keys" / "signing"

    @property
    def requested_folder(self) -> Path:
        """A key that waits for its certificate, and the request for one."""
        return self.folder / "keys" / "requested"

    @property
    def log_key_path(self) -> Path:
        """Ed25519 key that signs checkpoints of the log."""
        return self.folder / "keys" / "log.pem"

    @property
    def locator_path(self) -> Path:
        """Key of the watermark."""
        return self.folder / "keys" / "locator.json"

    @property
    def private_mark_path(self) -> Path:
        """Key of the private layer of marks; there only where the operator made one."""
        return self.folder / "keys" / "private-mark.json"

    @property
    def trust_folder(self) -> Path:
        """Lists of trusted certificates."""
        return self.folder / "trust"

    @property
    def log_folder(self) -> Path:
        """The transparency log."""
        return self.folder / "log"

    @property
    def registry_path(self) -> Path:
        """From mark to manifest."""
        return self.folder / "registry.sqlite"

    @property
    def registries_folder(self) -> Path:
        """Verified copies of other publishers' registries."""
        return self.folder / "registries"

    @property
    def records_folder(self) -> Path:
        """Private records, one a release."""
        return self.folder / "records"
