"""Frames of H.264 that a file lacks, told by the numbers that the others bear.

Every frame to which others may refer counts ``frame_num`` up by one (ITU-T H.264 §7.4.3). Where the count
jumps libavcodec fills in the frame before, and says nothing. Nothing else is read here, and what cannot be
read is left to the decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLICE, _KEY_SLICE, _PARAMETERS = 1, 5, 7
_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""Profiles whose sequence parameters say how colours are stored (§7.3.2.1.1)."""
_ENOUGH = 64
"""Bytes of a slice in which its number lies, with much to spare."""
_MOST_BITS = 16
_AFTER_RESET = frozenset({0, 1})
"""A frame may set the count back (§7.4.3, memory_management_control_operation 5), deep in its header."""


@dataclass(slots=True, kw_only=True)
class FrameNumbers:
    """Goes over the packets of one track in the order in which they are stored.

    Attributes:
        length_size: bytes before each unit of a packet, which hold its length.
        bits: of a frame's number.
        planes: whether every slice names its colour plane.
        parameters: the sequence parameters that say so.
        last: number of the last frame that others may refer to; None once nothing can be told.
    """

    length_size: int
    bits: int
    planes: bool
    parameters: bytes
    last: int | None = 0

    @classmethod
    def of(cls, configuration: bytes | None) -> FrameNumbers | None:
        """Args:
            configuration: an ``avcC`` record (ISO/IEC 14496-15 §5.3.3.1).

        Returns:
            None where it holds anything but one set of sequence parameters, or allows gaps.
        """
        if not configuration or len(configuration) < 8 or configuration[0] != 1 or configuration[5] & 31 != 1:
            return None
        size = int.from_bytes(configuration[6:8], "big")
        parameters = configuration[8 : 8 + size]
        try:
            bits, planes, gaps = _read_parameters(_Bits(parameters[1:]))
        except IndexError:
            return None
        if gaps or bits > _MOST_BITS:
            return None
        length_size = (configuration[4] & 3) + 1
        return cls(length_size=length_size, bits=bits, planes=planes, parameters=parameters)

    def lack_one_before(self, packet: memoryview, *, key: bool) -> bool:
        """Whether a frame is missing before the one in ``packet``, to which this one or later ones refer."""
        for unit in self._units(packet):
            kind, referred_to = unit[0] & 31, unit[0] >> 5 & 3
            if kind == _PARAMETERS and bytes(unit) != self.parameters:
                self.last = None
            if self.last is None or kind not in {_SLICE, _KEY_SLICE}:
                continue
            number = self._number(unit)
            if number is None:
                return False
            follows = number in {self.last, (self.last + 1) % (1 << self.bits)}
            self.last = number if referred_to or key else self.last
            return not (key or follows or number in _AFTER_RESET)
        return False

    def _units(self, packet: memoryview) -> Iterator[memoryview]:
        at = 0
        while at + self.length_size < len(packet):
            start = at + self.length_size
            at = start + int.from_bytes(packet[at:start], "big")
            if at > start:
                yield packet[start:at]

    def _number(self, unit: memoryview) -> int | None:
        header = _Bits(bytes(unit[1:_ENOUGH]))
        try:
            for _ in ("first macroblock", "type", "picture parameters"):
                header.exponential()
            if self.planes:
                header.fixed(2)
            return header.fixed(self.bits)
        except IndexError:
            return None


class _Bits:
    """Reads §7.2 and §9.1 of the standard from a unit; IndexError at its end."""

    def __init__(self, unit: bytes) -> None:
        self._data = unit.replace(b"\0\0\3", b"\0\0")
        self._at = 0

    def fixed(self, count: int) -> int:
        value = 0
        for at in range(self._at, self._at + count):
            value = value << 1 | self._data[at >> 3] >> (7 - at % 8) & 1
        self._at += count
        return value

    def exponential(self) -> int:
        zeros = 0
        while not self.fixed(1):
            zeros += 1
        return (1 << zeros) - 1 + self.fixed(zeros)

    def signed(self) -> int:
        value = self.exponential()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def _read_parameters(bits: _Bits) -> tuple[int, bool, bool]:
    """Bits of a frame's number, whether slices name their plane, and whether numbers may be left out."""
    profile, _, _ = bits.fixed(8), bits.fixed(16), bits.exponential()
    planes = profile in _WITH_CHROMA and _skip_chroma(bits)
    number_bits = bits.exponential() + 4
    order = bits.exponential()
    if order == 0:
        bits.exponential()
    elif order == 1:
        _ = bits.fixed(1), bits.signed(), bits.signed()
        for _ in range(bits.exponential()):
            bits.signed()
    bits.exponential()
    return number_bits, planes, bool(bits.fixed(1))


def _skip_chroma(bits: _Bits) -> bool:
    chroma = bits.exponential()
    planes = chroma == 3 and bool(bits.fixed(1))
    _ = bits.exponential(), bits.exponential(), bits.fixed(1)
    if bits.fixed(1):
        for number in range(12 if chroma == 3 else 8):
            if bits.fixed(1):
                _skip_scaling(bits, 16 if number < 6 else 64)
    return planes


def _skip_scaling(bits: _Bits, count: int) -> None:
    scale = 8
    for _ in range(count):
        scale = (scale + bits.signed()) % 256
        if not scale:
            return
