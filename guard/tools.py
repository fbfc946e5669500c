"""Everything a release needs from outside, handed in as values: packs, marker, signer, log, clock.

Flows take ``Tools`` and never reach for a key, a file or the time themselves, so tests pass their own
and what runs in production is written down in one place (``assemble``).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from guard.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from guard.home import Home
    from guard.policy.pack import Pack
    from guard.records import Records
    from provenance.evidence import Evidence
    from provenance.keys import PrivateMarkKey
    from provenance.log.store import Log
    from provenance.manifest.signers import Signer
    from provenance.manifest.trust import TrustLists
    from provenance.media import Frames
    from provenance.registry import Registry
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
class Tools:
    """What a release works with.

    Attributes:
        packs: ``base`` first, then those in force.
        marker: writes and reads the mark.
        signer: signs manifests.
        trust: what the read-back is held against.
        registry: from mark to manifest.
        log: the transparency log.
        records: private records.
        clock: the time, in UTC.
        random: n random bytes.
        inspectors: look at pixels before anything is written; none means "not checked".
        locators: keys that marks of earlier releases are looked for with, all epochs; empty: the marker's.
    """

    packs: Sequence[Pack]
    marker: Marker
    signer: Signer
    trust: TrustLists
    registry: Registry
    log: Log
    records: Records
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    inspectors: Sequence[Callable[[Frames], Evidence]] = ()
    locators: Sequence[WatermarkKey] = ()


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
    locators = home.locators()
    private = next(iter(home.private_marks()), None) if private_number is None else home.private_mark()
    return Tools(
        packs=load_packs(home.config().policy if policy is None else policy),
        marker=TileMarker(key=locators[0], private=private, private_number=private_number),
        signer=home.signer(passphrase),
        trust=home.trust(),
        registry=home.registry(),
        log=home.log(),
        records=home.records(),
        clock=utc_now,
        random=secrets.token_bytes,
        locators=locators,
    )
