"""``guard release``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from guard.cli import _release
from guard.cli._options import FILES, OUTPUT, finish

if TYPE_CHECKING:
    from pathlib import Path


@click.command("release")
@FILES
@OUTPUT
@_release.statements
def command(files: tuple[Path, ...], folder: Path, **asked: Any) -> None:
    """Release media made elsewhere: a hosted API, ComfyUI, a camera, anything.

    Each file is marked, labelled, signed, logged and read back under the same policy as generated
    ones. The originals stay as they are; a manifest they carry is kept as history.
    """
    targets = {path: folder / path.name for path in files}
    finish(_release.run(targets, command="release", **asked))
