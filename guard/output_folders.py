"""Folders that outputs go into: made where they are absent, and gone again where nothing came of it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def output_folders(*folders: Path) -> Iterator[None]:
    """Folders for outputs, made if absent; those made here that stay empty are removed again.

    Raises:
        InputError: ``output.folder``.
    """
    made: list[Path] = []
    try:
        for folder in folders:
            made += _make(folder)
        yield
    finally:
        for part in sorted(made, key=lambda part: len(part.parts), reverse=True):
            with suppress(OSError):  # not empty
                part.rmdir()


def _make(folder: Path) -> list[Path]:
    """What of it and the folders above it was not there."""
    absent: list[Path] = []
    try:
        absent += [part for part in (folder, *folder.parents) if not part.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or "no folder can have this name"
        what = f"the output folder cannot be made: {reason}"
        hint = "name another folder"
        raise InputError("output.folder", what, where=str(folder), hint=hint) from error
    return absent
