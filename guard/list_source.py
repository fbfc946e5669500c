"""One trust list from an https address (``guard trust update``): asked for by name, bounded, not believed.

What comes back is shown with its digest before it counts. Nothing is followed: a server that sends
elsewhere is an address to be looked up by a person.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, InputError
from provenance.fetch import BeyondLimitError, Connection, FetchError, parts_of
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import ListKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

MOST_BYTES = 4 * 2**20
"""Of a list; the official one has about 35 kB."""
SECONDS = 60.0
"""For a list, from beginning to end."""
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


def fetch(
    url: str, *, most: int = MOST_BYTES, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """The list at ``url``, of at most ``most`` bytes.

    Raises:
        InputError: ``trust.bad-source``, ``trust.fetch-limit``.
        ConfigurationError: ``trust.fetch-failed``: no answer, another one than 200, or compressed.
    """
    parts = require_https(url)
    connection = Connection(parts, seconds=seconds, clock=clock)
    try:
        return connection.get((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), most=most)
    except BeyondLimitError as error:
        what, hint = f"this is no trust list: {error.why}", "look at the address; nothing changed"
        raise InputError("trust.fetch-limit", what, where=url, hint=hint) from error
    except FetchError as error:
        raise ConfigurationError(
            "trust.fetch-failed",
            f"the list could not be fetched: {error.why}",
            where=url,
            hint="try again later, or download it and use guard trust import FILE; nothing changed",
        ) from error
    finally:
        connection.close()


def require_https(url: str) -> SplitResult:
    """The parts of an https address.

    Raises:
        InputError: ``trust.bad-source``.
    """
    try:
        return parts_of(url, query=True)
    except ValueError as error:
        what = "a trust list is fetched from an https address, without a user or password"
        hint = "guard trust import FILE takes a file"
        raise InputError("trust.bad-source", what, where=url, hint=hint) from error
