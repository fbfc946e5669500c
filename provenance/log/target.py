"""Where an exported log goes: a folder, or whatever fsspec can write to (extra ``remote``).

A target takes whole files by name. Reading a published log is a matter of a local copy of it
(``provenance.log.published``), so nothing here is asked by a check.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from provenance.errors import ConfigurationError
from provenance.files import disk_errors, write_public
from provenance.log.tiles import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator


class Target(Protocol):
    """Files by name; a name is a relative path with forward slashes."""

    def read(self, name: str) -> bytes | None:
        """The file's bytes; None where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Make or replace a file, as far as the target can whole or not at all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTarget:
    """A folder on this machine; files appear whole and durable."""

    folder: Path

    def read(self, name: str) -> bytes | None:
        """See ``Target``."""
        with disk_errors(self.folder / name):
            try:
                with (self.folder / name).open("rb") as file:
                    return file.read(MOST_BYTES)
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """See ``Target``."""
        path = self.folder / name
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_public(path, data, overwrite=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTarget:
    """A location that fsspec knows, such as ``s3://bucket/log``; the connection is the operator's.

    Whether a file appears whole is up to the file system behind it: object stores do so. An export
    writes the checkpoint last and compares lengths when it goes on, so a torn file is never relied on.
    """

    system: Any = field(repr=False)
    root: str

    @classmethod
    def open(cls, url: str) -> RemoteTarget:
        """The location ``url``.

        Raises:
            ConfigurationError: ``extra.missing`` without fsspec or the driver it names; ``remote.failed``.
        """
        try:
            import fsspec
        except ImportError as error:
            raise ConfigurationError(
                "extra.missing",
                "writing to a remote location needs the extra remote",
                hint="pip install 'mediaguard[remote]'",
            ) from error
        with _remote_errors(url):
            system, root = fsspec.core.url_to_fs(url)
        return cls(system=system, root=str(root).rstrip("/"))

    def read(self, name: str) -> bytes | None:
        """See ``Target``; raises ``remote.failed``."""
        with _remote_errors(f"{self.root}/{name}"):
            try:
                return bytes(self.system.cat_file(f"{self.root}/{name}", start=0, end=MOST_BYTES))
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """See ``Target``; raises ``remote.failed``."""
        path = f"{self.root}/{name}"
        with _remote_errors(path):
            self.system.makedirs(path.rpartition("/")[0], exist_ok=True)
            self.system.pipe_file(path, data)


def target_of(place: str) -> Target:
    """``SCHEME://…`` is for fsspec, anything else a folder on this machine."""
    return RemoteTarget.open(place) if "://" in place else FolderTarget(folder=Path(place))


@contextmanager
def _remote_errors(where: str) -> Iterator[None]:
    """Drivers raise errors of their own kinds; whichever it is, the location did not do what was asked."""
    try:
        yield
    except FileNotFoundError:
        raise
    except ImportError as error:  # fsspec names the driver that is missing
        hint = "install the driver that it names"
        raise ConfigurationError("extra.missing", str(error), where=where, hint=hint) from error
    except Exception as error:
        raise ConfigurationError(
            "remote.failed",
            f"the remote location failed: {type(error).__name__}: {error}"[:300],
            where=where,
            hint="check the address and the access rights, then run the command again",
        ) from error
