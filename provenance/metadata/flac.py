"""Metadata blocks of FLAC files (RFC 9639 §8), behind an ID3 tag if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata import id3
from provenance.metadata.parts import MOST, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.stored import Bytes

_MARK = b"fLaC"
_LAST = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One metadata block; offsets are into the file."""

    kind: int
    start: int
    end: int


def is_flac(data: Bytes) -> bool:
    """Whether the bytes start like a FLAC file, or with an ID3 tag and then like one."""
    start = id3.tag_end(data)
    return data[start : start + 4] == _MARK


def blocks(data: Bytes, most: int = MOST) -> Iterator[Block]:
    """The metadata blocks before the sound.

    Raises:
        InputError: ``media.damaged`` when one reaches past the end of the file;
            ``input.too-many-parts`` after ``most`` blocks.
    """
    return bounded(_blocks(data), most)


def _blocks(data: Bytes) -> Iterator[Block]:
    position, kind = id3.tag_end(data) + 4, 0
    while not kind & _LAST:
        head = data[position : position + 4]
        end = position + 4 + int.from_bytes(head[1:], "big")
        if len(head) < 4 or end > len(data):
            raise InputError("media.damaged", "a FLAC metadata block reaches past the end of the file")
        kind = head[0]
        yield Block(kind=kind & ~_LAST, start=position, end=end)
        position = end
