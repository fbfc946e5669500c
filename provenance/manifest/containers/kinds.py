"""What a kind of file is made of, as far as finding a manifest store in it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provenance.manifest.containers.embedded import Embedded
    from provenance.stored import Bytes


class Container(NamedTuple):
    """One kind of file.

    Attributes:
        name: of the container, not of what is in it.
        recognises: by the first bytes.
        parts: what it is made of, from the beginning, up to a number (``provenance.metadata.parts``).
        find: the manifest store in its place, or None; raises ``StructureError`` for several or a broken
            frame around it, ``InputError`` ``media.damaged`` where the container cannot be walked.
        counts: whether ``find`` walks exactly ``parts``, to their end and within the same limit.
    """

    name: str
    recognises: Callable[[Bytes], bool]
    parts: Callable[[Bytes, int], Iterable[object]]
    find: Callable[[Bytes], Embedded | None]
    counts: bool = False


def held(walk: Callable[[bytes, int], Iterable[object]]) -> Callable[[Bytes, int], Iterable[object]]:
    """A walk through bytes in memory, where pictures are."""
    return lambda data, most: walk(bytes(data), most)


def begins(signature: bytes) -> Callable[[Bytes], bool]:
    """Whether a file begins with this."""
    return lambda data: data.startswith(signature)
