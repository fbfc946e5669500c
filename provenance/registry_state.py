"""What is written down of an added registry: which copy counts, and whose key it is pinned to.

::

    NAME/kept.json    where it came from, whose key it is pinned to, which state the copy is of
    NAME/pin.json     key, source and number once more, so that a damaged ``kept.json`` takes no pin along

Both are ours and private, so they are damaged by accident (a full disk, a restored backup) rather than by
strangers; whoever can write them could as well remove the registry. What cannot be read is never guessed: the
copies beside it hold a key too, but also those of fetches that were broken off before they were checked.

The pin is written last, so it is never ahead of ``kept.json`` unless that was put back from an older copy.
Then the pin is right and the other is damage: by it, withdrawn files would pass again.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from provenance.canonical import canonical_bytes
from provenance.errors import Error, InputError, IntegrityError
from provenance.files import fsync_folder, read_bounded, write_private
from provenance.log.checkpoint import NoteVerifier
from provenance.registry_head import MOST_HEAD
from provenance.registry_layout import parsed

if TYPE_CHECKING:
    from pathlib import Path

KEPT, PIN = "kept.json", "pin.json"
COPIES = "copy-*"
ARRIVING = ".new-"
"""A copy is called so until it was checked."""
_COPY = re.compile(r"copy-[0-9]{1,15}-[0-9a-f]{8}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_OF_PIN = {"source": str, "publisher": str, "sequence": int, "snapshot_sha256": str}
_OF_KEPT = {**_OF_PIN, "name": str, "copy": str, "published_at": int, "fetched_at": int}
_LATEST = 253_402_300_799
"""Seconds since 1970 that a calendar here still holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What no later state may contradict.

    Attributes:
        source: where it is fetched from.
        publisher: its key, in text form.
        sequence: number of the latest state that was kept.
        snapshot_sha256: digest of its signed head.
    """

    source: str
    publisher: str
    sequence: int
    snapshot_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One added registry.

    Attributes:
        name: what it is called here.
        source: where it is fetched from.
        publisher: its key, in text form; pinned.
        copy: folder of the state that is kept.
        sequence: number of that state.
        snapshot_sha256: digest of its signed head.
        published_at: seconds since 1970, by the publisher's clock.
        fetched_at: seconds since 1970, by ours.
    """

    name: str
    source: str
    publisher: str
    copy: str
    sequence: int
    snapshot_sha256: str
    published_at: int
    fetched_at: int

    @property
    def pin(self) -> Pin:
        """What outlives this copy."""
        return Pin(
            source=self.source,
            publisher=self.publisher,
            sequence=self.sequence,
            snapshot_sha256=self.snapshot_sha256,
        )


def is_added(place: Path) -> bool:
    """Whether the folder ``place`` holds anything of an added registry.

    A copy alone does too: it has its name only once it was checked, and not before ``kept.json`` the first
    time, so what was known of it is lost.
    """
    return any(True for one in (KEPT, PIN, COPIES) for _ in place.glob(one))


def read_kept(place: Path) -> Kept:
    """What is known of the registry in the folder ``place``.

    Raises:
        IntegrityError: ``registry.published-damaged`` for anything but what ``write_state`` wrote, and where
            the pin beside it is of a later state or of another key.
    """
    pin = read_pin(place)  # first: who updates meanwhile writes it last, so what is read next is not older
    kept = Kept(**_fields(place / KEPT, _OF_KEPT))
    in_time = all(0 <= one <= _LATEST for one in (kept.published_at, kept.fetched_at))
    if not (in_time and kept.name == place.name and _COPY.fullmatch(kept.copy) and _is_whole(kept.pin)):
        raise _foreign(place / KEPT)
    _require_onwards(place, kept, pin)
    return kept


def read_pin(place: Path) -> Pin | None:
    """The pin beside a damaged ``kept.json``; None where it is lost as well."""
    with suppress(Error):
        pin = Pin(**_fields(place / PIN, _OF_PIN))
        return pin if _is_whole(pin) else None
    return None


