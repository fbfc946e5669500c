"""What is here of a registry before it is fetched again, and what of that is left where it is damaged."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import Error, InputError, IntegrityError
from provenance.files import read_bounded
from provenance.log.checkpoint import MOST_NOTE_BYTES, open_by_key
from provenance.log.writing import CHECKPOINT
from provenance.registry_head import MOST_HEAD
from provenance.registry_layout import LOG, SNAPSHOT
from provenance.registry_pin import is_of_key
from provenance.registry_published import PublishedRegistry
from provenance.registry_state import COPIES, Pin, is_added, pin_lost, read_kept, read_pin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from provenance.log.checkpoint import NoteVerifier
    from provenance.registry_pin import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What later states have to agree with.

    Attributes:
        pin: key, source and number; None: there is none yet.
        copy: the latest state, for its files and its log; None where none can be read.
        known: whether it was added before.
        damage: why what is known of it cannot be read; None: it can.
    """

    pin: Pin | None = None
    copy: Path | None = None
    known: bool = False
    damage: Error | None = None

    @classmethod
    def of(cls, place: Path, offer: Offer, *, asked: bool) -> Before:
        """That of the registry in the folder ``place``.

        Args:
            place: which need not hold any.
            offer: what would be fetched.
            asked: whether its key is one that was asked for; then it may take the place of a lost pin.

        Raises:
            InputError: ``registry.name`` where the offer is another publisher's, from elsewhere.
            IntegrityError: ``registry.pin-lost``.
        """
        if not is_added(place):
            return cls()
        try:
            kept = read_kept(place)
        except IntegrityError as damage:
            pin = read_pin(place)
            if pin is None and not asked:
                raise pin_lost(place.name, damage) from damage
            latest = _latest(place, offer.publisher)
            pin = pin or _pin_of(latest, offer.source.where)
            copy = None if latest is None else latest.folder
            found = cls(pin=pin, copy=copy, known=True, damage=damage)
        else:
            found = cls(pin=kept.pin, copy=place / kept.copy, known=True)
        pin, where = found.pin, offer.source.where
        if pin is not None and pin.source != where and not is_of_key(pin, offer.publisher):
            what = f"there is a registry {place.name!r} already, of another key, from {pin.source}"
            raise InputError("registry.name", what, hint="guard registry add --name with another name")
        return found


def checkpoint_of(copy: Path, publisher: NoteVerifier) -> tuple[bytes, ...]:
    """The head of its log; none where that cannot be read, or is not what the publisher's key signed."""
    try:
        note = read_bounded(copy / LOG / CHECKPOINT, most=MOST_NOTE_BYTES)
        open_by_key(note, publisher)
    except (InputError, IntegrityError):
        return ()
    return (note,)


def checkpoints_below(
    places: Iterable[Path], publisher: NoteVerifier
) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Of the logs of other copies with the publisher's key, whatever name they bear: it has one history.

    Returns:
        Those that can be read, of damaged copies too, since the key signed them; and names of the registries
        whose own cannot.
    """
    notes: list[bytes] = []
    silent: list[str] = []
    for place in places:
        for copy in sorted(place.glob(COPIES)):
            notes += checkpoint_of(copy, publisher)
        try:
            told = checkpoint_of(place / read_kept(place).copy, publisher)
        except IntegrityError:
            told = ()
        silent += () if told else (place.name,)
    return tuple(notes), tuple(silent)


def _latest(place: Path, publisher: NoteVerifier) -> PublishedRegistry | None:
    """The latest copy that is signed with the publisher's key, also of a fetch that was broken off."""
    found = []
    for copy in place.glob(COPIES):
        with suppress(Error):
            found.append(PublishedRegistry.open(copy, publisher=publisher))
    return max(found, key=lambda one: one.snapshot.sequence, default=None)


def _pin_of(copy: PublishedRegistry | None, source: str) -> Pin | None:
    if copy is None:
        return None
    head = read_bounded(copy.folder / SNAPSHOT, most=MOST_HEAD)
    return Pin(
        source=source,
        publisher=str(copy.publisher),
        sequence=copy.snapshot.sequence,
        snapshot_sha256=hashlib.sha256(head).hexdigest(),
    )
