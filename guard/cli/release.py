"""``guard release``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli import _release
from guard.cli._options import FILES, FORCE, OUTPUT, POLICY, finish

if TYPE_CHECKING:
    from pathlib import Path


@click.command("release")
@FILES
@_release.SOURCE
@_release.MODEL_NAME
@OUTPUT
@POLICY
@FORCE
def command(
    files: tuple[Path, ...],
    source: str,
    model_name: str | None,
    folder: Path,
    policy: str | None,
    force: bool,
) -> None:
    """Release media made elsewhere: a hosted API, ComfyUI, a camera, anything.

    Each file is marked, labelled, signed, logged and read back under the same policy as generated
    ones. The originals stay as they are; a manifest they carry is kept as history.
    """
    code = _release.run(
        files,
        command="release",
        source=source,
        model_name=model_name,
        output=folder,
        into_folder=True,
        policy=policy,
        force=force,
    )
    finish(code)
