"""External manifests (C2PA §11.4): for media that have no place for one, in a file of its own beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.files import open_file, read_bounded, replace_atomically, write_temporary

if TYPE_CHECKING:
    from pathlib import Path

BESIDE = ("video/webm",)
"""Media that are signed and have no place for a manifest."""
SUFFIX = ".c2pa"
_MOST_BYTES = 16 * 2**20


def sidecar_of(media: Path) -> Path:
    """Where the manifest of ``media`` lies: the same name, ending in ``.c2pa``."""
    return media.with_suffix(SUFFIX)


def place_beside(media: Path, mime: str) -> Path:
    """Where the manifest of ``media`` is put: ``clip.c2pa`` for media without a place for one.

    For all others it is ``photo.jpg.c2pa``, which no file of another ending can lay claim to.
    """
    return sidecar_of(media) if mime in BESIDE else media.with_name(media.name + SUFFIX)


def read_sidecar(media: Path, mime: str) -> bytes | None:
    """The manifest beside ``media``; None where there is none, or where the file has one of its own.

    ``photo.jpg`` has it in ``photo.jpg.c2pa`` or in ``photo.c2pa``; in the latter only where no other file is
    called ``photo``, whose it could be as well. For media without a place for one it is ``clip.c2pa`` always.

    Raises:
        InputError: ``input.…``; it is there and cannot be read.
    """
    path = sidecar_of(media) if mime in BESIDE else _beside_any(media)
    if path is None or path == media or not path.is_file():
        return None
    if mime not in BESIDE and _has_its_own(media):
        return None
    return read_bounded(path, most=_MOST_BYTES)


def _beside_any(media: Path) -> Path | None:
    whole = place_beside(media, "")
    if whole.is_file():
        return whole
    path = sidecar_of(media)
    if not path.is_file():
        return None
    namesakes = (other for other in media.parent.iterdir() if other.stem == media.stem)
    return path if {other.name for other in namesakes} <= {media.name, path.name} else None


def _has_its_own(media: Path) -> bool:
    from provenance.manifest.containers import has_trace  # noqa: PLC0415 - only where a sidecar lies

    return has_trace(open_file(media))


def write_sidecar(path: Path, manifest: bytes) -> None:
    """Put the manifest of a file that is allowed to leave beside it.

    One that lies there already is replaced: whether it may be is asked before a release begins, and a
    release that was interrupted finds its own.

    Raises:
        InputError: ``output.unwritable``.
        ConfigurationError: ``disk.full`` or ``disk.failed``.
    """
    replace_atomically(write_temporary(path, manifest), path)
