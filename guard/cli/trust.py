"""``guard trust add|list|remove``."""

from __future__ import annotations

from pathlib import Path

import click

from guard.text import plain
from provenance.errors import InputError

MAX_PEM = 4 * 2**20
"""Bytes; the official list has about 60 kB."""


@click.group("trust")
def command() -> None:
    """Choose whose signatures count as trusted here."""


@command.command("add")
@click.argument("name")
@click.argument("file", metavar="PEM", type=click.Path(path_type=Path))
@click.option(
    "--tier",
    type=click.Choice(["official", "interim", "own"]),
    default="own",
    show_default=True,
    help="What being on this list is worth; shown with every name it vouches for.",
)
@click.option("--kind", type=click.Choice(["manifest", "tsa"]), default="manifest", show_default=True)
def add(name: str, file: Path, tier: str, kind: str) -> None:
    """Add the certificates of a PEM file as a named list, with today's date and its digest."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from provenance.manifest.reading import TrustTier  # noqa: PLC0415
    from provenance.manifest.trust import ListKind, TrustList, load_trust, save_trust  # noqa: PLC0415

    home = Home.locate().require()
    added = TrustList.of(
        name=name,
        tier=TrustTier(tier),
        pem=_read(file),
        date=utc_now().date(),
        kind=ListKind(kind),
    )
    save_trust(home.trust_folder, load_trust(home.trust_folder).adding(added))
    click.echo(f"added {name} ({tier}), sha256 {added.sha256}")


@command.command("list")
def list_() -> None:
    """Show the lists, their tier, date and digest."""
    from guard.home import Home  # noqa: PLC0415

    lists = Home.locate().trust().lists
    for one in lists:
        click.echo(
            f"{plain(one.name):<24} {one.tier:<12} {one.kind:<9} {one.date}  sha256 {one.sha256[:16]}…"
        )
    if not lists:
        click.echo("no lists: every signer is UNKNOWN here (guard trust add NAME PEM)")


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget a list. Files signed by its members become UNKNOWN_SIGNER."""
    from guard.home import Home  # noqa: PLC0415
    from provenance.manifest.trust import load_trust, save_trust  # noqa: PLC0415

    home = Home.locate().require()
    save_trust(home.trust_folder, load_trust(home.trust_folder).removing(name))
    click.echo(f"removed {name}")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_PEM + 1)  # one too many, so that a longer file is refused, not cut
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise InputError("input.unreadable", what, where=str(file)) from error
