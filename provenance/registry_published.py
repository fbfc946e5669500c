"""A published registry, read from a folder: everything that is taken from it is checked first.

The snapshot's signature covers the listing, and the listing covers every file, so what a mirror changed,
dropped or added is an error and never an answer. What the publisher claims is checked as well where it can
be: a manifest has the digest it goes by, names the mark it was found by, and is in the log.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provenance.errors import Error
from provenance.files import read_bounded
from provenance.registry_entry import MOST_UNDER_ONE_ID, Found, RegistryEntry
from provenance.registry_head import MOST_HEAD, MOST_SUMS, checked_listing, not_published, require_key
from provenance.registry_layout import (
    BY_BINDING,
    BY_CONTENT,
    CAPABILITIES,
    LOCATORS,
    MOST_JSON,
    SNAPSHOT,
    STATIC,
    SUMS,
    VKEY,
    WITHDRAWN,
    bucket_hash,
    bucket_path,
    manifest_path,
    parsed,
    receipts_path,
    unreadable,
)
from provenance.registry_receipts import Receipt, receipt_of
from provenance.registry_rows import MOST_EPOCH, row_of
from provenance.registry_snapshot import Snapshot, open_snapshot, parse_vkey
from provenance.registry_staging import file_digest
from provenance.registry_withdrawn import Withdrawal, parse_withdrawals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.log.checkpoint import NoteVerifier
    from provenance.registry_rows import Row
    from provenance.watermark.interface import WatermarkKey

MOST_MANIFEST = 4 * 2**20
"""Bytes; ours have 4 kB, those with thumbnails some hundred."""
MOST_KEYS = 16
"""Locator keys of a registry that are tried: each costs a search and its share of every p-value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRegistry:
    """One state of a registry in ``folder``, whose head was checked.

    Attributes:
        folder: where it lies.
        name: what it is called here.
        publisher: key that signed it and its log.
        snapshot: the signed head.
        sums: path to digest of every file.
        prefix: digits that name a bucket.
    """

    folder: Path
    name: str
    publisher: NoteVerifier
    snapshot: Snapshot
    sums: dict[str, str]
    prefix: int

    @classmethod
    def open(
        cls, folder: Path, *, name: str | None = None, publisher: NoteVerifier | None = None
    ) -> PublishedRegistry:
        """The one in ``folder``; files are checked when they are read.

        Args:
            folder: as ``guard registry publish`` wrote it, or a copy.
            name: what it is called; None: after the publisher's log.
            publisher: the key that has to have signed it; None: the one it comes with.

        Raises:
            InputError: ``registry.not-published``.
            IntegrityError: ``registry.published-…``, ``registry.key-changed``.
        """
        if not (folder / SNAPSHOT).is_file():
            raise not_published(str(folder))
        key = parse_vkey(raw_file(folder, VKEY, MOST_HEAD))
        require_key(key, publisher, str(folder))
        snapshot = open_snapshot(raw_file(folder, SNAPSHOT, MOST_HEAD), key)
        sums = checked_listing(raw_file(folder, SUMS, MOST_SUMS), snapshot)
        named = name or key.name
        found = cls(folder=folder, name=named, publisher=key, snapshot=snapshot, sums=sums, prefix=0)
        static = found.json(CAPABILITIES).get(STATIC)
        prefix = static.get("prefixLength") if isinstance(static, dict) else None
        if type(prefix) is not int or not 0 <= prefix <= 6:
            raise unreadable(CAPABILITIES, "it does not say how buckets are named")
        return cls(folder=folder, name=named, publisher=key, snapshot=snapshot, sums=sums, prefix=prefix)

    def read(self, path: str, *, most: int = MOST_JSON) -> bytes:
        """A file of the listing, as the publisher signed it.

        Raises:
            IntegrityError: ``registry.published-damaged``.
        """
        if path not in self.sums:
            raise unreadable(path, "the publisher signed no such file")
        data = raw_file(self.folder, path, most)
        if hashlib.sha256(data).hexdigest() != self.sums[path]:
            raise unreadable(path, "it is not what its publisher signed")
        return data

    def check(self, path: str) -> None:
        """Whether a file of the listing is what the publisher signed, however large it is.

        Raises:
            IntegrityError: ``registry.published-damaged``.
        """
        if file_digest(self.folder / path) != self.sums[path]:
            raise unreadable(path, "it is missing, or is not what its publisher signed")

    def check_files(self) -> None:
        """The same for all of them."""
        for path in self.sums:
            self.check(path)

    def json(self, path: str) -> dict[str, Any]:
        """The same, parsed."""
        return parsed(self.read(path), path)

    def rows(self, table: str, path: str) -> tuple[tuple[Row, ...], int]:
        """What a file of ``table`` lists, and how many of its rows are malformed.

        Raises:
            IntegrityError: ``registry.published-damaged``.
        """
        rows = self.json(path).get("matches")
        if not isinstance(rows, list):
            raise unreadable(path, "it lists no matches")
        read = [row_of(table, row) for row in rows]
        good = tuple(row for row in read if row is not None)
        return good, len(read) - len(good)

    def files(self, folder: str) -> tuple[str, ...]:
        """Paths in ``folder``, in alphabetical order."""
        return tuple(sorted(path for path in self.sums if path.startswith(f"{folder}/")))

    @property
    def notes(self) -> tuple[str, ...]:
        """See ``provenance.registry_entry.Lookup``."""
        return ()

    def look_up(self, algorithm: str, key_id: str, epoch: int, content_id: bytes) -> Found:
        """See ``provenance.registry_entry.Lookup``. What is wrong with an entry is a note, not an answer."""
        place = bucket_path(BY_BINDING, bucket_hash(algorithm, key_id, epoch, content_id), self.prefix)
        wanted = (algorithm, key_id, epoch, content_id)
        try:
            rows, malformed = self.rows(BY_BINDING, place)
            withdrawn = self.withdrawals()
        except Error as error:
            return Found(notes=(f"registry {self.name}: {error.what}",))
        ids = list(dict.fromkeys(row.manifest_sha256 for row in rows if row.mark == wanted))
        entries, notes = [], []
        if malformed:
            notes.append(f"registry {self.name}: {place} has malformed rows ({malformed}), left out")
        if len(ids) > MOST_UNDER_ONE_ID:
            what = f"{len(ids)} manifests under this id, of which {MOST_UNDER_ONE_ID} were looked at"
            notes.append(f"registry {self.name} has {what}")
        for one in ids[:MOST_UNDER_ONE_ID]:
            try:
                entries.append(self._entry(one, wanted, withdrawn.get(one)))
            except Error as error:
                notes.append(f"registry {self.name}, manifest {one[:16]}…: {error.what}")
        return Found(entries=tuple(entries), notes=tuple(notes))

    def clips(self, most: int) -> tuple[RegistryEntry, ...]:
        """None: strangers' clips are looked up by their mark only."""
        del most
        return ()

    def withdrawals(self) -> dict[str, Withdrawal]:
        """What the publisher recalled."""
        return parse_withdrawals(self.read(WITHDRAWN), WITHDRAWN)

    def locators(self, most: int = MOST_KEYS) -> tuple[WatermarkKey, ...]:
        """Keys that its marks are found with, at most ``most``; empty where they are kept back.

        Raises:
            IntegrityError: ``registry.published-damaged``.
        """
        return tuple(map(self._locator, self.files(LOCATORS)[:most]))

    def _locator(self, path: str) -> WatermarkKey:
        from provenance.keys import parse_locator  # noqa: PLC0415

        data = self.read(path, most=MOST_HEAD)
        try:
            key = parse_locator(data, self.folder / path)
        except Error as error:
            raise unreadable(path, f"a key that finds marks is none: {error.what}") from error
        if key.epoch >= MOST_EPOCH:
            raise unreadable(path, "a key that finds marks is none: its epoch is no count of renewals")
        return key

    def receipt(self, manifest_sha256: str) -> Receipt:
        """The proof that the log allowed this manifest, checked under a checkpoint of the publisher.

        Raises:
            IntegrityError: ``registry.not-logged``, ``registry.published-damaged``, ``log.…``.
        """
        return receipt_of(self.read(receipts_path(manifest_sha256)), manifest_sha256, self.publisher)

    def fingerprints(self) -> Iterator[tuple[str, bytes]]:
        """Digest of the manifest and fingerprint of every picture; what is malformed is left out.

        Raises:
            IntegrityError: ``registry.published-damaged``.
        """
        from provenance.registry_fingerprints import ALGORITHM  # noqa: PLC0415

        for path in self.files(BY_CONTENT):
            for row in self.rows(BY_CONTENT, path)[0]:
                if row.algorithm == ALGORITHM:
                    yield row.manifest_sha256, row.value

    def manifest(self, manifest_sha256: str) -> bytes:
        """A manifest store.

        Raises:
            IntegrityError: ``registry.published-damaged``.
        """
        return self.read(manifest_path(manifest_sha256), most=MOST_MANIFEST)

    def _entry(
        self, manifest_sha256: str, at: tuple[str, str, int, bytes], withdrawn: Withdrawal | None
    ) -> RegistryEntry:
        algorithm, key_id, epoch, content_id = at
        data = self.manifest(manifest_sha256)
        receipt = self.receipt(manifest_sha256)
        return RegistryEntry(
            algorithm=algorithm,
            key_id=key_id,
            epoch=epoch,
            content_id=content_id,
            manifest=data,
            manifest_sha256=manifest_sha256,
            asset_sha256=receipt.leaf.subject_sha256,
            mime=kind_of_manifest(data),
            created_at=receipt.leaf.time,
            state="released",
            log_index=receipt.log_index,
            publisher=self.name,
            withdrawn=withdrawn,
        )


def kind_of_manifest(store: bytes) -> str:
    """``"video/*"`` or ``"image/*"``, from what the manifest signs and not from what a registry says."""
    from provenance.manifest import contents, jumbf  # noqa: PLC0415 - cryptography
    from provenance.manifest.cbor import StructureError  # noqa: PLC0415
    from provenance.manifest.labels import DIGEST_LABEL  # noqa: PLC0415

    try:
        digest = contents.assertions(store, jumbf.parse_store(store).boxes[-1]).get(DIGEST_LABEL)
    except StructureError:
        return "image/*"  # what cannot be read is told where it is judged
    return "video/*" if isinstance(digest, dict) and "seconds" in digest else "image/*"


def raw_file(folder: Path, path: str, most: int) -> bytes:
    """A regular file; links are not followed, whatever they lead to."""
    place = folder
    for part in path.split("/"):
        place = place / part
        try:
            linked = stat.S_ISLNK(place.lstat().st_mode)
        except OSError as error:
            raise unreadable(path, "the file is missing") from error
        if linked:
            raise unreadable(path, "it is a symbolic link")
    return read_bounded(place, most=most)
