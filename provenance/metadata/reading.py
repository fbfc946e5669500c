"""What the metadata of a file say about how it was made: a claim by whoever wrote them last.

Metadata are not signed on their own; inside a signed file the hard binding covers them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers import expat

from provenance.errors import InputError
from provenance.evidence import Evidence, Outcome
from provenance.manifest.reading import DigitalSourceType
from provenance.metadata import places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.media import Asset

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_SOURCE = f"{IPTC_EXT} DigitalSourceType"
_MODEL = f"{IPTC_EXT} AISystemUsed"
_TOOL = f"{XMP} CreatorTool"
_REMOTE = "http://purl.org/dc/terms/ provenance"
_WANTED = (_SOURCE, _MODEL, _TOOL, _REMOTE)
_RESOURCE = f"{RDF} resource"
_MAX_DEPTH = 32
_MAX_VALUES = 8
_TEXT = 512
_CLAIM = "made or changed by a trained model"


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


def read_metadata(asset: Asset) -> Evidence:
    """What the XMP says about trained models: SUPPORTS, CONTRADICTS (another source type), or ABSENT."""
    try:
        reading = _merge([_parse(found) for found in places.packets(asset.content)])
    except InputError as error:
        outcome = Outcome.NOT_CHECKED if error.code == "metadata.unsupported-media" else Outcome.FAILED
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
        source_terms=tuple(values[_SOURCE][:_MAX_VALUES]),
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
        if kept is not None and value and len(kept) < _MAX_VALUES:
            kept.append(value[:_TEXT])
