"""Where a published registry is taken from: a folder, or an https address. Everything has a limit.

Fetching is asked for by name (``guard registry add``, ``update``) and nothing else here opens a connection.
A server is a stranger (``provenance.fetch``), and nothing of what it sends counts before the signed listing
says that it belongs there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, quote

from provenance.errors import ConfigurationError, Error, InputError
from provenance.fetch import BeyondLimitError, Connection, FetchError, parts_of
from provenance.registry_head import not_published
from provenance.registry_layout import SNAPSHOT, unreadable
from provenance.registry_published import raw_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """What a registry may take.

    Attributes:
        most_bytes: of all files together.
        most_files: in its listing.
        seconds: from beginning to end.
    """

    most_bytes: int = 4 * 2**30
    most_files: int = 200_000
    seconds: float = 900.0


class Source(Protocol):
    """A place that files of a registry are read from."""

    @property
    def where(self) -> str:
        """What it is called in messages."""
        ...

    def read(self, path: str, most: int) -> bytes:
        """One file, of at most ``most`` bytes; raises the errors of ``source_of``."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSource:
    """A folder on this machine."""

    folder: Path

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.folder)

    def read(self, path: str, most: int) -> bytes:
        """See ``Source``; links are not followed."""
        if path == SNAPSHOT and not (self.folder / path).is_file():
            raise not_published(self.where)
        return raw_file(self.folder, path, most)

    def close(self) -> None:
        """Nothing is open."""


class HttpsSource:
    """A folder of an https server, over one connection.

    Args:
        url: ``https://host[:port]/folder``.
        seconds: after which nothing more is fetched.
        clock: seconds that never go back.
    """

    def __init__(self, url: str, *, seconds: float, clock: Callable[[], float]) -> None:
        parts = _checked_url(url)
        self._url = url.rstrip("/")
        self._folder = parts.path.rstrip("/")
        self._connection = Connection(parts, seconds=seconds, clock=clock)

    @property
    def where(self) -> str:
        """The address."""
        return self._url

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def read(self, path: str, most: int) -> bytes:
        """See ``Source``."""
        try:
            return self._connection.get(f"{self._folder}/{quote(path)}", most=most)
        except BeyondLimitError as error:
            raise over_limit(self._url, f"{path}: {error.why}") from error
        except FetchError as error:
            raise self._refused(path, error) from error

    def _refused(self, path: str, error: FetchError) -> Error:
        if error.status == _NOT_FOUND:
            return not_published(self._url) if path == SNAPSHOT else unreadable(path, error.why)
        return ConfigurationError(
            "registry.fetch-failed",
            f"the registry could not be fetched: {error.why}",
            where=self._url,
            hint="check the address and the connection, then try again",
        )


def source_of(place: str, folder: Path | None, *, limits: FetchLimits, clock: Callable[[], float]) -> Source:
    """A source for what was asked for.

    Args:
        place: as it was written.
        folder: the same as a folder; None where it is an address.
        limits: see there.
        clock: seconds that never go back.

    Raises:
        InputError: ``registry.url-refused`` for an address that is not https.
    """
    if folder is not None:
        return FolderSource(folder=folder)
    return HttpsSource(place, seconds=limits.seconds, clock=clock)


def is_address(place: str) -> bool:
    """Whether ``place`` is an address and no path."""
    return "://" in place


def over_limit(where: str, why: str) -> InputError:
    """A registry that is more than was asked for."""
    return InputError(
        "registry.over-limit",
        f"the registry is beyond a limit: {why}",
        where=where,
        hint="guard registry add --most-bytes, --most-files, --seconds, if you trust its publisher so far",
    )


def _checked_url(url: str) -> SplitResult:
    try:
        return parts_of(url, query=False)
    except ValueError as error:
        raise InputError(
            "registry.url-refused",
            "registries are fetched from https addresses without a password, a query or a fragment",
            where=url,
            hint="guard registry add https://host/folder",
        ) from error
