"""RIFF chunks, as WebP (RFC 9649 §2.3) and WAV files have them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata.parts import MOST, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.stored import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One chunk; offsets are into the file, ``end`` is before the pad byte."""

    kind: bytes
    start: int
    data: int
    end: int

    def payload(self, data: bytes) -> bytes:
        """The chunk's data bytes."""
        return data[self.data : self.end]


def is_riff(data: Bytes) -> bool:
    """Whether the bytes start like a RIFF file of any form."""
    return data.startswith(b"RIFF") and len(data) >= 12


def is_webp(data: Bytes) -> bool:
    """Whether the bytes start like a WebP file."""
    return is_riff(data) and data[8:12] == b"WEBP"


def chunks(data: Bytes, most: int = MOST) -> Iterator[Chunk]:
    """The top-level chunks inside the RIFF form.

    Raises:
        InputError: ``media.damaged`` when a chunk reaches past the end of the file;
            ``input.too-many-parts`` after ``most`` chunks.
    """
    return bounded(_chunks(data), most)


def _chunks(data: Bytes) -> Iterator[Chunk]:
    form_end = 8 + int.from_bytes(data[4:8], "little")
    if form_end > len(data):
        raise InputError("media.damaged", "the RIFF file is shorter than its header says")
    position = 12
    while position + 8 <= form_end:
        kind, length = struct.unpack("<4sI", data[position : position + 8])
        end = position + 8 + length
        if end > form_end:
            raise InputError("media.damaged", "a RIFF chunk reaches past the end of the file")
        yield Chunk(kind=kind, start=position, data=position + 8, end=end)
        position = end + (length & 1)


def chunk(kind: bytes, payload: bytes) -> bytes:
    """An encoded chunk with its pad byte."""
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)


def webp(parts: list[bytes]) -> bytes:
    """A WebP file over encoded chunks."""
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body
