"""Where a mark's id is looked up: the registry here, added ones, and folders named for the occasion.

The own registry comes first and its word counts; what others publish is marked with their name and judged
by what the manifests sign. A registry that cannot be used is told, and the others still serve. A stranger
without a home, without any secret of a publisher, needs one folder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provenance.errors import Error
from provenance.registry_entry import Found, RegistryEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from guard.home import Home
    from guard.verify import Relinking
    from provenance.manifest.reading import ManifestReading
    from provenance.registry import Registry
    from provenance.registry_published import PublishedRegistry
    from provenance.registry_withdrawn import Withdrawal
    from provenance.watermark.interface import WatermarkKey

MOST_KEYS = 32
"""Locator keys that are tried in all: each costs a search and its share of every p-value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedLookup:
    """Several registries as one; see ``provenance.registry_entry.Lookup``.

    Attributes:
        own: of this installation; None where there is none.
        others: published ones.
        withdrawn: what this installation recalled, by digest of the manifest.
        notes: registries that cannot be used, and keys that were left out.
    """

    own: Registry | None
    others: tuple[PublishedRegistry, ...]
    withdrawn: Mapping[str, Withdrawal]
    notes: tuple[str, ...] = ()

    def look_up(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> Found:
        """Candidates of every registry; a manifest that several know comes once, from the first."""
        entries: dict[str, RegistryEntry] = {}
        notes: list[str] = []
        if self.own is not None:
            found = self.own.look_up(algorithm, key_id, epoch, content_id)
            notes += found.notes
            for entry in found.entries:
                recalled = self.withdrawn.get(entry.manifest_sha256)
                entries[entry.manifest_sha256] = replace(entry, withdrawn=recalled)
        for other in self.others:
            found = other.look_up(algorithm, key_id, epoch, content_id)
            notes += found.notes
            for entry in found.entries:
                first = entries.setdefault(entry.manifest_sha256, entry)
                if entry.withdrawn is not None and first.withdrawn is None:
                    which = f"manifest {entry.manifest_sha256[:16]}…"
                    notes.append(f"registry {other.name} says that {which} was withdrawn")
        return Found(entries=tuple(entries.values()), notes=tuple(notes))

    def clips(self, most: int) -> tuple[RegistryEntry, ...]:
        """Those of this installation."""
        return () if self.own is None else self.own.clips(most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Somebody says that a manifest was withdrawn.

    Attributes:
        publisher: who; None: this installation.
        withdrawal: when and why.
        counts: whether the signer of the manifest names the log of whoever says so. Anybody can publish a
            list with somebody else's manifests in it.
    """

    publisher: str | None
    withdrawal: Withdrawal
    counts: bool

    def __str__(self) -> str:
        """For one line; the reason is the publisher's, so printers escape it."""
        who = "here" if self.publisher is None else f"by registry {self.publisher}"
        doubt = "" if self.counts else " (not counted: its signer does not name that log)"
        return f"withdrawn {who}: {self.withdrawal.reason}{doubt}"


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
        from provenance.registry_published import PublishedRegistry  # noqa: PLC0415 - cryptography
        from provenance.registry_withdrawn import read_withdrawals  # noqa: PLC0415

        named = [PublishedRegistry.open(folder, name=folder.name) for folder in self.folders]
        if not self.home.exists():
            return MergedLookup(own=None, others=tuple(named), withdrawn={})
        kept, notes = self._kept()
        return MergedLookup(
            own=self.home.registry_as_found(),
            others=(*named, *kept),
            withdrawn=read_withdrawals(self.home.folder),
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

    def recalls(self, manifest: ManifestReading) -> tuple[Recall, ...]:
        """Who says that this manifest was withdrawn; reads one small file a registry.

        Raises:
            IntegrityError: ``registry.published-damaged``.
        """
        digest = manifest.manifest_sha256
        return tuple(
            Recall(publisher=name, withdrawal=found[digest], counts=_counts(manifest, vkey))
            for name, vkey, found in self._withdrawals()
            if digest is not None and digest in found
        )

    def _withdrawals(self) -> Iterator[tuple[str | None, str | None, Mapping[str, Withdrawal]]]:
        """Who, their key, and what they recalled."""
        from provenance.registry_withdrawn import read_withdrawals  # noqa: PLC0415

        for folder in self.folders:
            from provenance.registry_published import PublishedRegistry  # noqa: PLC0415

            opened = PublishedRegistry.open(folder, name=folder.name)
            yield opened.name, str(opened.publisher), opened.withdrawals()
        if not self.home.exists():
            return
        yield None, None, read_withdrawals(self.home.folder)
        if self.home.registries_folder.is_dir():
            from provenance.registry_kept import KeptRegistries  # noqa: PLC0415

            registries = KeptRegistries(folder=self.home.registries_folder)
            for name in registries.names():
                kept = registries.get(name)
                yield name, kept.publisher, read_withdrawals(registries.folder / name / kept.copy)

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
                opened.append(registries.open(name))
            except Error as error:
                notes.append(f"registry {name} was not looked into: {error.what}")
        return tuple(opened), tuple(notes)


def _counts(manifest: ManifestReading, vkey: str | None) -> bool:
    """Whether ``vkey`` is the key of the log whose checkpoint the signer put into the manifest."""
    if vkey is None:
        return True
    if manifest.log_checkpoint is None:
        return False
    from provenance.log.checkpoint import NoteVerifier, open_checkpoint  # noqa: PLC0415

    try:
        open_checkpoint(manifest.log_checkpoint.encode(), NoteVerifier.parse(vkey))
    except (Error, ValueError):
        return False
    return True
