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
    """Reads items one after the other from ``data`` within ``[position, end)``."""

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end
        self._left = _MAX_ITEMS

    def item(self, depth: int = 0) -> Any:
        """The next item; byte strings as bytes, maps as dict, unhashable keys refused.

        Raises:
            StructureError: truncated, too deep, too long or not CBOR.
        """
        return _whole(self._any(depth))

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
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise StructureError("CBOR: too deep or too long")
        position = self.position
        if position < self.end and 0x60 <= (initial := self.data[position]) < 0x78:
            # Most items are short texts, and every file has hundreds: no call for their heads.
            self.position = position + 1
            return self._string(3, initial & 31)
        major, info, argument = self.head()
        if major == 2 or major == 3:  # noqa: PLR1714 - as above
            return self._string(major, argument)
        if major == 5:
            return self._map(argument, depth)
        if major == 4:
            return self._array(argument, depth)
        if argument is None or major == 7:
            return self._simple(info, argument)
        if major == 0:
            return argument
        return -1 - argument if major == 1 else Tagged(tag=argument, value=self.item(depth + 1))

    def _string(self, major: int, length: int | None) -> bytes | str:
        if length is None:
            raw = self._pieces()
        else:
            start = self.position
            self.position = stop = start + length
            if stop > self.end:
                raise StructureError("CBOR: cut off")
            raw = self.data[start:stop]
        if major == 2:
            return raw
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise StructureError("CBOR: text is not UTF-8") from error

    def _pieces(self) -> bytes:
        parts = []
        while not isinstance(part := self._any(_MAX_DEPTH), _Break):
            parts.append(part if isinstance(part, bytes) else str(part).encode())
        return b"".join(parts)

    def _array(self, length: int | None, depth: int) -> list[Any]:
        if length is not None:
            return [self.item(depth + 1) for _ in range(self._bounded(length))]
        items = []
        while not isinstance(value := self._any(depth + 1), _Break):
            items.append(value)
        return items

    def _map(self, length: int | None, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        count = -1 if length is None else self._bounded(length)
        while count != 0:
            key = self._any(depth + 1)
            if key is _BREAK:
                if length is not None:
                    raise StructureError("CBOR: a break inside a map of known length")
                break
            if not isinstance(key, (str, int, bytes)) or key in result:
                raise StructureError("CBOR: a map key is repeated or not plain")
            value = result[key] = self._any(depth + 1)
            if value is _BREAK:
                _whole(value)
            count -= 1
        return result

    def _simple(self, info: int, argument: int | None) -> Any:
        if argument is None:
            return _BREAK
        if info < 25:
            return {20: False, 21: True}.get(argument)
        form = {25: ">e", 26: ">f", 27: ">d"}[info]
        return struct.unpack(form, argument.to_bytes(1 << (info - 24), "big"))[0]

    def _bounded(self, length: int) -> int:
        if length > self.end - self.position:
            raise StructureError("CBOR: more items than bytes")
        return length

    def _take(self, count: int) -> bytes:
        start, self.position = self.position, self.position + count
        if self.position > self.end:
            raise StructureError("CBOR: cut off")
        return self.data[start : self.position]


def _whole(value: Any) -> Any:
    if value is _BREAK:
        raise StructureError("CBOR: a break outside an indefinite-length item")
    return value


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
