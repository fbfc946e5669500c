"""Where a mark's id is looked up: the registry here, added ones, and folders named for the occasion.

The own registry comes first and its word counts; what others publish is marked with their name and judged
by what the manifests sign. A registry that cannot be used is told, and the others still serve. A stranger
without a home, without any secret of a publisher, needs one folder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guard.earlier_logs import earlier_books
from guard.recalls import Asked, ask, kept_book, named_book, own_book, recalls_of
from provenance.errors import Error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from guard.home import Home
    from guard.recalls import Book, Recall
    from guard.verify import Relinking
    from provenance.manifest.reading import ManifestReading
    from provenance.registry import Registry
    from provenance.registry_entry import Found, RegistryEntry
    from provenance.registry_published import PublishedRegistry
    from provenance.watermark.interface import WatermarkKey

MOST_KEYS = 32
"""Locator keys that are tried in all: each costs a search and its share of every p-value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedLookup:
    """Several registries as one; see ``provenance.registry_entry.Lookup``.

    Attributes:
        own: of this installation; None where there is none.
        others: published ones.
        books: what this installation and others withdrew.
        notes: registries that cannot be used, and keys that were left out.
    """

    own: Registry | None
    others: tuple[PublishedRegistry, ...]
    books: tuple[Book, ...] = ()
    notes: tuple[str, ...] = ()

    def look_up(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> Found:
        """Candidates of every registry; a manifest that several know comes once, from the first.

        Whether it was withdrawn does not depend on who led to it; see ``guard.recalls``.

        One that may have been withdrawn in a copy that cannot be read is left out, and a note says so.

        Raises:
            Error: what was withdrawn here cannot be read, and may hold one of them.
        """
        from provenance.registry_entry import Found  # noqa: PLC0415 - only for files without a manifest

        entries: dict[str, RegistryEntry] = {}
        notes: list[str] = []
        for asked in (*(() if self.own is None else (self.own,)), *self.others):
            found = asked.look_up(algorithm, key_id, epoch, content_id)
            notes += found.notes
            for entry in found.entries:
                entries.setdefault(entry.manifest_sha256, entry)
        judged = []
        for entry in entries.values():
            manifest = f"manifest {entry.manifest_sha256[:16]}…"
            try:
                claim, note = _claim_and_checkpoint(entry.manifest)
                recalls = recalls_of(entry.manifest_sha256, claim, note, self.books)
            except Error as error:
                if any(book.publisher is None and book.damage is error for book in self.books):
                    raise  # nothing here can be relied on; a damaged copy concerns its own log alone
                notes.append(f"{manifest} was left out: {error.what}")
                continue
            judged.append(_with_recall(entry, recalls))
            notes += [f"{manifest}: {one}" for one in recalls if not one.counts]
        return Found(entries=tuple(judged), notes=tuple(notes))

    def clips(self, most: int) -> tuple[RegistryEntry, ...]:
        """Those of this installation."""
        return () if self.own is None else self.own.clips(most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What there is to look things up with.

    Attributes:
        home: this installation, which need not exist.
        folders: published registries named for the occasion.
        locators: locator key files that were handed out.
    """

    home: Home
    folders: Sequence[Path] = ()
    locators: Sequence[Path] = ()

    @property
    def available(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.folders or self.locators) or self.home.exists()

    def require(self) -> Sources:
        """These, if there is anything to look things up with.

        Raises:
            ConfigurationError: ``home.missing``.
        """
        if not self.available:
            self.home.require()
        return self

    def lookup(self) -> MergedLookup:
        """All registries, opened.

        Raises:
            ConfigurationError, IntegrityError: the own registry cannot be used, or a folder that was named.
        """
        named = self._named()
        if not self.home.exists():
            return MergedLookup(own=None, others=named, books=tuple(map(named_book, named)))
        kept, notes = self._kept()
        return MergedLookup(
            own=self.home.registry_as_found(),
            others=(*named, *kept),
            books=(*map(named_book, named), *self._kept_books()),
            notes=notes,
        )

    def keys(self, lookup: MergedLookup) -> tuple[WatermarkKey, ...]:
        """Keys to look for marks with: own epochs, those handed out, those of the registries.

        Raises:
            IntegrityError: ``key.not-of-registry``, ``key.damaged``, ``registry.published-damaged``.
        """
        from guard.agreement import require_locator  # noqa: PLC0415
        from provenance.key_handing import handed_locator  # noqa: PLC0415

        keys: list[WatermarkKey] = []
        if self.home.exists():
            require_locator(self.home)
            keys += self.home.locators()
        keys += map(handed_locator, self.locators)
        for other in lookup.others:
            keys += other.locators()
        return tuple({(key.key_id, key.epoch): key for key in reversed(keys)}.values())[::-1][:MOST_KEYS]

    def relinking(self) -> Relinking:
        """Keys and registries; raises as ``lookup`` and ``keys``."""
        from guard.verify import Relinking  # noqa: PLC0415 - which knows this file

        lookup = self.lookup()
        return Relinking(keys=self.keys(lookup), registry=lookup)

    def recalls(self, manifest: ManifestReading) -> Asked:
        """Who says that this manifest was withdrawn, and who could not be asked.

        Raises:
            Error: a list that cannot be read may hold it, or a folder that was named is no registry.
        """
        if manifest.manifest_sha256 is None:
            return Asked()
        named = map(named_book, self._named())
        books = (*named, *(self._kept_books() if self.home.exists() else ()))
        return ask(manifest.manifest_sha256, manifest.claim_sha256, manifest.log_checkpoint, books)

    def _named(self) -> tuple[PublishedRegistry, ...]:
        """The folders that were named, opened."""
        if not self.folders:
            return ()
        from provenance.registry_published import PublishedRegistry  # noqa: PLC0415 - ten modules

        return tuple(PublishedRegistry.open(folder, name=folder.name) for folder in self.folders)

    def _kept_books(self) -> tuple[Book, ...]:
        """What was withdrawn here and by the added registries."""
        own = (own_book(self.home), *earlier_books(self.home))
        if not self.home.registries_folder.is_dir():
            return own
        from provenance.registry_kept import KeptRegistries  # noqa: PLC0415

        known = KeptRegistries(folder=self.home.registries_folder)
        return (*own, *(kept_book(known, name) for name in known.names()))

    def _kept(self) -> tuple[tuple[PublishedRegistry, ...], tuple[str, ...]]:
        """Added registries that can be used, and why others cannot."""
        if not self.home.registries_folder.is_dir():
            return (), ()
        from provenance.registry_kept import KeptRegistries  # noqa: PLC0415

        registries = KeptRegistries(folder=self.home.registries_folder)
        opened: list[PublishedRegistry] = []
        notes: list[str] = []
        for name in registries.names():
            try:
                copy = registries.open(name)
                copy.locators()  # keys that cannot be read must not keep the others from being tried
                opened.append(copy)
            except Error as error:
                notes.append(f"registry {name} was not looked into: {error.what}")
        return tuple(opened), tuple(notes)


def _with_recall(entry: RegistryEntry, recalls: Sequence[Recall]) -> RegistryEntry:
    """``entry`` with the withdrawal that counts, if there is one, and who says so."""
    counted = next((one for one in recalls if one.counts), None)
    if counted is None:
        return replace(entry, withdrawn=None)
    return replace(entry, withdrawn=counted.withdrawal, withdrawn_by=counted.publisher)


def _claim_and_checkpoint(store: bytes) -> tuple[str | None, str | None]:
    """Digest of the claim, and the log checkpoint, of a manifest that is judged where it is used."""
    from provenance.manifest import contents, jumbf  # noqa: PLC0415 - cryptography
    from provenance.manifest.cbor import StructureError  # noqa: PLC0415
    from provenance.manifest.claim import digest_of  # noqa: PLC0415

    try:
        active = jumbf.parse_store(store).boxes[-1]
        note = contents.statements(contents.assertions(store, active))["log_checkpoint"]
        return digest_of(store, active), note if isinstance(note, str) else None
    except StructureError:
        return None, None
