"""One fetch of a published registry into a folder of its own, under limits, checked before it counts."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.files import disk_errors
from provenance.registry_check import Checked, check
from provenance.registry_head import MOST_SUMS, checked_listing
from provenance.registry_layout import SNAPSHOT, SUMS, unreadable
from provenance.registry_published import PublishedRegistry
from provenance.registry_source import over_limit
from provenance.registry_staging import file_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from provenance.manifest.trust import TrustLists
    from provenance.registry_pin import Offer
    from provenance.registry_source import FetchLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One under its limits.

    Attributes:
        offer: the head of what is fetched.
        limits: bytes, files, seconds.
        clock: seconds that never go back.
        ends: when the time is over, by ``clock``.
        trust, at: as ``check``.
    """

    offer: Offer
    limits: FetchLimits
    clock: Callable[[], float]
    ends: float
    trust: TrustLists
    at: datetime

    @classmethod
    def begin(
        cls, offer: Offer, limits: FetchLimits, clock: Callable[[], float], *, trust: TrustLists, at: datetime
    ) -> Fetch:
        """Time runs from now on."""
        ends = clock() + limits.seconds
        return cls(offer=offer, limits=limits, clock=clock, ends=ends, trust=trust, at=at)

    def tick(self) -> None:
        """Raises ``registry.over-limit`` when the time is over."""
        if self.clock() > self.ends:
            raise over_limit(self.offer.source.where, f"it took longer than {self.limits.seconds:g} s")

    def take(self, folder: Path, before: Path | None, known: Sequence[bytes]) -> Checked:
        """Copy what is offered into ``folder`` and check it; the folder is gone again where that fails.

        Args:
            folder: made here.
            before: a copy of an earlier state, whose files are not fetched again; None: there is none.
            known: checkpoints of the log that were seen before.

        Raises:
            InputError: ``registry.over-limit``.
            IntegrityError: as ``check``.
            ConfigurationError: ``registry.fetch-failed``, ``disk.…``.
        """
        try:
            self._copy(folder, before)
            opened = PublishedRegistry.open(folder, name=folder.parent.name, publisher=self.offer.publisher)
            return check(opened, trust=self.trust, at=self.at, known=tuple(known), tick=self.tick)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _copy(self, folder: Path, before: Path | None) -> None:
        source, snapshot = self.offer.source, self.offer.snapshot
        if snapshot.files > self.limits.most_files:
            raise over_limit(source.where, f"it has {snapshot.files:,} files")
        listing = source.read(SUMS, min(MOST_SUMS, self.limits.most_bytes))
        left = self.limits.most_bytes - len(listing)
        with disk_errors(folder):
            for path, digest in checked_listing(listing, snapshot).items():
                self.tick()
                left -= self._file(folder / path, path, digest, before, left)
            (folder / SUMS).write_bytes(listing)
            (folder / SNAPSHOT).write_bytes(self.offer.note)

    def _file(self, place: Path, path: str, digest: str, before: Path | None, left: int) -> int:
        """How many bytes were fetched."""
        place.parent.mkdir(parents=True, exist_ok=True)
        if before is not None and file_digest(before / path) == digest:
            os.link(before / path, place)
            return 0
        data = self.offer.source.read(path, max(0, left))
        if hashlib.sha256(data).hexdigest() != digest:
            raise unreadable(path, "it is not what its publisher signed")
        place.write_bytes(data)
        return len(data)
