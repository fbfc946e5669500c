"""Whose withdrawals are known here, and whose counts (docs/decisions/0007-withdrawn-credentials.md).

Anybody can publish a registry with somebody else's manifest in it and recall that. So the manifest decides:
a withdrawal counts when the checkpoint that its signer put into it is of the withdrawing log, wherever the
manifest was found, whatever else is asked, and in whatever order. What this installation released it may
withdraw. A list that cannot be read might hold any manifest of its log: of these nothing passes. Manifests of
other logs are not its business; that it was not read is told all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.errors import Error, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        withdrawn: by digest of the manifest.
        damage: why that cannot be read; None: it was.
        suspects: keys that lie in a copy whose own is lost, in text form; it may be of any of them.
    """

    publisher: str | None
    key: str | None
    withdrawn: Mapping[str, Withdrawal] = field(default_factory=dict)
    damage: Error | None = None
    suspects: tuple[str, ...] = ()

    def counts(self, note: str | None) -> bool:
        """Whether it may withdraw a manifest with this checkpoint in it."""
        return self.publisher is None or _opens(note, self.key)

    def may_hold(self, note: str | None, others: Sequence[Book] = ()) -> bool:
        """Whether such a manifest may have been withdrawn in what cannot be read.

        A copy whose key is lost with it is taken to be of none of the logs that ``others`` are of, unless
        such a key lies in it.
        """
        if self.publisher is None:
            return self.key is None or note is None or _opens(note, self.key)
        if self.key is None:
            known = any(_opens(note, other.key) for other in others)
            return note is not None and (not known or any(_opens(note, key) for key in self.suspects))
        return _opens(note, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking everybody about a manifest.

    Attributes:
        said: who withdrew it, those that count first.
        not_read: copies that could not be asked, one sentence each; its log is none of theirs.
    """

    said: tuple[Recall, ...] = ()
    not_read: tuple[str, ...] = ()


def ask(manifest_sha256: str, note: str | None, books: Sequence[Book]) -> Asked:
    """The same as ``recalls_of``, and whom it could not ask; raises the same."""
    return Asked(
        said=recalls_of(manifest_sha256, note, books),
        not_read=tuple(str(book.damage.what) for book in books if book.damage is not None),
    )


def recalls_of(manifest_sha256: str, note: str | None, books: Sequence[Book]) -> tuple[Recall, ...]:
    """Who withdrew a manifest, those that count first; the same for any order of ``books``.

    Args:
        manifest_sha256: digest of the manifest.
        note: the log checkpoint that its signer put into it; None where there is none.
        books: of everybody that is asked.

    Raises:
        Error: what damaged a list that may hold it.
    """
    found = []
    for book in books:
        if book.damage is not None and book.may_hold(note, books):
            raise book.damage
        one = book.withdrawn.get(manifest_sha256)
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
    key = None
    try:
        from provenance.keys import load_log_key  # noqa: PLC0415 - cryptography
        from provenance.log.recalled import recalled_here  # noqa: PLC0415

        signer = load_log_key(home.log_key_path)
        key = str(signer.verifier)
        logged = recalled_here(home.log_folder, signer)
    except Error as error:
        return Book(publisher=None, key=key, damage=_unread("the log of this installation", error))
    try:
        listed = read_withdrawals(home.folder)
    except IntegrityError:
        listed = {}  # only reasons are lost; guard doctor and guard log verify tell
    return Book(publisher=None, key=key, withdrawn=completed(listed, logged))


def _book_without_log(home: Home) -> Book:
    """Of a home whose log is elsewhere, or lost."""
    from provenance.registry_withdrawn import read_withdrawals  # noqa: PLC0415

    try:
        listed = read_withdrawals(home.folder)
    except IntegrityError as error:
        return Book(publisher=None, key=None, damage=error)
    if home.registry_path.exists() and not listed:
        lost = IntegrityError("log.behind-registry", "the log is lost", where=str(home.log_folder))
        return Book(publisher=None, key=None, damage=_unread("the log of this installation", lost))
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
    return Book(publisher=opened.name, key=key, withdrawn=withdrawn)


def kept_book(known: KeptRegistries, name: str) -> Book:
    """That of an added registry, whose list was held against its log before it was kept."""
    hint = f"guard registry update {name}, or guard registry remove {name}"
    pin = known.pin(name)
    key = None if pin is None else pin.publisher
    try:
        return Book(publisher=name, key=key, withdrawn=known.open(name).withdrawals())
    except Error as error:
        suspects = known.keys_in(name) if key is None else ()
        damage = _unread(f"registry {name}", error, hint)
        return Book(publisher=name, key=key, damage=damage, suspects=suspects)


def _unread(whose: str, error: Error, hint: str | None = None) -> IntegrityError:
    what = f"what was withdrawn cannot be read ({whose}): {error.what}"
    return IntegrityError(error.code, what, where=error.where, hint=hint or error.hint or "guard doctor")


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
