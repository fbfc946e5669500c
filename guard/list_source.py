"""One trust list from an https address (``guard trust update``): asked for by name, bounded, not believed.

What comes back is shown with its digest before it counts. Nothing is followed: a server that sends
elsewhere is an address to be looked up by a person.
"""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import ListKind

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 65_536
_C2PA = "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list/"
_INTERIM = "https://contentcredentials.org/trust/"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownList:
    """A list that somebody publishes: where, for what, and what being on it is worth."""

    source: str
    kind: ListKind
    tier: TrustTier


KNOWN: dict[str, KnownList] = {
    "c2pa": KnownList(source=_C2PA + "C2PA-TRUST-LIST.pem", kind=ListKind.MANIFEST, tier=TrustTier.OFFICIAL),
    "c2pa-tsa": KnownList(
        source=_C2PA + "C2PA-TSA-TRUST-LIST.pem", kind=ListKind.TSA, tier=TrustTier.OFFICIAL
    ),
    "interim": KnownList(source=_INTERIM + "anchors.pem", kind=ListKind.MANIFEST, tier=TrustTier.INTERIM),
    "interim-signers": KnownList(
        source=_INTERIM + "allowed.pem", kind=ListKind.MANIFEST, tier=TrustTier.INTERIM
    ),
}
"""Addresses of August 2026. The interim lists were frozen on 2026-01-01 and vouch for older files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """What one list may take."""

    most_bytes: int = 4 * 2**20
    """The official list has about 35 kB."""
    seconds: float = 60.0
    """From beginning to end."""
    idle_s: float = 15.0
    """Without a byte."""


def fetch(
    url: str, limits: FetchLimits | None = None, *, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """The body at ``url``, over https with the system's certificates.

    Raises:
        InputError: ``trust.bad-source`` for an address that is not https or holds a password;
            ``trust.fetch-limit``.
        ConfigurationError: ``trust.fetch-failed``: no answer, another one than 200, or compressed.
    """
    parts, bounds = require_https(url), limits or FetchLimits()
    ends = clock() + bounds.seconds
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=bounds.idle_s, context=ssl.create_default_context()
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        # "identity": a compressed answer could be thousands of times as large as what was sent.
        headers = {"Accept-Encoding": "identity", "User-Agent": "mediaguard"}
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as answer:
            if answer.status != http.client.OK:
                raise _failed(url, _status(answer))
            if answer.getheader("Content-Encoding", "identity") != "identity":
                raise _failed(url, "the server sends it compressed, which is not unpacked")
            return _body(answer, url, bounds, ends, clock)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(url, f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def require_https(url: str) -> SplitResult:
    """The parts of an https address.

    Raises:
        InputError: ``trust.bad-source``.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        what = "a trust list is fetched from an https address, without a user or password"
        raise InputError("trust.bad-source", what, where=url, hint="guard trust import FILE takes a file")
    return parts


def _body(
    answer: http.client.HTTPResponse, url: str, limits: FetchLimits, ends: float, clock: Callable[[], float]
) -> bytes:
    data = bytearray()
    while chunk := answer.read1(_CHUNK):
        data += chunk
        if len(data) > limits.most_bytes or clock() > ends:
            what = (
                f"the list has more than {limits.most_bytes:,} bytes, or took {limits.seconds:.0f} s and more"
            )
            raise InputError(
                "trust.fetch-limit", what, where=url, hint="look at the address; nothing changed"
            )
    return bytes(data)


def _status(answer: http.client.HTTPResponse) -> str:
    if 300 <= answer.status < 400:
        return "the server sends elsewhere, which is not followed"
    return f"the server answers with {answer.status}"


def _failed(url: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        "trust.fetch-failed",
        f"the list could not be fetched: {why[:300]}",
        where=url,
        hint="try again later, or download it and use guard trust import FILE; nothing changed",
    )
