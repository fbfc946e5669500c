"""External manifests (C2PA §11.4): for media that have no place for one, in a file of its own beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.files import read_bounded, replace_atomically, write_temporary

if TYPE_CHECKING:
    from pathlib import Path

BESIDE = ("video/webm",)
"""Media that are signed and have no place for a manifest."""
SUFFIX = ".c2pa"
_MOST_BYTES = 16 * 2**20


def sidecar_of(media: Path) -> Path:
    """Where the manifest of ``media`` lies: the same name, ending in ``.c2pa``."""
    return media.with_suffix(SUFFIX)


def read_sidecar(media: Path, mime: str) -> bytes | None:
    """The manifest beside ``media``; None where there is none, or where its kind holds its own.

    Raises:
        InputError: ``input.…``; it is there and cannot be read.
    """
    path = sidecar_of(media)
    if mime not in BESIDE or not path.exists():
        return None
    return read_bounded(path, most=_MOST_BYTES)


def write_sidecar(path: Path, manifest: bytes) -> None:
    """Put the manifest of a file that is allowed to leave beside it.

    One that lies there already is replaced: whether it may be is asked before a release begins, and a
    release that was interrupted finds its own.

    Raises:
        InputError: ``output.unwritable``.
        ConfigurationError: ``disk.full`` or ``disk.failed``.
    """
    replace_atomically(write_temporary(path, manifest), path)
