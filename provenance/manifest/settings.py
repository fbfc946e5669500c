"""Settings of the C2PA library, typed: it takes unknown keys without a word, and some of its own are traps.

Field names are the library's. Only what is written here can be said, and each value has its reason.
Dictionaries, since they leave as JSON at once and whoever verifies one file waits for every class made.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypedDict

from provenance.manifest.path import anchors_in, is_authority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from provenance.manifest.trust import TrustList, TrustLists


class Anchors(TypedDict):
    """One trust list."""

    trust_anchors: str
    """Authorities, PEM."""
    allowed_list: str
    """Single signers, PEM. Only here: the key of that name one level up has no effect."""
    trust_uri: str
    """Name by which validation results refer to the list."""
    trust_kind: str
    """``manifest``, ``tsa`` or ``cawg``."""
    trust_config: str
    """Accepted purposes, one dotted OID a line; has to be a text."""


class Trust(TypedDict):
    """Whom to believe; ``trust_config`` here as well, or only email protection is accepted."""

    trust_config: str
    anchors: list[Anchors]


class Verify(TypedDict):
    """What validation may do: nothing over the network; the default fetches what a file names."""

    verify_after_sign: Literal[False]
    """Our own reader reads back."""
    remote_manifest_fetch: Literal[False]
    ocsp_fetch: Literal[False]


class Core(TypedDict):
    """Memory and network of the library."""

    allowed_network_hosts: list[str]
    backing_store_memory_threshold_in_mb: int
    """What is larger would lie readable in a temporary file: ``provenance.manifest.sign.MOST_BYTES``."""


class Thumbnail(TypedDict):
    """Off: ten times the time of a signature, and pixels that no policy looked at."""

    enabled: Literal[False]


class Builder(TypedDict):
    """How manifests are made."""

    thumbnail: Thumbnail


class Settings(TypedDict):
    """Everything the library is told."""

    trust: Trust
    verify: Verify
    core: Core
    builder: Builder


@lru_cache(maxsize=8)
def settings_json(trust: TrustLists) -> str:
    """The library's settings for these lists, as the JSON it reads."""
    ekus = "\n".join(trust.ekus)
    settings: Settings = {
        "trust": {"trust_config": ekus, "anchors": [_anchors(item, ekus) for item in trust.lists]},
        "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 1024},
        "builder": {"thumbnail": {"enabled": False}},
    }
    return json.dumps(settings)


def _anchors(item: TrustList, ekus: str) -> Anchors:
    listed = anchors_in(item.pem)
    return Anchors(
        trust_anchors=_pem(one for one in listed if is_authority(one)),
        allowed_list=_pem(one for one in listed if not is_authority(one)),
        trust_uri=item.name,
        trust_kind=item.kind.value,
        trust_config=ekus,
    )


def _pem(certificates: Iterable[x509.Certificate]) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - also loads SSH

    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode("ascii")
