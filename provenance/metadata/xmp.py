"""XMP packets: the IPTC statement that a picture was made by a model (IPTC Photo Metadata 2025.1).

Written before signing, so that the signature covers it; any writing afterwards breaks the signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers import expat  # noqa: S407 - DOCTYPE refused, size and depth bounded below
from xml.sax.saxutils import quoteattr  # noqa: S406 - only escapes

from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome
from provenance.manifest.containers import has_trace
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Asset
from provenance.metadata import places
from provenance.metadata.reading import MetadataReading

if TYPE_CHECKING:
    from collections.abc import Mapping

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_SOURCE = f"{_EXT} DigitalSourceType"
_MODEL = f"{_EXT} AISystemUsed"
_TOOL = "http://ns.adobe.com/xap/1.0/ CreatorTool"
_REMOTE = "http://purl.org/dc/terms/ provenance"
_WANTED = (_SOURCE, _MODEL, _TOOL, _REMOTE)
_RESOURCE = f"{_RDF} resource"
_MAX_DEPTH = 32
_TEXT = 512
_CLAIM = "made or changed by a trained model"


@dataclass(frozen=True, slots=True, kw_only=True)
class XmpStatement:
    """What is written: how the pixels came to be, by which program, from which model."""

    source_type: DigitalSourceType
    creator_tool: str
    model_name: str | None = None


def packet(statement: XmpStatement) -> bytes:
    """A read-only XMP packet (ISO 16684-1 §7.3.2).

    Raises:
        InputError: ``metadata.bad_text`` for text that XML 1.0 cannot hold.
    """
    pairs = {
        "Iptc4xmpExt:DigitalSourceType": statement.source_type.value,
        "xmp:CreatorTool": statement.creator_tool,
    }
    if statement.model_name is not None:
        pairs["Iptc4xmpExt:AISystemUsed"] = statement.model_name
    if not all(_is_xml(value) for value in pairs.values()):
        raise InputError("metadata.bad_text", "a name in the metadata holds control characters")
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in pairs.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about=""'
        f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="{_EXT}"{attributes}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def write_xmp(asset: Asset, statement: XmpStatement, *, discards_signature: bool = False) -> Asset:
    """``asset`` with this statement as its only XMP packet; pixels and ICC profile untouched.

    Args:
        discards_signature: whether a manifest in ``asset`` may be removed on the way.

    Raises:
        InputError: ``metadata.would_break_signature``, ``metadata.unsupported_media``,
            ``metadata.too_large``, ``metadata.bad_text`` or ``media.damaged``.
    """
    refuse_signed(asset, allowed=discards_signature)
    return Asset.of(places.with_packet(asset.data, packet(statement)), asset.mime)


def refuse_signed(asset: Asset, *, allowed: bool) -> None:
    """Raises:
    InputError: ``metadata.would_break_signature``: writing metadata breaks a hard binding.
    """
    if not allowed and has_trace(asset.data):
        raise InputError(
            "metadata.would_break_signature",
            "the file is signed; changing its metadata would break the signature",
            hint="guard release FILE keeps the old manifest as history and signs anew",
        )


def read_metadata(asset: Asset) -> Evidence:
    """What the XMP says about trained models: SUPPORTS, CONTRADICTS (another source type), or ABSENT."""
    try:
        reading = _merge([_parse(found) for found in places.packets(asset.data)])
    except InputError as error:
        outcome = Outcome.NOT_CHECKED if error.code == "metadata.unsupported_media" else Outcome.FAILED
        return _evidence(outcome, None, error.what)
    if reading is None or not reading.source_terms:
        return _evidence(Outcome.ABSENT, reading, None)
    if reading.source_type is None:
        return _evidence(
            Outcome.INCONCLUSIVE, reading, "the digital source type is unknown, or several are named"
        )
    if reading.source_type.is_generative:
        return _evidence(Outcome.SUPPORTS, reading, None)
    return _evidence(Outcome.CONTRADICTS, reading, f"it says {reading.source_type.term}")


def _evidence(outcome: Outcome, detail: MetadataReading | None, reason: str | None) -> Evidence:
    return Evidence(claim=_CLAIM, channel="xmp", outcome=outcome, reason=reason, detail=detail)


def _merge(found: list[Mapping[str, list[str]]]) -> MetadataReading | None:
    if not found:
        return None
    values = {key: [text for item in found for text in item.get(key, ())] for key in _WANTED}
    types = {DigitalSourceType.known(term) for term in values[_SOURCE]}
    return MetadataReading(
        packets=len(found),
        source_type=types.pop() if len(types) == 1 else None,
        source_terms=tuple(values[_SOURCE][:8]),
        creator_tool=next(iter(values[_TOOL]), ""),
        model_name=next(iter(values[_MODEL]), None),
        remote_manifest=next(iter(values[_REMOTE]), None),
    )


def _parse(data: bytes) -> Mapping[str, list[str]]:
    """Properties of interest, from attributes, elements or ``rdf:resource`` (ISO 16684-1 §7.9).

    Raises:
        InputError: ``metadata.damaged``: not XML, too deep, or with a document type.
    """
    collector = _Collector()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data.strip(b"\0 \r\n\t"), True)  # noqa: FBT003 - positional only
    except expat.ExpatError as error:
        raise InputError("metadata.damaged", f"the XMP packet is not well-formed: {error}") from error
    return collector.values


def _refuse_doctype(*_: object) -> None:
    raise InputError("metadata.damaged", "the XMP packet declares a document type, which XMP forbids")


class _Collector:
    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self._open: list[str] = []
        self._text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise InputError("metadata.damaged", "the XMP packet is nested too deeply")
        self._open.append(name)
        self._text = ""
        for key, value in attributes.items():
            self._keep(name if key == _RESOURCE else key, value)

    def characters(self, data: str) -> None:
        self._text = (self._text + data)[:_TEXT]

    def end(self, name: str) -> None:
        self._open.pop()
        self._keep(name, self._text.strip())
        self._text = ""

    def _keep(self, name: str, value: str) -> None:
        kept = self.values.setdefault(name, []) if name in _WANTED else None
        if kept is not None and value and len(kept) < 8:
            kept.append(value[:_TEXT])


def _is_xml(text: str) -> bool:
    """Whether XML 1.0 §2.2 can hold the text."""
    return all(
        ch in "\t\n\r" or (ch >= " " and ch not in "\ufffe\uffff" and not "\ud800" <= ch <= "\udfff")
        for ch in text
    )
