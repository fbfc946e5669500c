"""``guard release``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from guard.cli import _release
from guard.cli._options import FILES, OUTPUT, PRIVATE_NUMBER, finish

if TYPE_CHECKING:
    from pathlib import Path


@click.command("release")
@FILES
@OUTPUT
@click.option(
    "--names",
    type=click.Choice(["input", "id"]),
    default="input",
    show_default=True,
    help="Keep the names of the inputs, which may hold a prompt, or use the random id in the mark.",
)
@PRIVATE_NUMBER
@_release.statements
def command(files: tuple[Path, ...], folder: Path, names: str, **asked: Any) -> None:
    """Release media made elsewhere: a hosted API, ComfyUI, a camera, anything.

    Each file is marked, labelled, signed, logged and read back under the same policy as generated
    ones. The originals stay as they are; a manifest they carry is kept as history.
    """
    by_id = names == "id"
    targets = {path: folder if by_id else folder / path.name for path in files}
    finish(_release.run(targets, _release.Asked(command="release", by_id=by_id, **asked)))
