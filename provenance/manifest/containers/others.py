"""All kinds of files but PNG and JPEG, which most are: these load for a file of another kind only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.manifest.containers.boxes import in_bmff, in_riff
from provenance.manifest.containers.documents import in_pdf, in_svg
from provenance.manifest.containers.kinds import Container, begins, held
from provenance.manifest.containers.sound import in_id3
from provenance.manifest.containers.tagged import in_gif, in_tiff
from provenance.metadata import bmff, flac, gif, id3, riff, svg, tiff

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provenance.stored import Bytes


def _in_one_part(_data: Bytes, _most: int) -> Iterable[object]:
    return ()


OTHERS = (
    Container(name="ISO base media", recognises=bmff.is_bmff, parts=bmff.boxes, find=in_bmff),
    Container(name="RIFF", recognises=riff.is_riff, parts=riff.chunks, find=in_riff),
    Container(name="TIFF", recognises=tiff.is_tiff, parts=held(tiff.directories), find=in_tiff),
    Container(name="GIF", recognises=gif.is_gif, parts=held(gif.applications), find=in_gif),
    Container(name="FLAC", recognises=flac.is_flac, parts=flac.blocks, find=in_id3),
    Container(name="ID3", recognises=id3.is_id3, parts=id3.frames, find=in_id3),
    Container(name="PDF", recognises=begins(b"%PDF-"), parts=_in_one_part, find=in_pdf),
    Container(name="SVG", recognises=svg.is_svg, parts=_in_one_part, find=in_svg),
)
"""FLAC stands before ID3, which may precede it."""
