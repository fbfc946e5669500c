"""``guard trust add|import|list|remove|update``."""

from __future__ import annotations

from pathlib import Path

import click

from guard.cli._options import FORMAT, about
from guard.cli._output import warning, write_document
from guard.cli._trust_import import ListFile, import_, update
from guard.text import plain
from provenance.errors import InputError

MAX_PEM = 4 * 2**20
"""Bytes; the official list has about 60 kB."""


@click.group("trust")
def command() -> None:
    """Choose whose signatures count as trusted here."""


command.add_command(import_)
command.add_command(update)


@command.command("add")
@click.argument("name")
@click.argument("file", metavar="PEM", type=ListFile(path_type=Path))
@click.option(
    "--tier",
    type=click.Choice(["official", "interim", "own"]),
    default="own",
    show_default=True,
    help="What being on this list is worth; shown with every name it vouches for.",
)
@click.option("--kind", type=click.Choice(["manifest", "tsa", "cawg"]), default="manifest", show_default=True)
@click.option("--force", is_flag=True, help="Replace a list of the same name.")
def add(name: str, file: Path, tier: str, kind: str, force: bool) -> None:
    """Add the certificates of a PEM file as a named list, with today's date and its digest."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.list_import import Wanted, propose  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.manifest.reading import TrustTier  # noqa: PLC0415
    from provenance.manifest.trust import ListKind, load_trust, save_trust  # noqa: PLC0415

    folder, now = Home.locate().require().trust_folder, utc_now()
    known = load_trust(folder)
    wanted = Wanted(name=name, tier=TrustTier(tier), kind=ListKind(kind), date=now.date())
    with about(file):
        found = propose(read_bounded(file, most=MAX_PEM), wanted, known, now=now)
    if found.before is not None and not force:
        what = f"there is a trust list {name} already, of tier {found.before.tier}"
        raise InputError("trust.exists", what, hint="choose another name, or replace the list with --force")
    save_trust(folder, known.adding(found.added))
    for note in found.notes:
        warning(note)
    click.echo(f"added {name} ({tier}), sha256 {found.added.sha256}")


@command.command("list")
@FORMAT
def list_(format_: str) -> None:
    """Show the lists, their tier, date and digest."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415
    from guard.trust_health import health  # noqa: PLC0415

    lists, now = Home.locate().trust().lists, utc_now()
    notes = [note for one in lists for note in health(one, now)]
    if format_ != "text":
        write_document({"lists": to_json(lists), "warnings": to_json(notes)}, format_)
        return
    for one in lists:
        click.echo(
            f"{plain(one.name):<24} {one.tier:<12} {one.kind:<9} {one.date}  sha256 {one.sha256[:16]}…"
        )
    for note in notes:
        warning(note)
    if not lists:
        click.echo("no lists: every signer is UNKNOWN here (guard trust add NAME PEM)")


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget a list. Files signed by its members become UNKNOWN_SIGNER."""
    from guard.home import Home  # noqa: PLC0415
    from provenance.manifest.trust import forget_list  # noqa: PLC0415

    home = Home.locate().require()
    forget_list(home.trust_folder, name)
    click.echo(f"removed {name}")
