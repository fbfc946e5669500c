"""Fetching from an address that somebody named, over one connection and within limits.

A server is a stranger: no redirects, no compression, so many bytes and seconds and no more. Addresses are
https, checked with the system's certificates; plain http only to this machine itself, by number (127.0.0.1,
::1), since a name could lead elsewhere.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_IDLE_S = 30.0
"""Without a byte."""
_CHUNK = 65_536


class FetchError(Exception):
    """There is no answer that can be used. Callers say in their own words what could not be fetched.

    Attributes:
        why: in words.
        status: of an answer that came; None where none did.
    """

    def __init__(self, why: str, *, status: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


class BeyondLimitError(FetchError):
    """The answer is larger, or takes longer, than was allowed."""


def parts_of(url: str, *, query: bool) -> SplitResult:
    """The parts of an address that may be fetched.

    Args:
        url: as it was written.
        query: whether a query or a fragment may follow the path.

    Raises:
        ValueError: it is neither https nor of this machine, holds a user or password, or is malformed.
    """
    parts = urlsplit(url)
    good = parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname))
    good = good and bool(parts.hostname) and "@" not in parts.netloc
    good = good and (parts.port is None or parts.port > 0)
    good = good and (query or not (parts.query or parts.fragment))
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("it cannot be fetched from there")
    return parts


class Connection:
    """One connection to one server.

    Args:
        parts: of an address, from ``parts_of``.
        seconds: from now on, after which nothing more is fetched.
        clock: seconds that never go back.
    """

    def __init__(self, parts: SplitResult, *, seconds: float, clock: Callable[[], float]) -> None:
        host, port = parts.hostname or "", parts.port
        self._ends, self._clock, self._seconds = clock() + seconds, clock, seconds
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=_IDLE_S, context=ssl.create_default_context())
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_IDLE_S)
        )

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def get(self, target: str, *, most: int) -> bytes:
        """The body at ``target``, a path with its query, of at most ``most`` bytes.

        Raises:
            FetchError: no answer, another one than 200, or compressed; the connection is ended.
            BeyondLimitError: likewise.
        """
        try:
            # "identity": a compressed answer could be thousands of times as large as what was sent.
            headers = {"Accept-Encoding": "identity", "User-Agent": "mediaguard"}
            self._connection.request("GET", target, headers=headers)
            with self._connection.getresponse() as answer:
                _require_plain(answer)
                return self._body(answer, most)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise FetchError(f"{type(error).__name__}: {error}"[:300]) from error
        except FetchError:
            self.close()
            raise

    def _body(self, answer: http.client.HTTPResponse, most: int) -> bytes:
        data = bytearray()
        while chunk := answer.read1(_CHUNK):
            data += chunk
            if len(data) > most:
                raise BeyondLimitError(f"it has more than {most:,} bytes")
            if self._clock() > self._ends:
                raise BeyondLimitError(f"it took longer than {self._seconds:g} s")
        return bytes(data)


def _require_plain(answer: http.client.HTTPResponse) -> None:
    if 300 <= answer.status < 400:
        raise FetchError("the server sends elsewhere, which is not followed", status=answer.status)
    if answer.status != http.client.OK:
        raise FetchError(f"the server answers with {answer.status}", status=answer.status)
    if answer.getheader("Content-Encoding", "identity") != "identity":
        raise FetchError("the server sends it compressed, which is not unpacked", status=answer.status)


def _is_here(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
