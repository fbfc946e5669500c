"""Where a clip lies between being made and being allowed to leave: in memory, or unreadable on a disk.

A small clip stays in memory. A larger one goes to a file that has no name and that is encrypted under a
key which exists in this process alone: when the process ends, however it ends, the file is gone, and the
blocks it lay on are noise (``docs/decisions/0001-nothing-on-disk-before-allow.md``).
"""

from __future__ import annotations

import io
import os
import secrets
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast
from weakref import finalize

from provenance.errors import Error
from provenance.files import disk_errors
from provenance.stored import CHUNK, Positioned, StoredBytes, chunks_of, read_descriptor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from _typeshed import ReadableBuffer

    from provenance.stored import Bytes

IN_MEMORY = 16 * 2**20
"""Bytes up to which a spool stays in memory."""
_BLOCK = 16


class Spool(StoredBytes):
    """Written once, through ``writer``; then read like any stored bytes.

    Args:
        folder: a folder of the disk that has room for it; None: the system's for temporary files.

    Attributes:
        failure: why the disk did not take what was written; libraries may keep that to themselves.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.failure: Error | None = None
        self._folder = folder
        self._held: bytearray | None = bytearray()
        self._descriptor = -1
        self._size = 0
        self._lock = threading.Lock()
        self._secret = secrets.token_bytes(32 + _BLOCK)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    def another(self) -> Spool:
        """An empty one in the same folder."""
        return Spool(self._folder)

    def writer(self) -> BinaryIO:
        """A stream to write to, seek in and read back; flush it before anything else is read."""
        return cast("BinaryIO", io.BufferedRandom(_Writing(self), CHUNK))

    def read_at(self, offset: int, count: int) -> bytes:
        """As ``StoredBytes``."""
        count = max(0, min(count, self._size - offset))
        if self._held is not None:
            return bytes(self._held[offset : offset + count])
        data = read_descriptor(self._descriptor, offset, count, self._lock, str(self._folder))
        return self._crypted(data, offset)

    def write_at(self, offset: int, data: bytes) -> None:
        """Put ``data`` at ``offset``, which lies at most at the end.

        Raises:
            ConfigurationError: ``disk.full`` or ``disk.failed``.
            InputError: ``output.unwritable``.
        """
        end = offset + len(data)
        if self._held is not None and end > IN_MEMORY:
            held, self._held = bytes(self._held), None
            self._open()
            self._store(0, held)
        if self._held is not None:
            self._held[offset:end] = data
        else:
            self._store(offset, data)
        self._size = max(self._size, end)

    def _open(self) -> None:
        with self._noted(), tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
            self._descriptor = os.dup(file.fileno())
        finalize(self, os.close, self._descriptor)

    def _store(self, offset: int, data: bytes) -> None:
        view = memoryview(self._crypted(data, offset))
        with self._noted(), self._lock:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            while view:
                view = view[os.write(self._descriptor, view) :]

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            with disk_errors(self._folder or Path(tempfile.gettempdir())):
                yield
        except Error as error:
            self.failure = error
            raise

    def _crypted(self, data: bytes, offset: int) -> bytes:
        """AES-256 in counter mode, which is its own inverse and may begin anywhere (NIST SP 800-38A §6.5)."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

        blocks, skipped = divmod(offset, _BLOCK)
        first = (int.from_bytes(self._secret[32:], "big") + blocks) % 2 ** (8 * _BLOCK)
        cipher = Cipher(algorithms.AES(self._secret[:32]), modes.CTR(first.to_bytes(_BLOCK, "big")))
        return cipher.encryptor().update(bytes(skipped) + data)[skipped:]


class _Writing(Positioned):
    """The raw stream behind ``Spool.writer``."""

    def __init__(self, spool: Spool) -> None:
        super().__init__(spool)
        self._spool = spool

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """As ``io.RawIOBase``; a gap before the position is filled with zeros."""
        written = bytes(data)
        if self._at > self._spool.size:
            self._spool.write_at(self._spool.size, bytes(self._at - self._spool.size))
        self._spool.write_at(self._at, written)
        self._at += len(written)
        return len(written)


def copied(data: Bytes, into: Spool) -> Spool:
    """``into`` with ``data`` in it.

    Raises:
        As ``Spool.write_at``.
    """
    for chunk in chunks_of(data):
        into.write_at(into.size, chunk)
    return into


def spool_like(data: Bytes) -> Spool:
    """An empty spool for a new version of ``data``, on the same disk where that is a spool, too."""
    return data.another() if isinstance(data, Spool) else Spool()
