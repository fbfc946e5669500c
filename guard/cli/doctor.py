"""``guard doctor``."""

from __future__ import annotations

import click

from guard.cli._options import finish
from guard.cli._passphrase import PASSPHRASE_FROM, passphrase_set
from guard.text import plain


@click.command("doctor")
@PASSPHRASE_FROM
def command() -> None:
    """Say what works here, what is missing and the command that adds it. Exit 1 if something is broken."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.doctor import examine  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415

    findings = examine(Home.locate(), now=utc_now(), passphrase=passphrase_set())
    for finding in findings:
        click.echo(f"{finding.state:<8} {finding.what:<22} {plain(finding.detail)}")
    finish(1 if any(finding.state == "broken" for finding in findings) else 0)
