"""Where a container keeps its manifest store, decided by us (C2PA spec, Appendix A).

Whether a file carries a manifest must not depend on whether a library can read it: a damaged
manifest is a finding, no manifest is not. The walk is strict; what the hard binding leaves out of its
hash (lengths, checksums, segment headers) is checked here instead.

Every kind of file is one ``Container``: how it is recognised, what it is made of, and where its store lies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.manifest.containers.embedded import Embedded, Piece
from provenance.manifest.containers.kinds import Container
from provenance.manifest.containers.pictures import PICTURES
from provenance.manifest.containers.traces import anywhere, has_own_trace, has_trace
from provenance.metadata.parts import check_parts

if TYPE_CHECKING:
    from provenance.stored import Bytes

__all__ = [
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


def container_of(data: Bytes) -> Container | None:
    """The container that ``data`` begins like."""
    if not _is_bmff(data):
        for container in PICTURES:
            if container.recognises(data):
                return container
    from provenance.manifest.containers.others import OTHERS  # noqa: PLC0415 - ten modules for fewer files

    return next((container for container in OTHERS if container.recognises(data)), None)


def _is_bmff(data: Bytes) -> bool:
    """As ``provenance.metadata.bmff.is_bmff``; such a file may begin like a JPEG besides, and is none."""
    return data[4:8] == b"ftyp"


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
    pieces = (Piece(file=0, store=0, length=len(store)),)
    if not _is_bmff(data):
        return Embedded(store=store, pieces=pieces, spans=())
    from provenance.manifest.containers.boxes import heads  # noqa: PLC0415 - clips only

    return Embedded(store=store, pieces=pieces, spans=(), boxes=tuple(heads(data)))


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
