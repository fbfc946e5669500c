"""As much of DER (X.690 §8 and §10) as a time-stamp needs: bounded, strict, nothing guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGER, OCTETS, NULL, OID, TIME = 0x02, 0x04, 0x05, 0x06, 0x18
SEQUENCE, SET = 0x30, 0x31
_MOST_CHILDREN = 256


class DerError(ValueError):
    """The bytes are not what the format says they are; stays inside this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value: ``data[start:end]`` with its header, ``data[body:end]`` without."""

    data: bytes
    tag: int
    start: int
    body: int
    end: int

    @property
    def content(self) -> bytes:
        """The value without its header."""
        return self.data[self.body : self.end]

    @property
    def whole(self) -> bytes:
        """The value with its header."""
        return self.data[self.start : self.end]

    def children(self) -> tuple[Node, ...]:
        """The values inside.

        Raises:
            DerError: cut off, or more than 256.
        """
        return tuple(_values(self.data, self.body, self.end))

    def expect(self, *tags: int) -> Node:
        """This value, where it has one of ``tags``.

        Raises:
            DerError: it has another.
        """
        if self.tag not in tags:
            raise DerError(f"tag {self.tag:#04x} where {tags[0]:#04x} belongs")
        return self

    def integer(self) -> int:
        """An INTEGER.

        Raises:
            DerError: it is none, or longer than 64 bytes.
        """
        content = self.expect(INTEGER).content
        if not 0 < len(content) <= 64:
            raise DerError("an integer without digits, or with too many")
        return int.from_bytes(content, "big", signed=True)

    def oid(self) -> str:
        """An OBJECT IDENTIFIER with dots.

        Raises:
            DerError: it is none.
        """
        numbers, value = [], 0
        for byte in self.expect(OID).content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        if not numbers or self.content[-1] & 0x80 or len(self.content) > 64:
            raise DerError("an object identifier without an end")
        top = min(numbers[0] // 40, 2)
        return ".".join(map(str, (top, numbers[0] - 40 * top, *numbers[1:])))


def parse(data: bytes) -> Node:
    """The one value that fills ``data``.

    Raises:
        DerError: it is cut off, or something follows.
    """
    found = tuple(_values(data, 0, len(data)))
    if len(found) != 1:
        raise DerError("not exactly one value")
    return found[0]


def encode(tag: int, *parts: bytes) -> bytes:
    """A value of ``tag`` over ``parts``."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def encode_integer(value: int) -> bytes:
    """A non-negative INTEGER."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encode_oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return encode(OID, b"".join(map(_base128, (40 * first + second, *rest))))


def _base128(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _values(data: bytes, start: int, end: int) -> Iterator[Node]:
    for _ in range(_MOST_CHILDREN):
        if start == end:
            return
        node = _value(data, start, end)
        yield node
        start = node.end
    if start != end:
        raise DerError("too many values in one")


def _value(data: bytes, start: int, limit: int) -> Node:
    if start + 2 > limit or data[start] & 0x1F == 0x1F:
        raise DerError("a header is cut off, or has a tag of several bytes")
    length, body = data[start + 1], start + 2
    if length & 0x80:
        count = length & 0x7F
        # 0x80 alone is the indefinite form of BER, which DER forbids (X.690 §10.1).
        if not 0 < count <= 4 or body + count > limit:
            raise DerError("a length is not that of DER")
        length = int.from_bytes(data[body : body + count], "big")
        body += count
    if body + length > limit:
        raise DerError("a value is longer than what holds it")
    return Node(data=data, tag=data[start], start=start, body=body, end=body + length)
