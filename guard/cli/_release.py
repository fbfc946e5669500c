"""What ``release``, ``sign`` and ``watermark embed`` have in common: files in, released files out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._options import each, existing_passphrase, output_folder
from guard.cli._output import stage_line
from guard.cli._report import packs_of, tell
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


SOURCE = click.option(
    "--source",
    required=True,
    metavar="TYPE",
    help="How the pixels came to be: generated, partly-generated, digital-capture, digital-creation, "
    "human-edits, algorithmic, screen-capture, or an IPTC digital source type.",
)
MODEL_NAME = click.option("--model-name", metavar="NAME", help="The model that made them, for the manifest.")


def run(
    files: Sequence[Path],
    *,
    command: str,
    source: str,
    model_name: str | None,
    output: Path,
    into_folder: bool,
    policy: str | None,
    force: bool,
) -> int:
    """Release every file; the gravest exit code."""
    from guard.home import Home  # noqa: PLC0415
    from guard.intake import Statement, release_asset, source_type  # noqa: PLC0415
    from guard.plan import ask  # noqa: PLC0415
    from guard.policy.rule import Stage  # noqa: PLC0415
    from guard.tools import assemble  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415

    statement = Statement(source_type=source_type(source), model_name=model_name)
    tools = assemble(Home.locate(), policy=policy, passphrase=existing_passphrase)
    decision = ask(Stage.PLAN, statement.origin(), tools, command=command)
    stage_line("policy", f"{packs_of(decision)}: allowed to start")
    folder = output_folder(output if into_folder else output.parent)

    targets = {path: folder / path.name if into_folder else output for path in files}
    refuse_overwriting(targets)

    def one(path: Path) -> int:
        target = targets[path]
        released = release_asset(
            read_asset(path),
            statement,
            tools,
            plan=decision.obligations,
            command=command,
            output=target,
            force=force,
        )
        tell([released])
        return 0

    return each(files, one)


def refuse_overwriting(targets: Mapping[Path, Path]) -> None:
    """Before any work: no output may be an input, of this batch either, and no two the same file.

    Raises:
        InputError: ``output.is-input`` or ``output.twice``; ``--force`` changes nothing about that.
    """
    inputs = [path for path in targets if path.exists()]
    for path, target in targets.items():
        if target.exists() and any(target.samefile(original) for original in inputs):
            raise InputError(
                "output.is-input",
                "the output would replace an original",
                where=str(path),
                hint="name another output folder; guard never signs in place",
            )
        if sum(target == other for other in targets.values()) > 1:
            raise InputError(
                "output.twice",
                "two files would get the same name",
                where=str(target),
                hint="release them into different folders",
            )
