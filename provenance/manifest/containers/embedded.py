"""A manifest store as it lies in a file: its bytes, where they are, and what nothing vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provenance.manifest.cbor import StructureError

if TYPE_CHECKING:
    from provenance.metadata import bmff
    from provenance.stored import Bytes

_LARGEST = 64 * 2**20
"""Bytes of a store that is read from a clip; pictures are in memory anyway."""


class Piece(NamedTuple):
    """A run of store bytes in the file."""

    file: int
    store: int
    length: int


class Embedded(NamedTuple):
    """A manifest store found in a container.

    Attributes:
        store: its bytes, put together.
        pieces: where they lie in the file; one where they are written in Base64, of the text's length.
        spans: file ranges of what holds them, headers included.
        uncovered: what in those headers nothing vouches for.
        boxes: every top-level box with its first bytes, where the container is made of boxes.
        base64: whether three bytes of the store are four of the file.
    """

    store: bytes
    pieces: tuple[Piece, ...]
    spans: tuple[tuple[int, int], ...]
    uncovered: tuple[str, ...] = ()
    boxes: tuple[tuple[bmff.Box, bytes], ...] = ()
    base64: bool = False

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
