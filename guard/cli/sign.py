"""``guard sign``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from guard.cli import _release
from guard.cli._options import finish

if TYPE_CHECKING:
    from pathlib import Path


@click.command("sign")
@_release.one_file
@click.option(
    "--sidecar",
    "untouched",
    is_flag=True,
    help="Leave the file as it came, byte for byte, and put its manifest beside the new one, in FILE.c2pa.",
)
def command(file: Path, output: Path, **asked: Any) -> None:
    """Sign a file without marking it: a release with a smaller plan.

    Once its metadata are stripped, a file without a mark cannot be found again.
    """
    finish(_release.run({file: output}, _release.Asked(command="sign", **asked)))
