"""One writer at a time, across processes and threads."""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError
from provenance.files import PRIVATE, disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.001, 0.05


@contextmanager
def locked(path: Path, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the lock file ``path``, which is created when missing.

    The lock ends with the process that holds it, however that ends. It is not re-entrant. Only its
    holder may delete the file, as its last act, for that lets others in: whoever waited for the deleted
    file starts over with its successor.

    Raises:
        ConfigurationError: ``lock.timeout`` when somebody else keeps it longer than ``timeout_s``.
        InputError: ``output.unwritable``.
    """
    deadline = time.monotonic() + timeout_s
    descriptor = _acquired(path, deadline, timeout_s)
    while not _is_current(descriptor, path):
        os.close(descriptor)
        descriptor = _acquired(path, deadline, timeout_s)
    try:
        yield
    finally:
        _release(descriptor)
        os.close(descriptor)


def _acquired(path: Path, deadline: float, timeout_s: float) -> int:
    """An open descriptor of ``path`` that holds its lock."""
    with disk_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), PRIVATE)
    try:
        _wait_for(descriptor, path, deadline, timeout_s)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_current(descriptor: int, path: Path) -> bool:
    """False when the file was deleted, and maybe made anew, between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _wait_for(descriptor: int, path: Path, deadline: float, timeout_s: float) -> None:
    pause = _FIRST_WAIT_S
    while not _try(descriptor):
        if time.monotonic() >= deadline:
            raise ConfigurationError(
                "lock.timeout",
                f"another process has kept the lock for {timeout_s:g} s",
                where=str(path),
                hint="wait for the other guard command to finish",
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_WAIT_S)


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise
        return True

    def _release(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    # flock and not lockf: it belongs to the open file, so two threads of one process exclude each other too.
    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def _release(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
