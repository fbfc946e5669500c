"""A small, bounded CBOR reader (RFC 8949), for what C2PA puts into claims and signatures.

The C2PA library hands assertions out as JSON, in which a list of small integers becomes base64 text.
What was signed is the CBOR, so that is what is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 32
_MAX_ITEMS = 100_000
"""Items in one document; a manifest's largest assertion holds a few thousand."""
_SIMPLE = {20: False, 21: True}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


class StructureError(ValueError):
    """The bytes are not what the format says they are; stays inside this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A tagged value (RFC 8949 §3.4)."""

    tag: int
    value: Any


class _Break:
    """End of an indefinite-length item."""


_BREAK = _Break()


class Decoder:
    """Reads items one after the other from ``data`` within ``[position, end)``.

    Every file that is verified has hundreds of items, most of them short texts in maps, so those are read
    without calls of their own.
    """

    __slots__ = ("_left", "data", "end", "position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end
        self._left = _MAX_ITEMS

    def item(self) -> Any:
        """The next item; byte strings as bytes, maps as dict, unhashable keys refused.

        Raises:
            StructureError: truncated, too deep, too long or not CBOR.
        """
        try:
            return _whole(self._any(0))
        except UnicodeDecodeError as error:
            raise StructureError("CBOR: text is not UTF-8") from error

    def head(self) -> tuple[int, int, int | None]:
        """Major type, additional information and argument of the next item."""
        position = self.position
        if position >= self.end:
            raise StructureError("CBOR: cut off")
        self.position = position + 1
        initial = self.data[position]
        info = initial & 31
        return initial >> 5, info, info if info < 24 else self._argument(initial >> 5, info)

    def _argument(self, major: int, info: int) -> int | None:
        if info <= 27:
            return int.from_bytes(self._take(1 << (info - 24)), "big")
        if info == 31 and major in (2, 3, 4, 5, 7):
            return None
        raise StructureError("CBOR: reserved additional information")

    def _any(self, depth: int) -> Any:
        """The next item, or ``_BREAK``; whoever holds it has counted it (``_count``)."""
        position = self.position
        if position >= self.end:
            raise StructureError("CBOR: cut off")
        initial = self.data[position]
        self.position = position + 1
        if 0x60 <= initial < 0x78:
            return self._take(initial - 0x60).decode()
        major, info = initial >> 5, initial & 31
        argument = info if info < 24 else self._argument(major, info)
        if major == 5:
            return self._map(argument, depth)
        if major == 3:
            return self._string(3, argument).decode()
        if major == 2:
            return self._string(2, argument)
        if major == 4:
            return self._array(argument, depth)
        if argument is None or major == 7:
            return self._simple(info, argument)
        if major == 6:
            self._count(1, depth)
            return Tagged(tag=argument, value=_whole(self._any(depth + 1)))
        return argument if major == 0 else -1 - argument

    def _string(self, major: int, length: int | None) -> bytes:
        """The bytes of a string of either kind; one of unknown length is made of known ones (§3.2.3)."""
        if length is not None:
            return self._take(length)
        parts = []
        while (head := self.head()) != (7, 31, None):
            if head[0] != major or head[2] is None:
                raise StructureError("CBOR: a string is made of something else")
            parts.append(self._take(head[2]))
        return b"".join(parts)

    def _array(self, length: int | None, depth: int) -> list[Any]:
        if length is not None:
            self._count(length, depth)
            return [_whole(self._any(depth + 1)) for _ in range(length)]
        items = []
        while (value := self._next(depth)) is not _BREAK:
            items.append(value)
        return items

    def _map(self, length: int | None, depth: int) -> dict[Any, Any]:
        if length is None:
            return self._open_map(depth)
        self._count(2 * length, depth)
        result: dict[Any, Any] = {}
        data, end, below = self.data, self.end, depth + 1
        for _ in range(length):
            position = self.position
            if position < end and 0x60 <= (initial := data[position]) < 0x78:
                self.position = stop = position + initial - 0x5F
                if stop > end:
                    raise StructureError("CBOR: cut off")
                key: Any = data[position + 1 : stop].decode()
                if key in result:
                    raise StructureError("CBOR: a map key is repeated or not plain")
            else:
                key = _plain(self._any(below), result)
            value = result[key] = self._any(below)
            if value is _BREAK:
                _whole(value)
        return result

    def _open_map(self, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        while (key := self._next(depth)) is not _BREAK:
            result[_plain(key, result)] = _whole(self._next(depth))
        return result

    def _next(self, depth: int) -> Any:
        """The next item of what is of unknown length, or its end."""
        self._count(1, depth)
        return self._any(depth + 1)

    def _count(self, items: int, depth: int) -> None:
        """Counts ``items`` that an item at ``depth`` holds."""
        self._left -= items
        if items and (depth >= _MAX_DEPTH or self._left < 0):
            raise StructureError("CBOR: too deep or too long")

    def _simple(self, info: int, argument: int | None) -> Any:
        if argument is None:
            return _BREAK
        if info < 25:
            return _SIMPLE.get(argument)
        return struct.unpack(_FLOATS[info], argument.to_bytes(1 << (info - 24), "big"))[0]

    def _take(self, count: int) -> bytes:
        start = self.position
        self.position = stop = start + count
        if stop > self.end:
            raise StructureError("CBOR: cut off")
        return self.data[start:stop]


def _plain(key: Any, known: dict[Any, Any]) -> Any:
    if not isinstance(key, (str, int, bytes)) or key in known:
        raise StructureError("CBOR: a map key is repeated or not plain")
    return key


def _whole(value: Any) -> Any:
    if value is _BREAK:
        raise StructureError("CBOR: a break outside an indefinite-length item")
    return value


def byte_string(value: bytes) -> bytes:
    """``value`` as a CBOR byte string in its one shortest form (§4.2.1)."""
    size = len(value)
    if size < 24:
        return bytes([0x40 | size]) + value
    width = next(width for width in range(4) if size < 1 << (8 << width))
    return bytes([0x58 + width]) + size.to_bytes(1 << width, "big") + value


def decode(data: bytes) -> Any:
    """The one item that ``data`` holds.

    Raises:
        StructureError: not exactly one CBOR item.
    """
    decoder = Decoder(data)
    value = decoder.item()
    if decoder.position != len(data):
        raise StructureError("CBOR: bytes after the item")
    return value