def write_state(place: Path, kept: Kept) -> None:
    """From here on the copy of ``kept`` counts; durable. Raises as ``write_private`` and ``keep_pin``."""
    _require_onwards(place, kept, read_pin(place))
    fsync_folder(place)
    _write(place / KEPT, asdict(kept))
    keep_pin(place, kept)


def take_in(place: Path, kept: Kept, arriving: Path, *, first: bool) -> None:
    """The copy in ``arriving`` gets the name that ``kept`` says, and counts from here on.

    The first one gets it last: killed in between there is never a copy that nothing is known of, which is
    how a lost pin looks. Later ones get it before it is written down that they count.

    Raises:
        As ``write_state``; OSError.
    """
    if not first:
        arriving.rename(place / kept.copy)
    write_state(place, kept)
    if first:
        arriving.rename(place / kept.copy)
        fsync_folder(place)


def finish_taking_in(place: Path) -> None:
    """End what ``take_in`` began with a first copy and was killed in; OSError where that cannot be done."""
    with suppress(IntegrityError):
        copy = read_kept(place).copy
        arrived = place / f"{ARRIVING}{copy}"
        if arrived.is_dir() and not (place / copy).exists():
            arrived.rename(place / copy)


def keep_pin(place: Path, kept: Kept) -> None:
    """The pin of a registry that was added before pins had a file, or that lost it; it never goes down.

    Raises:
        IntegrityError: ``registry.published-damaged`` where it is of a later state, or of another key.
    """
    pin = read_pin(place)
    _require_onwards(place, kept, pin)
    if pin != kept.pin:
        _write(place / PIN, asdict(kept.pin))


def pin_lost(name: str, why: Error) -> IntegrityError:
    """Nothing tells any more whose registry it was: a person has to compare the key again."""
    what = f"the key that registry {name} was pinned to is lost: {why.what}"
    hint = f"guard registry add URL|DIR --name {name} --key FINGERPRINT, as its publisher says it elsewhere; "
    hint += f"or guard registry remove {name}"
    return IntegrityError("registry.pin-lost", what, where=why.where, hint=hint)


def _write(path: Path, document: dict[str, Any]) -> None:
    write_private(path, canonical_bytes({"schema_version": 1, **document}) + b"\n", overwrite=True)


def _fields(path: Path, kinds: dict[str, type]) -> dict[str, Any]:
    try:
        document = parsed(read_bounded(path, most=MOST_HEAD), path.name)
    except InputError as error:
        raise _damaged(path, error.what) from error
    except IntegrityError as error:
        raise _damaged(path, error.what.rpartition(": ")[2]) from error
    document.pop("schema_version")
    if {name: type(value) for name, value in document.items()} != kinds:
        raise _foreign(path)
    return document


def _is_whole(pin: Pin) -> bool:
    """Whether the key is one, with number and digest."""
    try:
        NoteVerifier.parse(pin.publisher)
    except ValueError:
        return False
    return 0 <= pin.sequence < 2**53 and _DIGEST.fullmatch(pin.snapshot_sha256) is not None


def _require_onwards(place: Path, kept: Kept, pin: Pin | None) -> None:
    """Whether ``kept`` may stand beside the pin that is there: the same state, or a later one of that key."""
    if pin is None or pin == kept.pin:
        return
    if pin.publisher != kept.publisher:
        raise _damaged(place / KEPT, "it is of another key than its pin", how="be true")
    if pin.sequence < kept.sequence:
        return
    if (pin.sequence, pin.snapshot_sha256) != (kept.sequence, kept.snapshot_sha256):
        why = f"its pin has seen a later state ({pin.sequence} against {kept.sequence})"
        if pin.sequence == kept.sequence:
            why = f"its pin has seen another state of the same number ({pin.sequence})"
        raise _damaged(place / KEPT, why, how="be true")


def _foreign(path: Path) -> IntegrityError:
    return _damaged(path, "its fields are not those of a kept registry")


def _damaged(path: Path, why: str, *, how: str = "be read") -> IntegrityError:
    name = path.parent.name
    what = f"what is known of the copy of registry {name} cannot {how}: {why}"
    hint = f"guard registry update {name}, or guard registry remove {name}"
    return IntegrityError("registry.published-damaged", what, where=str(path), hint=hint)
