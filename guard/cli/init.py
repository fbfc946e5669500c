"""``guard init``."""

from __future__ import annotations

import secrets

import click

from guard.cli._options import finish
from guard.cli._passphrase import PASSPHRASE_FROM, new_passphrase, passphrase_set
from guard.clock import utc_now
from guard.doctor import examine_home
from guard.home import Home
from guard.setup import initialise
from guard.text import plain


@click.command("init")
@click.option("--passphrase", is_flag=True, help="Protect the signing key (asked for, or GUARD_PASSPHRASE).")
@PASSPHRASE_FROM
def command(passphrase: bool) -> None:
    """Make keys, log and registry for this installation; never overwrites.

    The signing identity is for development: nobody but this installation trusts it. Run again, this
    makes only what is missing. Exit 1 if something that is there is broken.
    """
    home = Home.locate()
    secret = new_passphrase() if passphrase else None
    parts = initialise(home, now=utc_now(), random=secrets.token_bytes, passphrase=secret)
    click.echo(f"home {plain(str(home.folder))}")
    for part in parts:
        where = part.place or str(part.path.relative_to(home.folder))
        click.echo(f"  {'made' if part.new else 'kept'}  {part.what:<42} {plain(where)}")
    found = examine_home(home, now=utc_now(), passphrase=secret or passphrase_set())
    broken = [finding for finding in found if finding.state == "broken"]
    for finding in broken:
        click.echo(f"broken  {finding.what:<42} {plain(finding.detail)}")
    click.echo(
        "next: guard doctor" if broken else 'next: guard generate "a portrait of a firefighter" -o out/'
    )
    finish(1 if broken else 0)
