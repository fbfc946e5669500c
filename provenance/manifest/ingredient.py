"""What went into an asset besides the pixels of its parent, as typed values.

Pictures and clips are taken in with their own manifests, validated with the lists of whoever signs.
Models, adapters and training records are named, typed and bound by a digest: as a ``ni:`` URI
(RFC 6920) in the instance id of the ingredient, and for training records in our own assertion too.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from provenance.errors import InputError
from provenance.media import Asset  # noqa: TC001 - annotations are read to send a spec to a signer process

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAMED = "ni:///sha-256;"
MOST = 64
"""Ingredients of one manifest beside its parent; each costs some 300 bytes and a validation."""


class Kind(StrEnum):
    """What an ingredient is."""

    PICTURE = "picture"
    """A picture or clip that was looked at, such as an init picture, a mask or a reference."""
    COMPONENT = "component"
    """A picture or clip that can be seen in the result."""
    MODEL = "model"
    """Weights that made the pixels."""
    ADAPTER = "adapter"
    """Weights laid over a model, such as a LoRA."""
    TRAINING = "training"
    """The record of how a model or adapter was trained."""


_TYPES = {
    Kind.MODEL: "c2pa.types.model",
    Kind.ADAPTER: "org.mediaguard.types.adapter",
    Kind.TRAINING: "c2pa.types.dataset",
}
"""Data types of §18.16.9; none of the specification's names an adapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One thing that went in; its title and digest become public, its bytes never do.

    Attributes:
        kind: what it is.
        title: a name for people, without folders.
        asset: a picture or clip, whose own manifest is kept; None for the other kinds.
        sha256: of the file, for models, adapters and records, lower-case hex; of several files a digest over
            theirs. None for pictures: the digest of one that is not published is nobody's business.
        type_: C2PA type of a model, more exact than the default, such as ``c2pa.types.model.pytorch``.
    """

    kind: Kind
    title: str
    asset: Asset | None = field(default=None, repr=False)
    sha256: str | None = None
    type_: str | None = None

    def __post_init__(self) -> None:
        if not self.title or "/" in self.title or "\\" in self.title or len(self.title) > 256:
            raise _bad("an ingredient is called by a name of up to 256 characters, not by a path")
        if (self.asset is not None) is not self.is_media:
            raise _bad("pictures and clips come with their bytes, and no other kind does")
        if (self.sha256 is None) is not self.is_media or not _SHA256.fullmatch(self.sha256 or "0" * 64):
            raise _bad(
                "models, adapters and records have a SHA-256 in lower-case hex, and pictures have none"
            )
        if self.type_ is not None and (self.is_media or "." not in self.type_):
            raise _bad("the type of a model has a name space, and pictures have none")

    @property
    def is_media(self) -> bool:
        """Whether it is a picture or clip."""
        return self.kind in {Kind.PICTURE, Kind.COMPONENT}

    @property
    def relationship(self) -> str:
        """The specification's word (§18.16.3)."""
        return "componentOf" if self.kind is Kind.COMPONENT else "inputTo"

    @property
    def data_type(self) -> str | None:
        """Its C2PA type; None for pictures, which have a media type instead."""
        return self.type_ or _TYPES.get(self.kind)

    def definition(self, label: str) -> dict[str, Any]:
        """What the library is told of an ingredient without bytes."""
        assert self.sha256 is not None
        return {
            "title": self.title,
            "relationship": self.relationship,
            "label": label,
            "instance_id": named(self.sha256),
            "data_types": [{"type": self.data_type}],
        }


def named(sha256: str) -> str:
    """A digest as a URI that names what has it (RFC 6920 §3)."""
    encoded = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode()
    return _NAMED + encoded.rstrip("=")


def digest_in(name: object) -> str | None:
    """The digest in such a URI, lower-case hex; None for anything else a file may hold."""
    if not isinstance(name, str) or not name.startswith(_NAMED) or len(name) != len(_NAMED) + 43:
        return None
    try:
        raw = base64.b64decode(name.removeprefix(_NAMED) + "=", altchars=b"-_", validate=True)
    except ValueError:  # not Base64, or not even ASCII
        return None
    return raw.hex() if named(raw.hex()) == name else None


def _bad(what: str) -> InputError:
    return InputError("manifest.bad-value", what)
