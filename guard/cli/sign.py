"""``guard sign``."""

from __future__ import annotations

from pathlib import Path

import click

from guard.cli import _release
from guard.cli._options import FILE, FORCE, POLICY, finish


@click.command("sign")
@FILE
@_release.SOURCE
@_release.MODEL_NAME
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE"
)
@POLICY
@FORCE
def command(
    file: Path, source: str, model_name: str | None, output: Path, policy: str | None, force: bool
) -> None:
    """Sign a file without marking it: a release with a smaller plan.

    Once its metadata are stripped, a file without a mark cannot be found again.
    """
    code = _release.run(
        [file],
        command="sign",
        source=source,
        model_name=model_name,
        output=output,
        into_folder=False,
        policy=policy,
        force=force,
    )
    finish(code)
