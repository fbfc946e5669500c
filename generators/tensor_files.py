"""The beginning of a safetensors file, read without the library: what a file says of itself costs nothing.

Eight bytes of length, little endian, then as many of JSON: by name the type, shape and place of each tensor,
and texts under ``__metadata__`` (https://huggingface.co/docs/safetensors, "Format").
"""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

METADATA = "__metadata__"
MOST_HEADER = 100_000_000
"""Bytes; the limit of the format for its header."""
_FRACTIONS = ("F", "BF")
_MOST_READ = 16 * 2**20
"""Bytes of a header that is parsed: some hundred thousand tensors."""


def header_length(file: BinaryIO, size: int, *, most: int = MOST_HEADER) -> int | None:
    """Bytes of the header of an open file of ``size`` bytes; None where it begins as no such file does.

    The file is left behind the length.
    """
    length = int.from_bytes(file.read(8), "little")
    return length if 2 <= length <= min(most, size - 8) else None


def read_header(path: Path) -> dict[str, Any] | None:
    """Type, shape and place by name of tensor, with ``METADATA`` where there is any.

    None where the file cannot be read, or begins as no safetensors file does.
    """
    try:
        with path.open("rb") as file:
            length = header_length(file, path.stat().st_size, most=_MOST_READ)
            header = None if length is None else json.loads(file.read(length))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not all(isinstance(entry, dict) for entry in header.values()):
        return None
    return header


def damage(path: Path) -> str | None:
    """What is wrong with a file that begins as it should: its tensors have to fill it, gapless and once.

    None where nothing is, or where the header is larger than is parsed here.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = header_length(file, size, most=_MOST_READ)
    if length is None:
        return None
    header = read_header(path)
    if header is None:
        return "its list of tensors cannot be read"
    try:
        end = 0
        for begin, until in sorted((int(begin), int(until)) for begin, until in _spans(header)):
            if begin != end or until < begin:
                return "its tensors overlap, or leave a gap"
            end = until
    except (KeyError, TypeError, ValueError):
        return "its list of tensors does not say where they are"
    held = size - 8 - length
    return None if end == held else f"it holds {held:,} bytes of tensors where its header says {end:,}"


def _spans(header: Mapping[str, Any]) -> Iterable[tuple[int, int]]:
    return (entry["data_offsets"] for name, entry in header.items() if name != METADATA)


def metadata_of(header: Mapping[str, Any] | None) -> dict[str, Any]:
    """The texts of a header; none where it holds none."""
    return {} if header is None else dict(header.get(METADATA, {}))


def numbers(path: Path) -> int:
    """How many fractions a file holds, whatever their precision; whole numbers and truth values aside."""
    header = read_header(path) or {}
    tensors = (entry for name, entry in header.items() if name != METADATA)
    return sum(
        prod(one.get("shape", ())) for one in tensors if str(one.get("dtype", "")).startswith(_FRACTIONS)
    )
