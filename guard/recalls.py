"""Whose withdrawals are known here, and whose counts (docs/decisions/0007-withdrawn-credentials.md).

Anybody can publish a registry with somebody else's manifest in it and recall that. So the manifest decides:
a withdrawal counts when the checkpoint that its signer put into it is of the withdrawing log, wherever the
manifest was found, whatever else is asked, and in whatever order. What this installation released it may
withdraw. A list that cannot be read might hold any manifest of its log: of these nothing passes. Manifests of
other logs are not its business; that it was not read is told all the same.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from provenance.errors import Error, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from guard.home import Home
    from provenance.registry_kept import KeptRegistries
    from provenance.registry_published import PublishedRegistry
    from provenance.registry_withdrawn import Withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Somebody says that a manifest was withdrawn.

    Attributes:
        publisher: who; None: this installation.
        withdrawal: when and why.
        counts: whether the signer of the manifest names the log of whoever says so.
    """

    publisher: str | None
    withdrawal: Withdrawal
    counts: bool

    def __str__(self) -> str:
        """For one line; the reason is the publisher's, so printers escape it."""
        who = "here" if self.publisher is None else f"by registry {self.publisher}"
        doubt = "" if self.counts else " (not counted: its signer does not name that log)"
        return f"withdrawn {who}: {self.withdrawal.told}{doubt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What one publisher withdrew.

    Attributes:
        publisher: name of the registry; None: this installation.
        key: that of its log, in text form; None where it is not known.
        origin: name of its log, where the key may be lost; checkpoints of it begin with that.
        withdrawn: by digest of the manifest.
        damage: why that cannot be read; None: it was.
        stores: the manifests with these digests, in this order; raises where one cannot be read.
        suspects: keys that lie in a damaged copy, in text form; it may be of any of them.
    """

    publisher: str | None
    key: str | None
    withdrawn: Mapping[str, Withdrawal] = field(default_factory=dict)
    damage: Error | None = None
    stores: Callable[[Sequence[str]], Iterator[bytes]] | None = None
    suspects: tuple[str, ...] = ()
    origin: str | None = None

    def counts(self, note: str | None) -> bool:
        """Whether it may withdraw a manifest with this checkpoint in it."""
        return self.publisher is None or _opens(note, self.key)

    def withdrew(self, manifest_sha256: str, claim_sha256: str | None, note: str | None) -> Withdrawal | None:
        """What it says of a manifest, also of one whose unsigned parts were written anew.

        Those are looked for only where they count, since each withdrawn manifest is read for it.

        Raises:
            Error: a manifest that was withdrawn cannot be read.
        """
        known = self.withdrawn.get(manifest_sha256)
        if known is not None or claim_sha256 is None or self.stores is None or not self.withdrawn:
            return known
        if not _opens(note, self.key):
            return None
        stores = zip(self.withdrawn.values(), self.stores(tuple(self.withdrawn)), strict=True)
        return next((one for one, store in stores if _claim_of(store) == claim_sha256), None)

    def may_hold(self, note: str | None, others: Sequence[Book] = ()) -> bool:
        """Whether such a manifest may have been withdrawn in what cannot be read.

        Whatever is released here quotes the log of this installation. A copy whose key is lost with it is
        taken to be of none of the logs that ``others`` are of, unless such a key lies in it.
        """
        if self.publisher is None:
            nothing_known = self.key is None and self.origin is None
            return nothing_known or _opens(note, self.key) or _quotes(note, self.origin)
        suspected = any(_opens(note, key) for key in self.suspects)
        if self.key is None:
            known = any(_opens(note, other.key) for other in others)
            return note is not None and (not known or suspected)
        return suspected or _opens(note, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking everybody about a manifest.

    Attributes:
        said: who withdrew it, those that count first.
        not_read: copies that could not be asked, one sentence each; its log is none of theirs.
    """

    said: tuple[Recall, ...] = ()
    not_read: tuple[str, ...] = ()


def ask(manifest_sha256: str, claim_sha256: str | None, note: str | None, books: Sequence[Book]) -> Asked:
    """The same as ``recalls_of``, and whom it could not ask; raises the same."""
    return Asked(
        said=recalls_of(manifest_sha256, claim_sha256, note, books),
        not_read=tuple(str(book.damage.what) for book in books if book.damage is not None),
    )


def recalls_of(
    manifest_sha256: str, claim_sha256: str | None, note: str | None, books: Sequence[Book]
) -> tuple[Recall, ...]:
    """Who withdrew a manifest, those that count first; the same for any order of ``books``.

    Args:
        manifest_sha256: digest of the manifest.
        claim_sha256: digest of its claim; None where it has none that can be read.
        note: the log checkpoint that its signer put into it; None where there is none.
        books: of everybody that is asked.

    Raises:
        Error: what damaged a list that may hold it.
    """
    found = []
    for book in books:
        if book.damage is not None and book.may_hold(note, books):
            raise book.damage
        one = book.withdrew(manifest_sha256, claim_sha256, note)
        if one is not None:
            found.append(Recall(publisher=book.publisher, withdrawal=one, counts=book.counts(note)))
    return tuple(sorted(found, key=_order))


def _order(one: Recall) -> tuple[bool, bool, bool, str]:
    return not one.counts, one.publisher is not None, not one.withdrawal.reason, one.publisher or ""


