"""The home folder: one installation's keys, trust, log, registry and private records.

Nothing in here is created by reading it; ``guard init`` makes it and never overwrites. What lies
where says ``guard.home_layout``.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from guard.home_layout import Layout
from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guard.config import Config
    from guard.records import Records
    from provenance.keys import PrivateMarkKey
    from provenance.log.store import Log
    from provenance.manifest.signers import Signer
    from provenance.manifest.trust import TrustLists
    from provenance.registry import Registry
    from provenance.registry_database import Access
    from provenance.watermark.interface import WatermarkKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Home(Layout):
    """Where everything of this installation lies, and how each part is opened."""

    @classmethod
    def locate(cls, environment: Mapping[str, str] | None = None) -> Home:
        """``GUARD_HOME`` where set, else the platform's data folder. Touches nothing."""
        chosen = (os.environ if environment is None else environment).get("GUARD_HOME")
        if chosen:
            return cls(folder=Path(chosen).expanduser().absolute())
        from platformdirs import user_data_path  # noqa: PLC0415 - only when no home is named

        return cls(folder=user_data_path("mediaguard"))

    def exists(self) -> bool:
        """True once ``guard init`` has finished here; ``home.unusable`` where nobody may look."""
        with _looking_into(self.folder):
            return self.config_path.is_file()

    def require(self) -> Home:
        """This home, if it has been made.

        Raises:
            ConfigurationError: ``home.missing``.
        """
        if not self.exists():
            raise ConfigurationError(
                "home.missing",
                "this installation has no keys, log or registry yet",
                where=str(self.folder),
                hint="guard init",
            )
        return self

    def config(self) -> Config:
        """The settings; defaults where the file or a key is absent.

        Raises:
            ConfigurationError: ``config.invalid`` for bad TOML, unknown keys, wrong types; ``home.unusable``.
        """
        from guard.config import Config, read_config  # noqa: PLC0415 - verify does without the settings

        if not self.exists():
            return Config()
        with _looking_into(self.config_path):
            return read_config(self.config_path)

    def signer(self, passphrase: Callable[[], bytes] | None = None) -> Signer:
        """The identity that signs manifests, wherever the settings say that its key is.

        Raises:
            ConfigurationError: as ``guard.signing_keys.open_signer``.
        """
        from guard.signing_keys import open_signer  # noqa: PLC0415 - loads cryptography

        return open_signer(self, passphrase)

    def is_protected(self) -> bool:
        """Whether the signing key asks for a passphrase; False where there is none.

        Raises:
            ConfigurationError: ``signer.key-missing`` when it cannot be read.
        """
        from provenance.manifest.key_files import is_encrypted  # noqa: PLC0415

        key = self.signing_folder / "key.pem"
        return key.exists() and is_encrypted(key)

    def locator(self) -> WatermarkKey:
        """The key that marks are written with, and found as with the others of ``locators``."""
        from provenance.keys import load_locator_key  # noqa: PLC0415

        return load_locator_key(self.locator_path)

    def locators(self) -> tuple[WatermarkKey, ...]:
        """Every key that marks are found with: the one in force, then earlier epochs, newest first."""
        from provenance.key_ring import locator_ring  # noqa: PLC0415

        return locator_ring(self.locator_path)

    def private_mark(self) -> PrivateMarkKey:
        """The key that the private layer of marks is written with.

        Raises:
            ConfigurationError: ``key.missing`` where the operator made none, among others.
        """
        from provenance.keys import load_private_mark_key  # noqa: PLC0415

        path = self.private_mark_path
        if not path.exists():
            what, hint = "this installation has no private mark key", "guard keys new --private-mark"
            raise ConfigurationError("key.missing", what, where=str(path), hint=hint)
        return load_private_mark_key(path)

    def private_marks(self) -> tuple[PrivateMarkKey, ...]:
        """Keys of the private layer, the one in force first; empty where there is none."""
        from provenance.key_ring import private_mark_ring  # noqa: PLC0415

        return private_mark_ring(self.private_mark_path)

    def trust(self) -> TrustLists:
        """The lists of this installation; empty when there is no home, so that verify works anywhere.

        Raises:
            ConfigurationError: ``home.unusable`` where they may not be looked into.
            IntegrityError: as ``load_trust``.
        """
        from provenance.manifest.trust import TrustLists, load_trust  # noqa: PLC0415

        with _looking_into(self.trust_folder):
            return load_trust(self.trust_folder) if self.trust_folder.is_dir() else TrustLists()

    def require_own_keys(self) -> None:
        """Keys, log and registry are here, or belong here.

        Raises:
            ConfigurationError: ``signer.elsewhere`` where the settings name a signer process.
        """
        if self.config().signer.kind == "socket":
            from guard.tools import keys_elsewhere  # noqa: PLC0415 - tools open homes

            raise keys_elsewhere()

    def log(self) -> Log:
        """The transparency log, with its key."""
        self.require_own_keys()
        from provenance.keys import load_log_key  # noqa: PLC0415
        from provenance.log.store import Log  # noqa: PLC0415

        signer = load_log_key(self.log_key_path)
        return Log.open(self.log_folder, signer.verifier, signer=signer)

    def log_as_found(self) -> Log:
        """The log for reading, exactly as it lies there: opening it for writing would mend a torn tail."""
        self.require_own_keys()
        from provenance.keys import load_log_key  # noqa: PLC0415
        from provenance.log.store import Log  # noqa: PLC0415

        return Log(folder=self.log_folder, verifier=load_log_key(self.log_key_path).verifier)

    def has_log(self) -> bool:
        """Whether there is one. Making it was interrupted where its folder has no checkpoint."""
        from provenance.log.writing import CHECKPOINT  # noqa: PLC0415

        return (self.log_folder / CHECKPOINT).exists()

    def has_registry(self) -> bool:
        """Whether there is one. Making it was interrupted where its file is empty."""
        if self.config().registry.url:
            return self._has_served_registry()
        return self.registry_path.exists() and self.registry_path.stat().st_size > 0

    def registry(self) -> Registry:
        """The store from mark to manifest."""
        return self.open_registry("write")

    def registry_as_found(self) -> Registry:
        """The same for reading; changes nothing in it."""
        return self.open_registry("read")

    def open_registry(self, access: Access) -> Registry:
        """The same with any access; ``"create"`` makes it.

        Raises:
            As ``provenance.registry.Registry.open`` and ``connect``.
        """
        self.require_own_keys()
        from provenance.registry import Registry  # noqa: PLC0415

        url = self.config().registry.url
        return (
            Registry.connect(url, access=access) if url else Registry.open(self.registry_path, access=access)
        )

    def _has_served_registry(self) -> bool:
        try:
            self.registry_as_found().close()
        except ConfigurationError as error:
            if error.code != "registry.missing":
                raise
            return False
        return True

    def records(self) -> Records:
        """The private records.

        Raises:
            ConfigurationError: ``records.missing``.
        """
        from guard.records import Records  # noqa: PLC0415

        if not self.records_folder.is_dir():
            raise ConfigurationError(
                "records.missing",
                "the folder of private records does not exist",
                where=str(self.records_folder),
                hint="restore it from a backup; guard init makes an empty one",
            )
        return Records(folder=self.records_folder)


@contextmanager
def _looking_into(path: Path) -> Iterator[None]:
    """What the system refuses to open is a matter of permissions, and no bug: ``home.unusable``."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            "home.unusable",
            f"the home folder cannot be read: {error.strerror or type(error).__name__}",
            where=str(path),
            hint="mend its permissions, or set GUARD_HOME to a folder of yours",
        ) from error
