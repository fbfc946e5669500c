"""XMP packets: the IPTC statement that a picture was made by a model (IPTC Photo Metadata 2025.1).

Written before signing, so that the signature covers it; any writing afterwards breaks the signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from provenance.errors import InputError
from provenance.manifest.containers import has_trace
from provenance.media import Asset
from provenance.metadata import places
from provenance.metadata.reading import IPTC_EXT, RDF, XMP

if TYPE_CHECKING:
    from provenance.manifest.reading import DigitalSourceType


def describe(
    asset: Asset,
    *,
    source_type: DigitalSourceType,
    model_name: str | None = None,
    creator_tool: str = "mediaguard",
    discards_signature: bool = False,
) -> Asset:
    """``asset`` with this statement as its only XMP packet; pixels and ICC profile untouched.

    Args:
        source_type: how the pixels came to be.
        model_name: the model, for people.
        creator_tool: program that writes the file, with its version.
        discards_signature: whether a manifest in ``asset`` may be removed on the way.

    Raises:
        InputError: ``metadata.would-break-signature``, ``metadata.unsupported-media``,
            ``metadata.too-large``, ``metadata.bad-text`` or ``media.damaged``.
    """
    refuse_signed(asset, allowed=discards_signature)
    packet = packet_for(source_type=source_type, model_name=model_name, creator_tool=creator_tool)
    return Asset.of(places.with_packet(asset.content, packet), asset.mime)


def packet_for(*, source_type: DigitalSourceType, model_name: str | None, creator_tool: str) -> bytes:
    """A read-only XMP packet (ISO 16684-1 §7.3.2).

    Raises:
        InputError: ``metadata.bad-text`` for text that XML 1.0 cannot hold.
    """
    pairs = {"Iptc4xmpExt:DigitalSourceType": source_type.value, "xmp:CreatorTool": creator_tool}
    if model_name is not None:
        pairs["Iptc4xmpExt:AISystemUsed"] = model_name
    if not all(map(_is_xml, pairs.values())):
        hint = "type the name again without them"
        raise InputError("metadata.bad-text", "a name in the metadata holds control characters", hint=hint)
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in pairs.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""'
        f' xmlns:xmp="{XMP}" xmlns:Iptc4xmpExt="{IPTC_EXT}"{attributes}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def refuse_signed(asset: Asset, *, allowed: bool) -> None:
    """Raises:
    InputError: ``metadata.would-break-signature``: writing metadata breaks a hard binding.
    """
    if not allowed and has_trace(asset.content):
        raise InputError(
            "metadata.would-break-signature",
            "the file is signed; changing its metadata would break the signature",
            hint="guard release FILE keeps the old manifest as history and signs anew",
        )


def _is_xml(text: str) -> bool:
    """Whether XML 1.0 §2.2 can hold the text."""
    return not any(
        (ch < " " and ch not in "\t\n\r") or ch in "\ufffe\uffff" or "\ud800" <= ch <= "\udfff" for ch in text
    )
