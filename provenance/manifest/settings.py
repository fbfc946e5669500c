"""Settings of the C2PA library, typed: it takes unknown keys without a word, and some of its own are traps.

Field names are the library's. Only what is written here can be said, and each value has its reason.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from provenance.manifest.path import anchors_in, is_authority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from provenance.manifest.trust import TrustList, TrustLists


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """One trust list.

    Attributes:
        trust_anchors: authorities, PEM.
        allowed_list: single signers, PEM. Only here: the key of that name one level up has no effect.
        trust_uri: name by which validation results refer to the list.
        trust_kind: ``manifest``, ``tsa`` or ``cawg``.
        trust_config: accepted purposes, one dotted OID a line; has to be a text.
    """

    trust_anchors: str
    allowed_list: str
    trust_uri: str
    trust_kind: str
    trust_config: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to believe; ``trust_config`` here as well, or only email protection is accepted."""

    trust_config: str
    anchors: tuple[Anchors, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """What validation may do: nothing over the network; the default fetches what a file names."""

    verify_after_sign: bool = False
    """Our own reader reads back."""
    remote_manifest_fetch: bool = False
    ocsp_fetch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Memory and network of the library."""

    allowed_network_hosts: tuple[str, ...] = ()
    backing_store_memory_threshold_in_mb: int = 1024
    """What is larger would lie readable in a temporary file: ``provenance.manifest.sign.MOST_BYTES``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """Off: ten times the time of a signature, and pixels that no policy looked at."""

    enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """How manifests are made."""

    thumbnail: Thumbnail = field(default_factory=Thumbnail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the library is told."""

    trust: Trust
    verify: Verify = field(default_factory=Verify)
    core: Core = field(default_factory=Core)
    builder: Builder = field(default_factory=Builder)


@lru_cache(maxsize=8)
def settings_json(trust: TrustLists) -> str:
    """The library's settings for these lists, as the JSON it reads."""
    ekus = "\n".join(trust.ekus)
    anchors = tuple(_anchors(item, ekus) for item in trust.lists)
    return json.dumps(asdict(Settings(trust=Trust(trust_config=ekus, anchors=anchors))))


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
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode("ascii")
