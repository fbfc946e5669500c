"""What the metadata of a file say about how it was made: a claim by whoever wrote them last.

Metadata are not signed on their own; inside a signed file the hard binding covers them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.manifest.reading import DigitalSourceType


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataReading:
    """The XMP of a file, as far as it concerns origin; strings are hostile and cut to a length.

    Attributes:
        packets: XMP packets found; more than one is a sign of careless or hostile editing.
        source_type: IPTC digital source type, None when none or no known one is named.
        source_terms: the values found for it, as written, at most eight.
        creator_tool: ``xmp:CreatorTool``.
        model_name: ``Iptc4xmpExt:AISystemUsed`` (IPTC Photo Metadata 2025.1).
        remote_manifest: ``dcterms:provenance``, where C2PA puts the address of a manifest elsewhere.
    """

    packets: int
    source_type: DigitalSourceType | None = None
    source_terms: tuple[str, ...] = ()
    creator_tool: str = ""
    model_name: str | None = None
    remote_manifest: str | None = None
