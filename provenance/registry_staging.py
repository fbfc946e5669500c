"""Replacing a published folder by its next state, all at once.

The next state is built beside the folder, out of links to what stays and files for what is new, and then
takes the folder's name. A reader sees the state before or the state after, and ``rsync`` copies only what
changed. A process killed on the way leaves the folder as it was, and a leftover that the next one removes.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.files import PUBLIC, disk_errors, fsync_folder
from provenance.registry_layout import SNAPSHOT, SUMS, parsed_listing

if TYPE_CHECKING:
    from pathlib import Path

MOST_FILES = 5_000_000
"""Of a folder of one's own."""
_AT_FDCWD, _EXCHANGE = -100, 2
_CHUNK = 2**20


@dataclass(slots=True, kw_only=True)
class Staging:
    """The next state of ``target``, being built.

    Attributes:
        target: the published folder; need not exist.
        sums: path to digest of what was put so far.
        changed: how many files are new or differ from those before.
    """

    target: Path
    sums: dict[str, str] = field(default_factory=dict)
    changed: int = 0
    _before: dict[str, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, target: Path) -> Staging:
        """An empty next state; what an interrupted one left is mended or removed first.

        Raises:
            InputError: ``registry.folder-in-use``: the folder holds files that no publication put there.
        """
        staging = cls(target=target)
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() and staging._old.exists():
                staging._old.rename(target)
            for leftover in (staging.folder, staging._old):
                shutil.rmtree(leftover, ignore_errors=True)
            staging._before = staging._published()
            staging.folder.mkdir()
        return staging

    @property
    def folder(self) -> Path:
        """Where the next state is built."""
        return self.target.with_name(f".{self.target.name}.next")

    @property
    def _old(self) -> Path:
        return self.target.with_name(f".{self.target.name}.before")

    def put(self, path: str, data: bytes) -> None:
        """A file of the next state; linked where it is the same as before."""
        digest = hashlib.sha256(data).hexdigest()
        if self.sums.get(path) == digest or (self._before.get(path) == digest and self.keep(path)):
            return
        with disk_errors(self.target):
            place = self._made(path)
            place.unlink(missing_ok=True)  # a link to the state before, which stays as it is
            _write(place, data)
        self.sums[path] = digest
        self.changed += 1

    def keep(self, path: str) -> bool:
        """Take over a file from the state before; False where it has none, or a changed one."""
        digest = self._before.get(path)
        if digest is None or file_digest(self.target / path) != digest:
            return False
        with disk_errors(self.target):
            _link(self.target / path, self._made(path))
        self.sums[path] = digest
        return True

    def before(self, folder: str) -> tuple[str, ...]:
        """Paths below ``folder`` in the state before."""
        return tuple(path for path in self._before if path.startswith(folder + "/"))

    @property
    def same(self) -> bool:
        """Whether the next state holds the same files as the one before."""
        return not self.changed and self.sums.keys() == self._before.keys()

    def head(self, name: str, data: bytes) -> None:
        """One of the two files that no listing names."""
        with disk_errors(self.target):
            _write(self.folder / name, data)

    def switch(self) -> None:
        """Give the next state the folder's name."""
        with disk_errors(self.target):
            for folder, _, _ in os.walk(self.folder):
                fsync_folder(self.folder.__class__(folder))
            if not self.target.exists():
                self.folder.rename(self.target)
            elif not _exchanged(self.folder, self.target):
                self.target.rename(self._old)
                self.folder.rename(self.target)
            fsync_folder(self.target.parent)
        self.abandon()

    def abandon(self) -> None:
        """Remove what is left over beside the folder."""
        for leftover in (self.folder, self._old):
            shutil.rmtree(leftover, ignore_errors=True)

    def _made(self, path: str) -> Path:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _published(self) -> dict[str, str]:
        """Path to digest of the state before, empty where there is none."""
        if not self.target.exists():
            return {}
        if not self.target.is_dir() or self.target.is_symlink():
            raise _in_use(self.target, "this is no folder")
        listing = self.target / SUMS
        listed = parsed_listing(listing.read_bytes(), most=MOST_FILES) if listing.is_file() else {}
        known = {*listed, SUMS, SNAPSHOT}
        for folder, _, names in os.walk(self.target):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.target).replace(os.sep, "/")  # noqa: PTH118 - plain text is faster
                if path not in known:
                    raise _in_use(self.target, f"it holds {path!r}, which no publication put there")
        return listed


def file_digest(path: Path) -> str | None:
    """Hex SHA-256 of a regular file; None where there is none."""
    if path.is_symlink() or not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PUBLIC), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV):
            raise
        shutil.copyfile(source, place)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step (Linux ``renameat2``); False where the system cannot."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    return bool(swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0)


def _in_use(target: Path, why: str) -> InputError:
    return InputError(
        "registry.folder-in-use",
        f"a registry cannot be published here: {why}",
        where=str(target),
        hint="name a new folder, or one that guard registry publish made",
    )
