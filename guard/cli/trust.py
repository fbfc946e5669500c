"""``guard trust add|import|list|remove|update``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._options import FORMAT, about
from guard.cli._output import warning, write_document
from guard.cli._trust_import import import_, update
from guard.text import plain
from provenance.errors import InputError

if TYPE_CHECKING:
    from provenance.manifest.trust import TrustLists

MAX_PEM = 4 * 2**20
"""Bytes; the official list has about 60 kB."""


@click.group("trust")
def command() -> None:
    """Choose whose signatures count as trusted here."""


command.add_command(import_)
command.add_command(update)


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
@click.option("--kind", type=click.Choice(["manifest", "tsa", "cawg"]), default="manifest", show_default=True)
@click.option("--force", is_flag=True, help="Replace a list of the same name.")
def add(name: str, file: Path, tier: str, kind: str, force: bool) -> None:
    """Add the certificates of a PEM file as a named list, with today's date and its digest."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.list_import import kind_of, notes_on  # noqa: PLC0415
    from guard.roots import refuse_development  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.manifest.reading import TrustTier  # noqa: PLC0415
    from provenance.manifest.trust import ListKind, TrustList, load_trust, save_trust  # noqa: PLC0415
    from provenance.manifest.trust_certificates import contents_of  # noqa: PLC0415

    home = Home.locate().require()
    with about(file):
        added = TrustList.of(
            name=name,
            tier=TrustTier(tier),
            pem=read_bounded(file, most=MAX_PEM),
            date=utc_now().date(),
            kind=ListKind(kind),
        )
        refuse_development(added.pem)
        contents = contents_of(added.pem)
        kind_of(contents, added.kind)
    known = load_trust(home.trust_folder)
    _may_add(name, known, force=force)
    save_trust(home.trust_folder, known.adding(added))
    for note in notes_on(contents, added, utc_now()):
        warning(note)
    click.echo(f"added {name} ({tier}), sha256 {added.sha256}")


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


def _may_add(name: str, known: TrustLists, *, force: bool) -> None:
    """Whoever controls the development list could sign in this installation's name."""
    from provenance.manifest.reading import TrustTier  # noqa: PLC0415
    from provenance.manifest.trust import DEVELOPMENT, development_list  # noqa: PLC0415

    present = next((one for one in known.lists if one.name == name), None)
    if name == DEVELOPMENT or (present is not None and present.tier is TrustTier.DEVELOPMENT):
        raise development_list(name)
    if present is not None and not force:
        what = f"there is a trust list {name} already, of tier {present.tier}"
        raise InputError("trust.exists", what, hint="choose another name, or replace the list with --force")
