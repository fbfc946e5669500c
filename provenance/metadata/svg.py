"""SVG drawings, walked element by element; nothing a drawing refers to is ever read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from provenance.errors import InputError
from provenance.sniff import HEAD_BYTES, mime_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.stored import Bytes

_MANIFEST = "c2pa:manifest"
_MAX_DEPTH = 256


def is_svg(data: Bytes) -> bool:
    """Whether the bytes start like an SVG drawing."""
    return mime_of(data[:HEAD_BYTES]) == "image/svg+xml"


def manifest_texts(data: bytes) -> tuple[tuple[int, int], ...]:
    """File ranges of the text in every ``c2pa:manifest`` element, whatever element holds it.

    Raises:
        InputError: ``media.damaged`` when the drawing is not well-formed or nested too deeply.
    """
    walk = _Walk()
    parser = expat.ParserCreate()
    walk.parser = parser
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    try:
        parser.Parse(data, True)  # noqa: FBT003 - positional only
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two of unknown encodings
        raise InputError("media.damaged", f"the drawing is not well-formed: {error}") from error
    return tuple((_text_start(data, low), high) for low, high in walk.found)


def _text_start(data: bytes, tag: int) -> int:
    """The offset after a start tag; a ``>`` inside an attribute's value does not end it."""
    quote, position = b"", tag
    while position < len(data):
        byte = data[position : position + 1]
        if quote:
            quote = b"" if byte == quote else quote
        elif byte in (b'"', b"'"):
            quote = byte
        elif byte == b">":
            return position + 1
        position += 1
    return position


class _Walk:
    parser: expat.XMLParserType

    def __init__(self) -> None:
        self.found: list[tuple[int, int]] = []
        self._open: list[int] = []
        self._depth = 0

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise InputError("media.damaged", "the drawing is nested too deeply")
        if name == _MANIFEST:
            self._open.append(self.parser.CurrentByteIndex)

    def end(self, name: str) -> None:
        self._depth -= 1
        if name == _MANIFEST:
            self.found.append((self._open.pop(), self.parser.CurrentByteIndex))
