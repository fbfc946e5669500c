"""Writing files so that a reader sees all of a file or none of it, and a power cut changes nothing of that.

The pattern everywhere: write a temporary file beside the final one, fsync it, rename, fsync the folder.
Every ``OSError`` on the way becomes an ``Error`` that says who can act.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, Error, InputError
from provenance.stored import FileBytes, chunks_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.stored import Bytes

_TEMP_PREFIX, _TEMP_SUFFIX = ".guard-", ".partial"
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)

PRIVATE = 0o600
"""Owner only: keys, records, the registry."""
MAKE_OR_RESTORE = "restore it from a copy; guard init makes one where nothing was released yet"
"""What helps where a part of the home is missing."""
PUBLIC = 0o666
"""Whatever the user's umask leaves: released media."""


def write_private(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """``data`` at ``path``, readable by its owner only, whole and durable or not at all.

    Raises:
        InputError: ``output.exists`` unless ``overwrite``; ``output.unwritable``.
        ConfigurationError: ``disk.full`` or ``disk.failed``.
    """
    _write_whole(path, data, mode=PRIVATE, overwrite=overwrite)


def write_public(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """``data`` at ``path``, for everybody to read, whole and durable or not at all; as ``write_private``."""
    _write_whole(path, data, mode=PUBLIC, overwrite=overwrite)


def write_temporary(final: Path, data: Bytes, *, mode: int = PUBLIC, temporary: Path | None = None) -> Path:
    """A new, synced file beside ``final`` that holds ``data``; rename it with ``replace_atomically``.

    ``temporary`` names it, for callers who noted the name before; it must not exist. Nothing is left
    behind on failure. Raises as ``write_private``.
    """
    temporary = temporary or temporary_beside(final)
    with disk_errors(final):
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(chunks_of(data))
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return temporary


def _write_whole(path: Path, data: bytes, *, mode: int, overwrite: bool) -> None:
    temporary = write_temporary(path, data, mode=mode)
    try:
        replace_atomically(temporary, path, overwrite=overwrite)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_atomically(temporary: Path, final: Path, *, overwrite: bool = True) -> None:
    """Give ``temporary`` its ``final`` name, durably: file synced, renamed, folder synced.

    With ``overwrite=False`` an existing ``final`` is never replaced, not even one that appears meanwhile.

    Raises:
        InputError: ``output.exists``, ``output.unwritable``.
        ConfigurationError: ``disk.full`` or ``disk.failed``.
    """
    with disk_errors(final):
        _fsync(temporary, os.O_RDWR)
        if overwrite:
            _refuse_device(final)
            temporary.replace(final)
        else:
            _move_to_new_name(temporary, final)
        fsync_folder(final.parent)


def _refuse_device(final: Path) -> None:
    """A rename over a pipe or device would put a file in its place, for every program of the machine."""
    mode = final.lstat().st_mode if final.exists() else stat.S_IFREG
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
        what = "a pipe, socket or device stands here; files are written under names of their own"
        raise InputError("output.unwritable", what, where=str(final), hint="name a file")


def fsync_folder(folder: Path) -> None:
    """Make renames and new names in ``folder`` durable. Windows has no such call and needs none."""
    if os.name != "nt":
        _fsync(folder, os.O_RDONLY)


def temporary_beside(final: Path) -> Path:
    """A fresh name in the folder of ``final``, so that renaming stays within one file system.

    It says nothing about ``final``: names of unreleased media may say too much, and may be 255 bytes long.
    """
    return final.with_name(f"{_TEMP_PREFIX}{os.urandom(8).hex()}{_TEMP_SUFFIX}")


def temporaries_in(folder: Path) -> tuple[Path, ...]:
    """Temporary files that a process killed half-way has left in ``folder``, for recovery to remove."""
    return tuple(sorted(folder.glob(f"{_TEMP_PREFIX}*{_TEMP_SUFFIX}")))


def check_writable_folder(folder: Path, *, need_bytes: int = 0) -> None:
    """Make sure before the work that results can be written into ``folder``.

    Raises:
        InputError: ``output.folder`` when it is missing or no folder, ``output.unwritable``.
        ConfigurationError: ``disk.full`` when fewer than ``need_bytes`` are free.
    """
    if not folder.is_dir():
        what = "this is not a folder" if folder.exists() else "the folder does not exist"
        raise InputError("output.folder", what, where=str(folder), hint=f"mkdir -p {folder}")
    with disk_errors(folder):
        write_temporary(folder / "probe", b"").unlink()
        free = shutil.disk_usage(folder).free
    if free < need_bytes:
        raise _disk_full(folder, f"{free:,} bytes are free, {need_bytes:,} are needed")


def can_be_named(text: str) -> bool:
    """Whether a file can have this name, which may begin with ``~``: not with a NUL, nor if it is too long.

    ``Path.is_dir`` and its like raise for some of these, where they say False of whatever else is not there.
    """
    try:
        os.lstat(os.path.expanduser(text))  # noqa: PTH111 - Path raises where there is no such user
    except ValueError:
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def read_bounded(path: Path, *, most: int) -> bytes:
    """The bytes of the regular file at ``path``, at most ``most`` of them.

    Raises:
        InputError: ``input.missing``, ``input.folder``, ``input.not-media`` (a pipe or device),
            ``input.unreadable`` or ``input.too-large``.
    """
    with _readable(path), path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise too_large(path, most)
    return data


def open_file(path: Path) -> FileBytes:
    """The bytes of the regular file at ``path``, to be read where they lie.

    Raises:
        InputError: as ``read_bounded``, except for its size.
    """
    with _readable(path):
        return FileBytes(path)


def too_large(path: Path, most: int) -> InputError:
    """The error for a file of more than ``most`` bytes."""
    return InputError(
        "input.too-large",
        f"the file is larger than the limit of {most:,} bytes",
        where=str(path),
        hint="give a smaller file",
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        _refuse_other_than_file(path, path.stat().st_mode)
        yield
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:  # a NUL character in the name
        raise InputError(
            "input.missing", "no file can have this name", where=str(path), hint="check the path"
        ) from error


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the ``OSError`` of writing ``path`` into an ``Error`` with a stable code."""
    try:
        yield
    except OSError as error:
        raise _translated(path, error) from error


def _translated(path: Path, error: OSError) -> Error:
    reason = error.strerror or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _disk_full(path, reason)
    if error.errno == errno.EIO:
        return ConfigurationError(
            "disk.failed", f"the disk failed: {reason}", where=str(path), hint="check the disk"
        )
    if error.errno == errno.EEXIST:
        return InputError(
            "output.exists", "the file exists already", where=str(path), hint="choose another name"
        )
    return InputError(
        "output.unwritable",
        f"cannot write here: {reason}",
        where=str(path),
        hint="check the permissions of the folder, or choose another",
    )


def _disk_full(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        "disk.full", f"no room to write: {reason}", where=str(path), hint="free some space"
    )


def _move_to_new_name(temporary: Path, final: Path) -> None:
    try:
        os.link(temporary, final)  # fails when the name is taken, which rename does not
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # A file system without hard links: claim the name, then replace the claim.
        os.close(os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        temporary.replace(final)
    else:
        temporary.unlink()


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_other_than_file(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise InputError(
            "input.folder", "this is a folder, a file is needed", where=str(path), hint="name the files in it"
        )
    if not stat.S_ISREG(mode):  # a pipe or device would block or never end
        raise InputError(
            "input.not-media", "this is no regular file", where=str(path), hint="copy it to a file first"
        )


def _unreadable(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return InputError("input.missing", "there is no such file", where=str(path), hint="check the path")
    reason = error.strerror or type(error).__name__
    return InputError(
        "input.unreadable",
        f"the file cannot be read: {reason}",
        where=str(path),
        hint="check its permissions",
    )
