"""The kinds of file that are signed and verified, and what a manifest in each of them leaves open.

``docs/guide/formats.md`` shows this table; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.metadata.bmff import is_bmff

if TYPE_CHECKING:
    from provenance.media import Asset

_ISO = "box ftyp; boxes free, skip and mfra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One media type.

    Attributes:
        mime: media type.
        place: where its manifest lies; a file beside it where it has no place of its own.
        not_covered: what may change without the hard binding noticing; listed with every reading that has it.
    """

    mime: str
    place: str
    not_covered: str = ""


FORMATS = (
    Format(mime="image/png", place="chunk caBX"),
    Format(mime="image/jpeg", place="segments APP11", not_covered="number of the JPEG box instance"),
    Format(mime="image/webp", place="chunk C2PA"),
    Format(mime="image/tiff", place="tag 52545"),
    Format(mime="image/gif", place="application extension C2PA_GIF"),
    Format(mime="image/avif", place="top-level uuid box", not_covered=_ISO),
    Format(mime="image/heic", place="top-level uuid box", not_covered=_ISO),
    Format(mime="image/svg+xml", place="element c2pa:manifest, in Base64"),
    Format(mime="video/mp4", place="top-level uuid box", not_covered=_ISO),
    Format(mime="video/quicktime", place="top-level uuid box", not_covered=_ISO),
    Format(mime="video/webm", place="file of its own, .c2pa"),
    Format(mime="audio/mp4", place="top-level uuid box", not_covered=_ISO),
    Format(mime="audio/wav", place="chunk C2PA"),
    Format(mime="audio/mpeg", place="ID3 frame GEOB"),
    Format(mime="audio/flac", place="ID3 frame GEOB before the sound"),
    Format(mime="application/pdf", place="embedded file with relationship C2PA_Manifest"),
)
MIMES = tuple(item.mime for item in FORMATS)
"""Containers whose manifests are read strictly; others are not signed."""

_OPAQUE = "video/webm"
"""A container that the library knows nothing of: it binds a manifest to all bytes of the file."""


def bound_as(asset: Asset, *, embed: bool) -> str:
    """The media type by which the library binds a manifest to a file.

    For a manifest beside an MP3, FLAC or PDF file the library hashes what the file would be with a place
    for one, and nobody can verify that; all bytes as they are is what is meant. ISO base media have a
    binding of their own, which the specification asks for (§18.7).
    """
    return asset.mime if embed or is_bmff(asset.content) else _OPAQUE


NAMES = "PNG, JPEG, WebP, TIFF, GIF, AVIF, HEIC, SVG, MP4, QuickTime, WebM, M4A, WAV, MP3, FLAC and PDF"
"""The same for sentences."""
