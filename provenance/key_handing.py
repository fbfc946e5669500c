"""Handing out the locator key: who has it finds marks, and could forge and remove them as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.files import read_bounded, write_private
from provenance.keys import load_locator_key, locator_document, parse_locator

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.watermark.interface import WatermarkKey

MOST_BYTES = 4096
"""Of a key file."""


def export_locator(key: WatermarkKey, path: Path) -> None:
    """Write a copy of the locator key, for somebody who shall find marks with ``handed_locator``.

    Raises:
        As ``provenance.keys.create_locator_key``.
    """
    write_private(path, locator_document(key))


def import_locator(source: Path, path: Path) -> WatermarkKey:
    """Take a handed-out locator key into this installation, at ``path``.

    Raises:
        As ``export_locator`` and ``handed_locator``.
    """
    write_private(path, locator_document(handed_locator(source)))
    return load_locator_key(path)


def handed_locator(source: Path) -> WatermarkKey:
    """The locator key in a file that was handed out; others may be able to read it, for it has travelled.

    Raises:
        InputError: ``input.…``.
        ConfigurationError: ``key.kind``, ``key.version``.
        IntegrityError: ``key.damaged``.
    """
    return parse_locator(read_bounded(source, most=MOST_BYTES), source)
