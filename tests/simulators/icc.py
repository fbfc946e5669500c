"""A colour profile that nobody has rights in."""

from __future__ import annotations

import itertools
import struct


def smallest_cmyk_profile() -> bytes:
    """The smallest ICC profile from CMYK (ICC.1 §10.10, lut8Type): two points a channel, cyan shown as red.

    Its colours are wrong on purpose: only a decoder that uses it gets them.
    """
    cube = b""
    for cyan, magenta, yellow, black in itertools.product((0, 1), repeat=4):
        red, green, blue = (1 - magenta) * (1 - black), (1 - cyan) * (1 - black), (1 - yellow) * (1 - black)
        light = 0.3 * red + 0.6 * green + 0.1 * blue
        lab = 255 * light, 128 + 60 * (red - green), 128 + 30 * (red + green - 2 * blue)
        cube += bytes(round(value) for value in lab)
    straight, unity = bytes(range(256)), struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    white = struct.pack(">3i", 63190, 65536, 54061)  # D50
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + white,
        b"A2B0": b"mft1\0\0\0\0\4\3\2\0" + unity + straight * 4 + cube + straight * 3,
    }
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    size = 128 + len(table) + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + table + data
