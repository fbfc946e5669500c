"""Signs of a manifest anywhere in a file, whatever has become of its container."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from provenance.manifest.cbor import StructureError
from provenance.manifest.containers.embedded import Embedded, whole
from provenance.stored import windows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.stored import Bytes

_SUFFIX = b"\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_TRACE = re.compile(rb"c2(?:pa|ma|um|cm|as|cl|cs|sh)\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71")
_STORE = re.compile(rb"jumb....jumdc2pa" + re.escape(_SUFFIX), re.DOTALL)


def _written(skipped: int) -> bytes:
    """Base64 of the suffix where it begins ``skipped`` bytes into a group of three, whole groups only."""
    text = base64.b64encode(bytes(skipped) + _SUFFIX + bytes(-(skipped + len(_SUFFIX)) % 3))
    return text[-(-skipped * 8 // 6) : (skipped + len(_SUFFIX)) * 8 // 6]


_WRITTEN = tuple(map(_written, range(3)))
"""Boxes in Base64 (SVG, §A.3.5): the same suffix at each of its three positions."""
_HELD = re.compile(rb"\xff\xeb..JP|caBX", re.DOTALL)
"""A JPEG segment with a JUMBF box (ISO/IEC 19566-5 Annex B), a PNG chunk with a manifest: their lengths."""
_LONGEST = 27
_SEGMENT = 2**16 + 64
"""More than a JPEG segment has: one of them lies whole in a window."""
_BEGINNING = 64
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG")


def has_trace(data: Bytes) -> bool:
    """Whether the bytes hold a C2PA box type anywhere, even where the container is broken.

    Sixteen bytes that say "C2PA" and a JUMBF suffix do not occur by accident, nor do they in Base64.
    """
    # Base64 is how text holds a manifest; every other container has a zero byte where it begins.
    text = b"\0" not in data[:_BEGINNING]
    return any(_in(window, text=text) for _, window in windows_of(data, overlap=_LONGEST))


def has_own_trace(data: Bytes) -> bool:
    """As ``has_trace``, without what pictures in the file carry: the cover of a song, those of a document.

    Such a picture may be signed while what holds it is not. Its manifest stands in JPEG segments or a PNG
    chunk, where that of a document, clip or song never does.
    """
    if data.startswith(_PICTURES):
        return has_trace(data)
    text = b"\0" not in data[:_BEGINNING]
    for offset, window in windows_of(data, overlap=_SEGMENT):
        # What begins a window ended the last one, where the segments that reach into it were seen whole.
        seen = _SEGMENT - _LONGEST if offset else 0
        if _in(window, text=text) and _in(_without_pictures(window)[seen:], text=text):
            return True
    return False


def _without_pictures(window: bytes) -> bytes:
    out = bytearray(window)
    for match in _HELD.finditer(window):
        begin = match.start()
        chunk = window[begin : begin + 1] == b"c"
        length = window[begin - 4 : begin] if chunk else window[begin + 2 : begin + 4]
        end = min(begin + int.from_bytes(length, "big") + 4 * chunk, len(out))
        out[begin:end] = bytes(end - begin)
    return bytes(out)


def anywhere(data: Bytes) -> Embedded | None:
    """The store of a container that is not walked here, where it lies in one piece.

    Raises:
        StructureError: it is cut off, or there are several.
    """
    found = None
    for start in store_starts(data):
        end = start + int.from_bytes(data[start : start + 4], "big") if start >= 0 else -1
        if start < 0 or end > len(data):
            raise StructureError("the manifest store is cut off")
        found = whole(data, start, end, found, (start, end))
    return found


def store_starts(data: Bytes) -> Iterator[int]:
    """Where stores begin: by the type of the first box and that of the box inside it."""
    for offset, window in windows_of(data, overlap=_LONGEST):
        for match in _STORE.finditer(window):
            yield offset + match.start() - 4


def _in(window: bytes, *, text: bool) -> bool:
    if _SUFFIX in window and _TRACE.search(window) is not None:
        return True
    return text and any(written in window for written in _WRITTEN)
