"""TIFF directories (TIFF 6.0 §2), enough to find, add and remove tags of the first one."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.metadata.parts import MOST, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.stored import Bytes

XMP, C2PA, EXIF_IFD, GPS_IFD = 700, 0xCD41, 34665, 34853
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One directory entry; ``start`` and ``end`` bound its value in the file, ``position`` is its own."""

    tag: int
    position: int
    kind: int
    count: int
    raw: bytes
    start: int
    end: int
    inline: bool

    def payload(self, data: bytes) -> bytes:
        """The value's bytes."""
        return data[self.start : self.end]


def is_tiff(data: Bytes) -> bool:
    """Whether the bytes start like a classic TIFF file."""
    return data[:4] in (b"II*\0", b"MM\0*") and len(data) >= 8


def order(data: bytes) -> str:
    """``struct`` prefix of the file's byte order."""
    return "<" if data[:2] == b"II" else ">"


def directories(data: bytes, most: int = MOST) -> Iterator[tuple[Entry, ...]]:
    """The entries of each directory, in the order in which the directories name each other.

    Raises:
        InputError: ``media.damaged`` as ``directory``, or when the directories go round in a circle;
            ``input.too-many-parts`` at more than ``most`` directories and entries together.
    """
    seen: set[int] = set()
    following: int | None = None
    left = most
    while following != 0:
        entries, offset, following = directory(data, following, most)
        if offset in seen:
            raise InputError("media.damaged", "the directories of the TIFF go round in a circle")
        seen.add(offset)
        left -= 1 + len(entries)
        if left < 0:
            raise too_many(most)
        yield entries


def directory(data: bytes, offset: int | None = None, most: int = MOST) -> tuple[tuple[Entry, ...], int, int]:
    """Entries of a directory (the first by default), its offset and the offset of the next.

    Raises:
        InputError: ``media.damaged`` when a value or the directory lies outside the file;
            ``input.too-many-parts`` when it has more than ``most`` entries.
    """
    sign = order(data)
    try:
        if offset is None:
            (offset,) = struct.unpack_from(sign + "I", data, 4)
        (count,) = struct.unpack_from(sign + "H", data, offset)
        if count > most:
            raise too_many(most)
        entries = tuple(_entry(data, sign, offset + 2 + 12 * index) for index in range(count))
        (following,) = struct.unpack_from(sign + "I", data, offset + 2 + 12 * count)
    except struct.error as error:
        raise InputError("media.damaged", "a TIFF directory lies outside the file") from error
    return entries, offset, following


def _entry(data: bytes, sign: str, position: int) -> Entry:
    tag, kind, count = struct.unpack_from(sign + "HHI", data, position)
    size = _SIZES.get(kind, 1) * count
    inline = size <= 4
    start = position + 8 if inline else struct.unpack_from(sign + "I", data, position + 8)[0]
    if start + size > len(data):
        raise InputError("media.damaged", f"the value of TIFF tag {tag} lies outside the file")
    return Entry(
        tag=tag,
        position=position,
        kind=kind,
        count=count,
        raw=data[position : position + 12],
        start=start,
        end=start + size,
        inline=inline,
    )


def rewrite(data: bytes, *, drop: frozenset[int], blobs: dict[int, bytes]) -> bytes:
    """The file with tags of its first directory dropped and byte values added.

    The new directory is appended (pixel offsets stay valid); dropped values are overwritten with
    zeros, because an unreachable GPS position is still a GPS position.

    Raises:
        InputError: ``media.damaged`` for a broken directory.
    """
    sign, out = order(data), bytearray(data)
    entries, offset, following = directory(data)
    for entry in entries:
        if entry.tag in drop or entry.tag in blobs:
            _blank(out, data, entry)
    raws = {e.tag: e.raw for e in entries if e.tag not in drop and e.tag not in blobs}
    out[offset : offset + 2 + 12 * len(entries) + 4] = bytes(2 + 12 * len(entries) + 4)
    for tag, value in blobs.items():
        out += b"\0" * (len(out) & 1)
        if len(value) > 4:
            raws[tag] = struct.pack(sign + "HHII", tag, 1, len(value), len(out))
            out += value
        else:
            raws[tag] = struct.pack(sign + "HHI", tag, 1, len(value)) + value.ljust(4, b"\0")
    out += b"\0" * (len(out) & 1)
    struct.pack_into(sign + "I", out, 4, len(out))
    out += struct.pack(sign + "H", len(raws)) + b"".join(raws[tag] for tag in sorted(raws))
    out += struct.pack(sign + "I", following)
    return bytes(out)


def _blank(out: bytearray, data: bytes, entry: Entry) -> None:
    if not entry.inline:
        out[entry.start : entry.end] = bytes(entry.end - entry.start)
    if entry.tag in (EXIF_IFD, GPS_IFD):
        (offset,) = struct.unpack_from(order(data) + "I", data, entry.start)
        inner, start, _ = directory(data, offset)
        for child in inner:
            if not child.inline:
                out[child.start : child.end] = bytes(child.end - child.start)
        out[start : start + 2 + 12 * len(inner) + 4] = bytes(2 + 12 * len(inner) + 4)
