"""Everything a release needs from outside, handed in as values: packs, marker, signer, log, clock.

Flows take ``Tools`` and never reach for a key, a file or the time themselves, so tests pass their own
and what runs in production is written down in one place (``assemble``).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from guard.clock import utc_now
from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from guard.attestor import Attestor
    from guard.home import Home
    from guard.policy.pack import Pack
    from guard.records import Records
    from guard.signer.client import RemoteAttestor
    from provenance.evidence import Evidence
    from provenance.keys import PrivateMarkKey
    from provenance.log.store import Log
    from provenance.manifest.signers import Signer
    from provenance.manifest.trust import TrustLists
    from provenance.media import Frames
    from provenance.registry import Registry
    from provenance.registry_entry import Lookup
    from provenance.watermark.interface import Marked, WatermarkKey


class Marker(Protocol):
    """Writes and reads marks under one key."""

    @property
    def key(self) -> WatermarkKey:
        """The locator key; its id and epoch are stored with each content id."""
        ...

    @property
    def algorithm(self) -> str:
        """Name of the marking algorithm, as it will stand in the soft binding."""
        ...

    @property
    def minimum_side(self) -> int:
        """Shorter side in pixels below which no mark is tried."""
        ...

    def embed(self, frames: Frames, payload: bytes, *, target_db: float) -> Marked:
        """Mark ``frames``; see ``provenance.watermark.interface.embed``."""
        ...

    def detect(self, frames: Frames) -> Evidence:
        """Read the mark of ``frames``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMarker:
    """The tile watermark under one locator key, with the private layer where there is a key for it.

    Attributes:
        key: the locator key.
        private: key of the private layer; None: marks have none.
        private_number: the operator's own that the layer carries, 1 to 255; None: none.
    """

    key: WatermarkKey
    private: PrivateMarkKey | None = None
    private_number: int | None = None

    @property
    def algorithm(self) -> str:
        """See ``Marker``."""
        from provenance.watermark.interface import ALGORITHM  # noqa: PLC0415

        return ALGORITHM

    @property
    def minimum_side(self) -> int:
        """See ``Marker``."""
        from provenance.watermark.interface import minimum_size  # noqa: PLC0415

        return minimum_size()

    def embed(self, frames: Frames, payload: bytes, *, target_db: float = 42.0) -> Marked:
        """See ``Marker``."""
        if self.private is not None and len(frames.pixels) == 1:
            from provenance.watermark.private_embedding import embed_both  # noqa: PLC0415 - OpenCV

            return embed_both(
                frames, payload, self.key, self.private, number=self.private_number, target_db=target_db
            )
        from provenance.watermark.interface import embed  # noqa: PLC0415

        return embed(frames, payload, self.key, target_db=target_db)

    def detect(self, frames: Frames) -> Evidence:
        """See ``Marker``."""
        from provenance.watermark.interface import detect  # noqa: PLC0415

        return detect(frames, [self.key])


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """What signs and remembers; in one process with the rest, or in the signer's.

    Attributes:
        signer: signs manifests.
        registry: from mark to manifest.
        log: the transparency log.
    """

    signer: Signer
    registry: Registry
    log: Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a release works with.

    Attributes:
        packs: ``base`` first, then those in force.
        marker: writes and reads the mark.
        vault: signer, registry and log; None where another process has them.
        remote: asks that process; None where this one has the vault.
        trust: what the read-back is held against.
        records: private records.
        clock: the time, in UTC.
        random: n random bytes.
        inspectors: look at pixels before anything is written; none means "not checked".
        locators: keys that marks of earlier releases are looked for with, all epochs; empty: the marker's.
    """

    packs: Sequence[Pack]
    marker: Marker
    trust: TrustLists
    records: Records
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    inspectors: Sequence[Callable[[Frames], Evidence]] = ()
    locators: Sequence[WatermarkKey] = ()
    vault: Vault | None = None
    remote: RemoteAttestor | None = None

    @property
    def attestor(self) -> Attestor:
        """Whoever signs, logs and decides."""
        from guard.attestor import InProcess  # noqa: PLC0415 - the flows import this file

        return self.remote or InProcess(self)

    @property
    def signer(self) -> Signer:
        """Signs manifests.

        Raises:
            ConfigurationError: ``signer.elsewhere``, as the next.
        """
        return self._here.signer

    @property
    def log(self) -> Log:
        """The transparency log."""
        return self._here.log

    @property
    def registry(self) -> Registry:
        """From mark to manifest."""
        return self._here.registry

    @property
    def finder(self) -> Lookup:
        """Where manifests are looked up by mark, here or in the signer's registry."""
        return self.remote or self.registry

    @property
    def _here(self) -> Vault:
        if self.vault is None:
            raise keys_elsewhere()
        return self.vault


def keys_elsewhere() -> ConfigurationError:
    """The error for what only the signer process can do."""
    return ConfigurationError(
        "signer.elsewhere",
        "the keys, the log and the registry of this installation are those of its signer process",
        hint="run the command as the signer's user, with its GUARD_HOME",
    )


def assemble(
    home: Home,
    *,
    policy: str | None = None,
    passphrase: Callable[[], bytes] | None = None,
    private_number: int | None = None,
) -> Tools:
    """The tools of an installation.

    Args:
        home: where its keys and stores are.
        policy: packs beside ``base``; None: those of its settings.
        passphrase: gives that of the signing key.
        private_number: goes into the private layer of every mark; this installation needs a key for it.

    Raises:
        ConfigurationError: the home or one of its parts is missing or unusable.
        IntegrityError: ``log.behind-registry``, ``registry.behind-log`` when the missing part was filled,
            ``key.not-of-registry`` when the registry was filled under another locator key.
    """
    from guard.agreement import require_locator, require_whole  # noqa: PLC0415 - cryptography
    from guard.policy.pack import load_packs  # noqa: PLC0415 - YAML

    require_whole(home.require())
    require_locator(home)
    settings, locators = home.config(), home.locators()
    private = next(iter(home.private_marks()), None) if private_number is None else home.private_mark()
    marker = TileMarker(key=locators[0], private=private, private_number=private_number)
    elsewhere = settings.signer.kind == "socket"
    return Tools(
        packs=load_packs(settings.policy if policy is None else policy),
        marker=marker,
        vault=None if elsewhere else _vault(home, passphrase),
        remote=_remote(home, Path(settings.signer.socket), marker) if elsewhere else None,
        trust=home.trust(),
        records=home.records(),
        clock=utc_now,
        random=secrets.token_bytes,
        locators=locators,
    )


def _vault(home: Home, passphrase: Callable[[], bytes] | None) -> Vault:
    """What this process signs and remembers with."""
    from provenance.log.group import shared  # noqa: PLC0415 - cryptography

    log = shared(home.log())  # a signer process serves many at a time
    return Vault(signer=home.signer(passphrase), registry=home.registry(), log=log)


def _remote(home: Home, socket: Path, marker: Marker) -> RemoteAttestor:
    """The signer process that the settings name; nothing is asked of it yet."""
    from guard.signer.client import RemoteAttestor  # noqa: PLC0415 - only where keys are elsewhere

    return RemoteAttestor(path=socket, marker=marker, trust=home.trust(), clock=utc_now)
