"""ID3 tags before MP3 and FLAC sound, walked far enough to find frames (ID3v2.3.0 §3, ID3v2.4.0 §3-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata.parts import MOST, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.stored import Bytes

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_HEADER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame; offsets are into the file.

    Attributes:
        kind: four letters and digits.
        flags: what was done to its content; 0: nothing.
        start: offset of the frame.
        data: offset of its content.
        end: offset after it.
    """

    kind: bytes
    flags: int
    start: int
    data: int
    end: int


def is_id3(data: Bytes) -> bool:
    """Whether the bytes start with an ID3v2 tag."""
    return data.startswith(b"ID3")


def tag_end(data: Bytes) -> int:
    """Offset after the tag at the beginning; 0 where there is none. It may lie past the end of the file."""
    if not is_id3(data):
        return 0
    head = data[:_HEADER].ljust(_HEADER, b"\0")
    return _HEADER + _safe(head[6:]) + _HEADER * (head[3] == 4 and bool(head[5] & _FOOTER))


def frames(data: Bytes, most: int = MOST) -> Iterator[Frame]:
    """The frames of the tag, as far as they follow each other; taggers leave odd things behind them.

    Tags of version 2.2 and unsynchronised ones, whose content is written differently, give none.

    Raises:
        InputError: ``media.damaged`` when the tag reaches past the end of the file;
            ``input.too-many-parts`` after ``most`` frames.
    """
    return bounded(_frames(data), most)


def _frames(data: Bytes) -> Iterator[Frame]:
    limit, head = tag_end(data), data[:_HEADER]
    if not limit:
        return
    if limit > len(data) or max(head[6:]) >= 0x80:
        raise InputError("media.damaged", "the ID3 tag reaches past the end of the file, or says no length")
    version, flags = head[3], head[5]
    if version not in (3, 4) or flags & _UNSYNCHRONISED:
        return
    position = _HEADER + (_extended(data, version) if flags & _EXTENDED else 0)
    while position + _HEADER <= limit:
        head = data[position : position + _HEADER]
        end = position + _HEADER + _length(head[4:8], version)
        if not head[:4].isalnum() or not head[:4].isupper() or end > limit:
            return  # padding, or what no reader follows either
        flags = int.from_bytes(head[8:10], "big")
        yield Frame(kind=head[:4], flags=flags, start=position, data=position + _HEADER, end=end)
        position = end


def _extended(data: Bytes, version: int) -> int:
    size = data[_HEADER : _HEADER + 4]
    return _safe(size) if version == 4 else 4 + int.from_bytes(size, "big")


def _length(size: bytes, version: int) -> int:
    """Version 2.4 counts in seven bits a byte; some writers did not, which their eighth bits show."""
    return _safe(size) if version == 4 and max(size) < 0x80 else int.from_bytes(size, "big")


def _safe(size: bytes) -> int:
    value = 0
    for byte in size:
        value = value << 7 | byte & 0x7F
    return value
