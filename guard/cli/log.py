"""``guard log verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._options import FORMAT, finish
from guard.cli._output import write_document
from guard.verdict import MET, NOT_MET

if TYPE_CHECKING:
    from provenance.canonical import Json


@click.group("log")
def command() -> None:
    """Check the transparency log."""


@command.command("verify")
@FORMAT
def verify(format_: str) -> None:
    """Read the whole log and hold it against its signed checkpoint."""
    from guard.agreement import audited  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415
    from provenance.log.leaves import unreleased  # noqa: PLC0415

    home = Home.locate().require()
    report = audited(home)
    waiting = unreleased(home.log_as_found()) if report.ok else ()
    code = MET if report.ok else NOT_MET
    if format_ != "text":
        body = to_json(report)
        assert isinstance(body, dict)
        seen: dict[str, Json] = {"ok": report.ok, "unreleased": len(waiting), **body}
        write_document({"exit_code": code, **seen, "errors": []}, format_)
    else:
        click.echo(
            f"{'CONSISTENT' if report.ok else 'CONTRADICTED'}  {report.size} entries, {report.witness}"
        )
        click.echo(f"    log   {report.origin}")
        click.echo(f"    root  {report.root}")
        for problem in report.problems:
            click.echo(f"    {problem.code}: {problem.what}")
        for line in report.not_checked:
            click.echo(f"    not checked  {line}")
        if waiting:
            click.echo(f"    {len(waiting)} manifests without an ALLOW: never released")
    finish(code)
