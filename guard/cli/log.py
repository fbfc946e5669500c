"""``guard log verify``."""

from __future__ import annotations

import click

from guard.cli._options import FORMAT, finish
from guard.cli._output import write_document


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
    if format_ != "text":
        body = to_json(report)
        assert isinstance(body, dict)
        write_document({"ok": report.ok, "unreleased": len(waiting), **body}, format_)
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
    finish(0 if report.ok else 1)
