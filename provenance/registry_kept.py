"""Copies of other publishers' registries, kept below one folder, each verified before it counts.

::

    NAME/kept.json, NAME/pin.json    what is known of it (``provenance.registry_state``)
    NAME/copy-…                      the state that is kept
    NAME/.new-copy-…                 one that is being fetched, and counts for nothing

The first copy pins the publisher's key: whoever adds a registry compares its fingerprint with what the
publisher says elsewhere. Later copies must be signed with that key, carry a higher number, and bring a log
that extends the one before: no mirror puts an old state back, and no publisher rewrites history, unnoticed.

Each copy stands alone: what is damaged of one is told where that one is asked, and blocks no other.
"""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provenance.errors import Error, InputError, IntegrityError
from provenance.files import disk_errors
from provenance.locks import locked
from provenance.log.checkpoint import NoteVerifier
from provenance.registry_before import Before, checkpoint_of, checkpoints_below
from provenance.registry_fetch import Fetch
from provenance.registry_head import MOST_HEAD
from provenance.registry_layout import VKEY
from provenance.registry_pin import Offer, is_newer, is_of_key, require_not_older
from provenance.registry_published import PublishedRegistry, raw_file
from provenance.registry_snapshot import parse_vkey
from provenance.registry_state import (
    ARRIVING,
    COPIES,
    Kept,
    Pin,
    finish_taking_in,
    is_added,
    keep_pin,
    pin_lost,
    read_kept,
    read_pin,
    take_in,
    write_state,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from provenance.manifest.trust import TrustLists
    from provenance.registry_check import Checked
    from provenance.registry_source import FetchLimits, Source

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What adding or updating did.

    Attributes:
        kept: as it stands now.
        new: whether the copy is another than before.
        checked: what the check of the new copy found; None where nothing was new.
        known: whether it had been added before.
        mended: whether what was known of it had been damaged.
        not_compared: copies that are damaged: whether they hold a later state, or another history, nobody
            looked.
    """

    kept: Kept
    new: bool
    checked: Checked | None
    known: bool
    mended: bool = False
    not_compared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRegistries:
    """The registries below ``folder``, which need not exist."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """In alphabetical order, damaged ones included."""
        found = (place for place in self.folder.glob("*") if _NAME.fullmatch(place.name))
        return tuple(sorted(place.name for place in found if is_added(place)))

    def get(self, name: str) -> Kept:
        """One of them.

        Raises:
            InputError: ``registry.unknown``.
            IntegrityError: ``registry.published-damaged``.
        """
        return read_kept(self._known(name))

    def pin(self, name: str) -> Pin | None:
        """Source, key and number of one, also where the rest is damaged; None where these are lost too."""
        place = self._known(name)
        try:
            return read_kept(place).pin
        except IntegrityError:
            return read_pin(place)

    def keys_in(self, name: str) -> tuple[str, ...]:
        """Keys that lie in its copies, in text form: hints where it is damaged, and no more than that."""
        found = []
        for copy in sorted(self._known(name).glob(COPIES)):
            with suppress(Error):
                found.append(str(parse_vkey(raw_file(copy, VKEY, MOST_HEAD))))
        return tuple(found)

    def source(self, name: str) -> str:
        """Where to fetch one from, also where the rest is damaged.

        Raises:
            InputError: ``registry.unknown``.
            IntegrityError: ``registry.pin-lost``.
        """
        pin = self.pin(name)
        if pin is not None:
            return pin.source
        try:
            return self.get(name).source
        except IntegrityError as error:
            raise pin_lost(name, error) from error

    def open(self, name: str) -> PublishedRegistry:
        """The copy of one; raises as ``get`` and ``PublishedRegistry.open``."""
        kept = self.get(name)
        return PublishedRegistry.open(
            self.folder / name / kept.copy, name=name, publisher=NoteVerifier.parse(kept.publisher)
        )

    def remove(self, name: str) -> None:
        """Forget one, its pinned key included, whatever is damaged of it; raises ``registry.unknown``."""
        place = self._known(name)
        with disk_errors(self.folder), locked(place / ".lock"):
            # Under a name that no registry has: from here on it is gone, also where deleting is interrupted.
            gone = place.rename(self.folder / f".gone-{secrets.token_hex(8)}")
        for left in (gone, *self.folder.glob(".gone-*")):
            shutil.rmtree(left, ignore_errors=True)

    def fetch(
        self,
        source: Source,
        *,
        name: str | None,
        key: str | None = None,
        trust: TrustLists,
        at: datetime,
        limits: FetchLimits,
        clock: Callable[[], float],
    ) -> Fetched:
        """Add the registry of ``source``, or bring the copy of it up to date, or mend what is damaged of it.

        1. its head, signed with the key that is pinned here or was asked for
        2. never an older state than any copy of that key
        3. every file is copied and checked, and its log extends those that are known
        4. the new copy counts

        Args:
            source: read from there.
            name: of a new or a known one; None: after the publisher's log.
            key: fingerprint of the publisher's key, as said elsewhere; needed where the pin was lost.
            trust: lists that signers are held against while counting.
            at, limits: now; bytes, files, seconds.
            clock: seconds that never go back.

        Raises:
            InputError: ``registry.not-published``, ``registry.over-limit``, ``registry.name``.
            IntegrityError: ``registry.rolled-back``, ``registry.key-changed``, ``registry.pin-lost``,
                ``registry.published-…``.
            ConfigurationError: ``registry.fetch-failed``, ``disk.…``, ``lock.timeout``.
        """
        offer = Offer.of(source, key)
        place = self.folder / _checked_name(name or _default_name(offer.publisher.name))
        with disk_errors(self.folder):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        fetch = Fetch.begin(offer, limits, clock, trust=trust, at=at)
        with locked(place / ".lock"):
            return self._brought(place, fetch, asked=key is not None)

    def _brought(self, place: Path, fetch: Fetch, *, asked: bool) -> Fetched:
        with disk_errors(place):
            finish_taking_in(place)
        before = Before.of(place, fetch.offer, asked=asked)  # (1)
        newer = before.pin is None or is_newer(fetch.offer, before.pin, place.name)
        others, unread = self._others(place.name)
        for other, pin in others.items():
            require_not_older(fetch.offer, pin, other)  # (2)
        if not newer and before.damage is None and self._is_whole(place.name):
            before_it = self.get(place.name)
            # Whoever shows the same state is asked from now on: the one before may have begun to hide some.
            kept = replace(before_it, source=fetch.offer.source.where)
            (keep_pin if kept == before_it else write_state)(place, kept)
            return Fetched(kept=kept, new=False, checked=None, known=True, not_compared=unread)
        known = () if before.copy is None else checkpoint_of(before.copy, fetch.offer.publisher)
        if before.known and not known:
            unread = (*unread, place.name)
        same_key = [
            self.folder / other for other, pin in others.items() if is_of_key(pin, fetch.offer.publisher)
        ]
        theirs, silent = checkpoints_below(same_key, fetch.offer.publisher)
        known, unread = (*known, *theirs), tuple(sorted({*unread, *silent}))
        kept, checked = self._taken(place, fetch, before, known)
        return Fetched(
            kept=kept,
            new=True,
            checked=checked,
            known=before.known,
            mended=before.damage is not None,
            not_compared=unread,
        )

    def _taken(
        self, place: Path, fetch: Fetch, before: Before, known: tuple[bytes, ...]
    ) -> tuple[Kept, Checked]:
        copy = place / f"copy-{fetch.offer.snapshot.sequence}-{secrets.token_hex(4)}"
        arriving = place / f"{ARRIVING}{copy.name}"
        try:
            checked = fetch.take(arriving, before.copy, known)  # (3)
        except BaseException:
            if not before.known:
                shutil.rmtree(place, ignore_errors=True)
            raise
        kept = _described(fetch, copy)
        with disk_errors(place):
            take_in(place, kept, arriving, first=not before.known)  # (4)
            for left in (*place.glob(COPIES), *place.glob(f"{ARRIVING}*")):
                if left.name != kept.copy:
                    shutil.rmtree(left, ignore_errors=True)
        return kept, checked

    def _is_whole(self, name: str) -> bool:
        """Whether every file of the copy is what was signed; a copy that is not is fetched again."""
        try:
            copy = self.open(name)
            for path in copy.sums:
                copy.check(path)
        except (InputError, IntegrityError):
            return False
        return True

    def _others(self, name: str) -> tuple[dict[str, Pin], tuple[str, ...]]:
        """What is known of the other registries, and names of those of which nothing is."""
        pins = {other: self.pin(other) for other in self.names() if other != name}
        lost = tuple(other for other, pin in pins.items() if pin is None)
        return {other: pin for other, pin in pins.items() if pin is not None}, lost

    def _known(self, name: str) -> Path:
        if _checked_name(name) not in self.names():
            known = ", ".join(self.names()) or "none"
            what = f"there is no added registry {name!r}; there is {known}"
            raise InputError("registry.unknown", what, hint="guard registry list")
        return self.folder / name


def _described(fetch: Fetch, folder: Path) -> Kept:
    offer = fetch.offer
    return Kept(
        name=folder.parent.name,
        source=offer.source.where,
        publisher=str(offer.publisher),
        copy=folder.name,
        sequence=offer.snapshot.sequence,
        snapshot_sha256=offer.sha256,
        published_at=offer.snapshot.time,
        fetched_at=int(fetch.at.timestamp()),
    )


def _default_name(origin: str) -> str:
    """The last part of the log's name, as far as it can name a folder."""
    cleaned = re.sub(r"[^a-z0-9._-]", "-", origin.rstrip("/").rpartition("/")[2].lower()).lstrip("._-")
    return cleaned[:40] or "registry"


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        what = "a registry is named with 1 to 40 of a-z, 0-9, point, dash and underscore"
        raise InputError("registry.name", what, hint="guard registry add --name")
    return name
