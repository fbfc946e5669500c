"""Where a published registry is taken from: a folder, or an https address. Everything has a limit.

Fetching is asked for by name (``guard registry add``, ``update``) and nothing else here opens a connection.
A server is a stranger: no redirects, no compression, so many bytes, files and seconds and no more, and
nothing of what it sends counts before the signed listing says that it belongs there.
"""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, quote, urlsplit

from provenance.errors import ConfigurationError, Error, InputError
from provenance.registry_head import not_published
from provenance.registry_layout import SNAPSHOT, unreadable
from provenance.registry_published import raw_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SOCKET_TIMEOUT_S = 30.0
_CHUNK = 65_536


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
        self._ends, self._clock = clock() + seconds, clock
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=_SOCKET_TIMEOUT_S, context=ssl.create_default_context()
        )

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
            # "identity": a compressed answer could be thousands of times as large as what was sent.
            headers = {"Accept-Encoding": "identity", "User-Agent": "mediaguard"}
            self._connection.request("GET", f"{self._folder}/{quote(path)}", headers=headers)
            with self._connection.getresponse() as answer:
                encoding = answer.getheader("Content-Encoding", "identity")
                if answer.status != http.client.OK or encoding != "identity":
                    self._connection.close()
                    raise self._refused(path, answer.status)
                return self._body(answer, path, most)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise _failed(self._url, f"{type(error).__name__}: {error}") from error

    def _body(self, answer: http.client.HTTPResponse, path: str, most: int) -> bytes:
        data = bytearray()
        while chunk := answer.read1(_CHUNK):
            data += chunk
            if len(data) > most:
                self._connection.close()
                raise over_limit(self._url, f"{path} has more than {most:,} bytes")
            if self._clock() > self._ends:
                self._connection.close()
                raise over_limit(self._url, "it took longer than was allowed")
        return bytes(data)

    def _refused(self, path: str, status: int) -> Error:
        if path == SNAPSHOT and status == http.client.NOT_FOUND:
            return not_published(self._url)
        if 300 <= status < 400:
            return _failed(self._url, "it sends elsewhere, which is not followed")
        if status == http.client.OK:
            return _failed(self._url, "it sends compressed files, which are not unpacked")
        return unreadable(path, f"the server answers with {status}")


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
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.hostname and not parts.username and not parts.password
        _ = parts.port
    except ValueError:
        plain, parts = None, urlsplit("")
    if not plain or parts.query or parts.fragment:
        raise InputError(
            "registry.url-refused",
            "registries are fetched from https addresses without a password, a query or a fragment",
            where=url,
            hint="guard registry add https://host/folder",
        )
    return parts


def _failed(where: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        "registry.fetch-failed",
        f"the registry could not be fetched: {why}"[:300],
        where=where,
        hint="check the address and the connection, then try again",
    )