def own_book(home: Home) -> Book:
    """What this installation withdrew: what its log says, with the reasons that ``withdrawn.json`` has."""
    from provenance.registry_withdrawn import completed, read_withdrawals  # noqa: PLC0415

    if not home.has_log():
        return _book_without_log(home)
    try:
        from provenance.keys import load_log_key  # noqa: PLC0415 - cryptography
        from provenance.log.recalled import recalled_here  # noqa: PLC0415

        signer = load_log_key(home.log_key_path)
        key = str(signer.verifier)
        logged = recalled_here(home.log_folder, signer)
    except Error as error:
        return _damaged_book(home, error)
    try:
        listed = read_withdrawals(home.folder)
    except IntegrityError:
        listed = {}  # only reasons are lost; guard doctor and guard log verify tell
    return Book(publisher=None, key=key, withdrawn=completed(listed, logged), stores=partial(_own, home))


def _own(home: Home, digests: Sequence[str]) -> Iterator[bytes]:
    """Manifests of this installation.

    Raises:
        IntegrityError: ``registry.behind-log``.
    """
    with home.registry_as_found() as registry:
        for manifest_sha256 in digests:
            found = registry.by_manifest(manifest_sha256)
            if not found:
                what = f"the registry lacks a manifest that was withdrawn: {manifest_sha256[:16]}…"
                raise IntegrityError("registry.behind-log", what, where=registry.place, hint="guard doctor")
            yield found[0].manifest


def _claim_of(store: bytes) -> str | None:
    from provenance.manifest.cbor import StructureError  # noqa: PLC0415
    from provenance.manifest.claim import active_digest  # noqa: PLC0415

    try:
        return active_digest(store)
    except StructureError:
        return None


def _damaged_book(home: Home, error: Error) -> Book:
    """Of a log that cannot be read, or whose key is lost: the name that it signed with, and the list.

    The list alone answers for manifests that quote no log. Without it nothing is known of any of them.
    """
    from provenance.keys import load_log_key  # noqa: PLC0415 - cryptography
    from provenance.registry_withdrawn import read_withdrawals  # noqa: PLC0415

    damage, key = _unread("the log of this installation", error), None
    with suppress(Error):
        key = str(load_log_key(home.log_key_path).verifier)
    try:
        listed = read_withdrawals(home.folder)
    except IntegrityError:
        return Book(publisher=None, key=None, damage=damage)
    return Book(publisher=None, key=key, withdrawn=listed, damage=damage, origin=_origin_of_log(home))


def _origin_of_log(home: Home) -> str | None:
    """The name in its checkpoint, whose signature nobody can check without the key; None: there is none."""
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.log.checkpoint import MOST_NOTE_BYTES, parse_checkpoint, split_note  # noqa: PLC0415
    from provenance.log.writing import CHECKPOINT  # noqa: PLC0415

    try:
        text, _ = split_note(read_bounded(home.log_folder / CHECKPOINT, most=MOST_NOTE_BYTES))
        return parse_checkpoint(text).origin
    except Error:
        return None


def _book_without_log(home: Home) -> Book:
    """Of a home whose log is elsewhere, or lost."""
    from provenance.registry_withdrawn import read_withdrawals  # noqa: PLC0415

    try:
        listed = read_withdrawals(home.folder)
    except IntegrityError as error:
        return Book(publisher=None, key=None, damage=error)
    if home.registry_path.exists() and not listed:
        lost = IntegrityError("log.behind-registry", "the log is lost", where=str(home.log_folder))
        return _damaged_book(home, lost)
    return Book(publisher=None, key=None, withdrawn=listed)


def named_book(opened: PublishedRegistry) -> Book:
    """That of a folder named for the occasion: its log was not held against its list before."""
    from provenance.log.recalled import recalled_in  # noqa: PLC0415
    from provenance.registry_layout import LOG  # noqa: PLC0415
    from provenance.registry_withdrawn import completed  # noqa: PLC0415

    key = str(opened.publisher)
    try:
        logged = recalled_in(opened.folder / LOG, opened.publisher)
        withdrawn = completed(opened.withdrawals(), logged)
    except Error as error:
        return Book(publisher=opened.name, key=key, damage=_unread(f"registry {opened.name}", error))
    return Book(publisher=opened.name, key=key, withdrawn=withdrawn, stores=partial(map, opened.manifest))


def kept_book(known: KeptRegistries, name: str) -> Book:
    """That of an added registry, whose list was held against its log before it was kept."""
    hint = f"guard registry update {name}, or guard registry remove {name}"
    pin = known.pin(name)
    key = None if pin is None else pin.publisher
    try:
        opened = known.open(name)
        stores = partial(map, opened.manifest)
        return Book(publisher=name, key=key, withdrawn=opened.withdrawals(), stores=stores)
    except Error as error:
        damage = _unread(f"registry {name}", error, hint)
        return Book(publisher=name, key=key, damage=damage, suspects=known.keys_in(name))


def _unread(whose: str, error: Error, hint: str | None = None) -> IntegrityError:
    what = f"what was withdrawn cannot be read ({whose}): {error.what}"
    return IntegrityError(error.code, what, where=error.where, hint=hint or error.hint or "guard doctor")


def _quotes(note: str | None, origin: str | None) -> bool:
    """Whether ``note`` is a checkpoint of a log of that name, whoever signed it."""
    return note is not None and note.partition("\n")[0] == origin


def _opens(note: str | None, key: str | None) -> bool:
    """Whether ``key`` signed ``note``, a checkpoint."""
    if note is None or key is None:
        return False
    from provenance.log.checkpoint import NoteVerifier, open_checkpoint  # noqa: PLC0415

    try:
        open_checkpoint(note.encode(), NoteVerifier.parse(key))
    except (Error, ValueError):
        return False
    return True
