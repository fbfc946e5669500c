"""Where a container keeps its manifest store, decided by us (C2PA spec, Appendix A).

Whether a file carries a manifest must not depend on whether a library can read it: a damaged
manifest is a finding, no manifest is not. The walk is strict; what the hard binding leaves out of its
hash (lengths, checksums, segment headers) is checked here instead.

Every kind of file is one ``Container``: how it is recognised, what it is made of, and where its store lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.manifest.containers.boxes import heads, in_bmff, in_riff
from provenance.manifest.containers.documents import in_pdf, in_svg
from provenance.manifest.containers.embedded import Embedded, Piece
from provenance.manifest.containers.pictures import in_gif, in_jpeg, in_png, in_tiff
from provenance.manifest.containers.sound import in_id3
from provenance.manifest.containers.traces import anywhere, has_own_trace, has_trace
from provenance.metadata import bmff, flac, gif, id3, jpeg, png, riff, svg, tiff
from provenance.metadata.parts import check_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provenance.stored import Bytes

__all__ = [
    "CONTAINERS",
    "Container",
    "Embedded",
    "Piece",
    "beside",
    "container_of",
    "find_store",
    "find_store_within_limits",
    "has_own_trace",
    "has_trace",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
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


def _held(walk: Callable[[bytes, int], Iterable[object]]) -> Callable[[Bytes, int], Iterable[object]]:
    """A walk through bytes in memory, where pictures are."""
    return lambda data, most: walk(bytes(data), most)


def _begins(signature: bytes) -> Callable[[Bytes], bool]:
    return lambda data: data.startswith(signature)


def _in_one_part(_data: Bytes, _most: int) -> Iterable[object]:
    return ()


CONTAINERS = (
    Container(name="ISO base media", recognises=bmff.is_bmff, parts=bmff.boxes, find=in_bmff),
    Container(
        name="PNG", recognises=_begins(png.SIGNATURE), parts=_held(png.chunks), find=in_png, counts=True
    ),
    Container(
        name="JPEG", recognises=_begins(jpeg.SIGNATURE), parts=_held(jpeg.segments), find=in_jpeg, counts=True
    ),
    Container(name="RIFF", recognises=riff.is_riff, parts=riff.chunks, find=in_riff),
    Container(name="TIFF", recognises=tiff.is_tiff, parts=_held(tiff.directories), find=in_tiff),
    Container(name="GIF", recognises=gif.is_gif, parts=_held(gif.applications), find=in_gif),
    Container(name="FLAC", recognises=flac.is_flac, parts=flac.blocks, find=in_id3),
    Container(name="ID3", recognises=id3.is_id3, parts=id3.frames, find=in_id3),
    Container(name="PDF", recognises=_begins(b"%PDF-"), parts=_in_one_part, find=in_pdf),
    Container(name="SVG", recognises=svg.is_svg, parts=_in_one_part, find=in_svg),
)
"""FLAC stands before ID3, which may precede it."""


def container_of(data: Bytes) -> Container | None:
    """The container that ``data`` begins like."""
    return next((container for container in CONTAINERS if container.recognises(data)), None)


def find_store(data: Bytes) -> Embedded | None:
    """The manifest store of a file, or None when its container holds none.

    Raises:
        StructureError: several stores, or one whose framing is wrong.
        InputError: ``media.damaged`` when the container cannot be walked.
    """
    container = container_of(data)
    return anywhere(data) if container is None else container.find(data)


def beside(data: Bytes, store: bytes) -> Embedded:
    """A store that lies in a file of its own, about ``data``: no byte of ``data`` holds any of it.

    Raises:
        InputError: ``media.damaged`` or ``input.too-many-parts``.
    """
    check_parts(data)
    boxes = tuple(heads(data)) if bmff.is_bmff(data) else ()
    return Embedded(store=store, pieces=(Piece(file=0, store=0, length=len(store)),), spans=(), boxes=boxes)


def find_store_within_limits(data: Bytes) -> Embedded | None:
    """As ``find_store``, of a file whose parts are counted before anything else is done with them.

    Raises:
        StructureError: as ``find_store``.
        InputError: as ``find_store``; ``input.too-many-parts``.
    """
    container = container_of(data)
    if container is None or not container.counts:
        check_parts(data)
    return find_store(data) if container is None else container.find(data)
