"""A manifest store as it lies in a file: its bytes, where they are, and what nothing vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provenance.manifest.cbor import StructureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.metadata import bmff
    from provenance.stored import Bytes

_LARGEST = 64 * 2**20
"""Bytes of a store that is read from a clip; pictures are in memory anyway."""
_MOST_LINES = 256


class Piece(NamedTuple):
    """A run of store bytes in the file."""

    file: int
    store: int
    length: int


class OpenRange(NamedTuple):
    """Bytes ``[start, end)`` of a file that nobody would see changed.

    Attributes:
        reason: why they are open, in words.
        exact: whether all of them are; False: which of them, if any, cannot be told here.
    """

    start: int
    end: int
    reason: str
    exact: bool = True

    def __str__(self) -> str:
        """One line, with the offsets of the first and the last byte."""
        return f"bytes {self.start}-{self.end - 1}: {self.reason}"


def lines(ranges: Sequence[OpenRange]) -> tuple[str, ...]:
    """One line for each; behind the first few of very many, the span that the others lie in."""
    few, rest = ranges[:_MOST_LINES], ranges[_MOST_LINES:]
    if not rest:
        return tuple(map(str, few))
    span = OpenRange(
        start=min(one.start for one in rest),
        end=max(one.end for one in rest),
        reason=f"{len(rest)} ranges in these {', '.join(dict.fromkeys(one.reason for one in rest))}",
    )
    return (*map(str, few), str(span))


class Embedded(NamedTuple):
    """A manifest store found in a container.

    Attributes:
        store: its bytes, put together.
        pieces: where they lie in the file; one where they are written in Base64, of the text's length.
        spans: file ranges of what holds them, headers included.
        open: what in those headers nothing vouches for.
        boxes: every top-level box with its first bytes, where the container is made of boxes.
        base64: whether three bytes of the store are four of the file.
    """

    store: bytes
    pieces: tuple[Piece, ...]
    spans: tuple[tuple[int, int], ...]
    open: tuple[OpenRange, ...] = ()
    boxes: tuple[tuple[bmff.Box, bytes], ...] = ()
    base64: bool = False

    @property
    def uncovered(self) -> tuple[str, ...]:
        """``open`` in words."""
        return lines(self.open)

    def file_range(self, start: int, end: int) -> tuple[int, int]:
        """File offsets from the first to the last of store bytes ``[start, end)``, which are not none.

        Where they lie in several pieces, the container's own bytes between these are in the range as well.
        """
        if self.base64:
            first = self.pieces[0].file
            return first + start * 4 // 3, first - (-end * 4 // 3)
        return self._place(start), self._place(end - 1) + 1

    def _place(self, at: int) -> int:
        """Where a byte of the store lies; of a store beside its file, in the store."""
        for piece in self.pieces:
            if piece.store <= at < piece.store + piece.length:
                return at - piece.store + piece.file
        return at


def whole(data: Bytes, start: int, end: int, found: Embedded | None, *spans: tuple[int, int]) -> Embedded:
    """The store that lies in one piece at ``[start, end)``.

    Args:
        found: a store found before in the same file.

    Raises:
        StructureError: there was one before, or it is too large.
    """
    if found is not None:
        raise several()
    if end - start > _LARGEST:
        raise StructureError(f"the manifest store has more than {_LARGEST:,} bytes")
    piece = Piece(file=start, store=0, length=end - start)
    return Embedded(store=data[start:end], pieces=(piece,), spans=spans)


def several() -> StructureError:
    """The error for a file of more than one store, in which nobody can say which one counts (§A.1)."""
    return StructureError("the file carries more than one manifest store")
