"""The bytes of a file that is too large for memory: measured, sliced, searched and read where they lie.

``Bytes`` is what an ``Asset`` holds: bytes in memory, or ``StoredBytes``. Both have a length, slices and
``startswith``, which is all that walking a container takes; for the rest there are functions here.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeAlias, cast
from weakref import finalize

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

CHUNK = 2**20
"""Bytes that are held of a stored file at a time."""
_PIECE = 2**18
"""Bytes that a library is given at a time: it may hold what it asked for as well."""


class StoredBytes(ABC):
    """Bytes that lie elsewhere."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many there are."""

    @abstractmethod
    def read_at(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset`` on, fewer at the end."""

    def __len__(self) -> int:
        """How many there are."""
        return self.size

    def __getitem__(self, where: slice) -> bytes:
        """A slice, in memory."""
        start, stop, _ = slice(where.start, where.stop).indices(self.size)
        return self.read_at(start, max(0, stop - start))

    def __bytes__(self) -> bytes:
        """All of them, in memory."""
        return self[:]

    def startswith(self, prefix: bytes | tuple[bytes, ...]) -> bool:
        """As that of ``bytes``."""
        longest = len(prefix) if isinstance(prefix, bytes) else max(map(len, prefix))
        return self[:longest].startswith(prefix)


Bytes: TypeAlias = bytes | StoredBytes


class FileBytes(StoredBytes):
    """Those of the file at ``path``, which stays open for as long as this lives.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        finalize(self, os.close, self._descriptor)
        self._lock = threading.Lock()
        self._state = self._now()

    @property
    def descriptor(self) -> int:
        """Of the open file, for another process to read the same one."""
        return self._descriptor

    @property
    def size(self) -> int:
        """As it was when the file was opened."""
        return self._state[0]

    def read_at(self, offset: int, count: int) -> bytes:
        """As ``StoredBytes``.

        Raises:
            InputError: ``input.changed`` or ``input.unreadable``.
        """
        data = read_descriptor(self._descriptor, offset, count, self._lock, str(self._path))
        self.require_unchanged()
        return data

    def require_unchanged(self) -> None:
        """What was read before and what was read after belong together.

        Raises:
            InputError: ``input.changed`` when somebody wrote to the file since it was opened.
        """
        if self._now() != self._state:
            raise InputError(
                "input.changed",
                "the file was written to while it was being read",
                where=str(self._path),
                hint="wait until it is complete, then try again",
            )

    def _now(self) -> tuple[int, int]:
        found = os.fstat(self._descriptor)
        return found.st_size, found.st_mtime_ns


class Positioned(io.RawIOBase):
    """Reads stored bytes from a position of its own; many may read the same bytes."""

    def __init__(self, source: StoredBytes) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As ``io.RawIOBase``, a piece at a time: libraries ask for a whole clip in one go."""
        view = memoryview(buffer).cast("B")
        data = self._source.read_at(self._at, min(len(view), _PIECE))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As ``io.RawIOBase``."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """As ``io.RawIOBase``."""
        return self._at


def stream_of(data: Bytes) -> BinaryIO:
    """``data`` as a stream to read and seek in."""
    if isinstance(data, bytes):
        return io.BytesIO(data)
    return cast("BinaryIO", io.BufferedReader(Positioned(data), CHUNK))


def chunks_of(data: Bytes) -> Iterator[bytes]:
    """``data`` from beginning to end, a piece at a time."""
    if isinstance(data, bytes):
        yield data
        return
    for start in range(0, data.size, CHUNK):
        yield data.read_at(start, CHUNK)


def sha256_of(data: Bytes) -> str:
    """Lower-case hex digest."""
    digest = hashlib.sha256()
    for chunk in chunks_of(data):
        digest.update(chunk)
    return digest.hexdigest()


def windows_of(data: Bytes, *, overlap: int) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of pieces to search in, each beginning ``overlap`` bytes before the last one ends."""
    tail, start = b"", 0
    for chunk in chunks_of(data):
        window = tail + chunk
        yield start, window
        tail = window[max(0, len(window) - overlap) :]
        start += len(window) - len(tail)


def require_unchanged(data: Bytes) -> None:
    """See ``FileBytes.require_unchanged``; a library may keep the error of a stream to itself.

    Raises:
        InputError: ``input.changed``.
    """
    if isinstance(data, FileBytes):
        data.require_unchanged()


def read_descriptor(descriptor: int, offset: int, count: int, lock: threading.Lock, where: str) -> bytes:
    """``count`` bytes of an open file from ``offset`` on, fewer at its end.

    Raises:
        InputError: ``input.unreadable``.
    """
    parts: list[bytes] = []
    try:
        with lock:
            os.lseek(descriptor, offset, os.SEEK_SET)
            while count > 0 and (part := os.read(descriptor, count)):
                parts.append(part)
                count -= len(part)
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise InputError("input.unreadable", what, where=where, hint="check the disk") from error
    return b"".join(parts)
