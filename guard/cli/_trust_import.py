"""``guard trust import`` and ``update``: lists from files and addresses, shown before they count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guard.cli._asking import confirmed
from guard.cli._options import about, finish
from guard.cli._output import report_error, warning
from guard.text import plain
from guard.verdict import MET, NOT_MET
from provenance.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from guard.list_import import Proposal, Wanted
    from provenance.manifest.trust import TrustLists

_MOST = 4 * 2**20
"""Bytes; the official list has about 35 kB."""
_SHOWN = 40
"""Certificates named of a list; the rest are counted."""
_YES = click.option("--yes", is_flag=True, help="Put it in place without asking.")


class ListFile(click.Path):
    """A file with a list; nothing is fetched from an address that somebody took for one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does, and what helps with an address."""
        if "://" in str(value):
            self.fail(
                "this is an address; save what it has as a file, or see `guard trust update`", param, ctx
            )
        return super().convert(value, param, ctx)


@click.command("import")
@click.argument("file", metavar="FILE", type=ListFile(path_type=Path))
@click.option("--name", help="What verdicts call the list; by default as the file says.")
@click.option(
    "--tier",
    type=click.Choice(["official", "interim", "own"]),
    default="own",
    show_default=True,
    help="What being on this list is worth; a file cannot say that of itself.",
)
@click.option(
    "--kind",
    type=click.Choice(["manifest", "tsa", "cawg"]),
    help="Whom it vouches for; by default as the file or its certificates say, else signers of manifests.",
)
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Day of the list; by default today.")
@click.option(
    "--digest", "sha256", metavar="HEX", help="SHA-256 of the file, as its publisher tells it elsewhere."
)
@click.option("--source", metavar="URL", help="Where `guard trust update` looks for the next one (https).")
@_YES
def import_(
    file: Path,
    name: str | None,
    tier: str,
    kind: str | None,
    date: datetime | None,
    sha256: str | None,
    source: str | None,
    yes: bool,
) -> None:
    """Take in a list of certificates: a PEM file that may tell its own date, kind and digest.

    Everything in it is shown before it counts: digest, what is new, what is gone, what is odd.
    """
    from guard.list_import import Wanted  # noqa: PLC0415
    from guard.list_source import require_https  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.manifest.reading import TrustTier  # noqa: PLC0415
    from provenance.manifest.trust import ListKind  # noqa: PLC0415

    if source is not None:
        require_https(source)
    wanted = Wanted(
        name=name,
        tier=TrustTier(tier),
        kind=None if kind is None else ListKind(kind),
        date=None if date is None else date.date(),
        sha256=sha256,
        source=source,
    )
    with about(file):
        data = read_bounded(file, most=_MOST)
        code = _place(data, wanted, yes=yes)
    finish(code)


@click.command("update")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_YES
def update(names: tuple[str, ...], yes: bool) -> None:
    """Fetch lists again from where they came, or published ones: c2pa, c2pa-tsa, interim, interim-signers.

    Beside `registry add` with an address the only command that opens a connection. Each list is shown with
    its digest and what changes before it counts.
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.list_source import fetch  # noqa: PLC0415
    from provenance.manifest.trust import load_trust  # noqa: PLC0415

    known = load_trust(Home.locate().require().trust_folder)
    codes = []
    for wanted in [_source_of(name, known) for name in names or _updatable(known)]:
        assert wanted.source is not None
        click.echo(f"{wanted.name}: {plain(wanted.source)}")
        codes.append(_place(fetch(wanted.source), wanted, yes=yes))
    finish(max(codes, default=MET))


def _updatable(known: TrustLists) -> list[str]:
    found = [one.name for one in known.lists if one.source is not None]
    if not found:
        what = "no list says where it came from"
        hint = "guard trust update c2pa c2pa-tsa fetches the official lists of C2PA"
        raise InputError("trust.no-source", what, hint=hint)
    return found


def _source_of(name: str, known: TrustLists) -> Wanted:
    from guard.list_import import Wanted  # noqa: PLC0415
    from guard.list_source import KNOWN  # noqa: PLC0415

    present = next((one for one in known.lists if one.name == name), None)
    known_as = KNOWN.get(name)
    published = None if known_as is None else known_as.source
    if present is not None and (source := present.source or published):
        # What somebody decided about it stays.
        return Wanted(name=name, tier=present.tier, kind=present.kind, source=source)
    if present is None and known_as is not None:
        return Wanted(name=name, tier=known_as.tier, kind=known_as.kind, source=published)
    what = f"nobody knows where the list {name} comes from"
    hint = "guard trust import FILE --source URL says so; published lists: " + ", ".join(KNOWN)
    raise InputError("trust.no-source", what, hint=hint)


def _place(data: bytes, wanted: Wanted, *, yes: bool) -> int:
    """Show what would change, ask, and put it in place."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.list_import import propose  # noqa: PLC0415
    from provenance.manifest.trust import load_trust, save_trust  # noqa: PLC0415

    folder = Home.locate().require().trust_folder
    found = propose(data, wanted, load_trust(folder), now=utc_now())
    _show(found)
    if found.unchanged:
        click.echo(f"  unchanged since {found.before.date if found.before else found.added.date}")
        return MET
    try:
        agreed = yes or confirmed(f"  put {plain(found.added.name)} in place?")
    except InputError as error:  # the lists after this one are shown all the same
        report_error(error)
        return error.exit_code
    if not agreed:
        click.echo("  nothing changed")
        return NOT_MET
    save_trust(folder, load_trust(folder).adding(found.added))
    click.echo(f"  in place: {plain(found.added.name)} ({found.added.tier})")
    return MET


def _show(found: Proposal) -> None:
    one = found.added
    click.echo(f"  {plain(one.name)}: {one.tier}, for {one.kind}, of {one.date}")
    click.echo(f"  file sha256 {found.file_sha256}")
    click.echo(f"  list sha256 {one.sha256}, {len(found.contents.certificates)} certificates")
    if found.before is not None:
        click.echo(f"  replaces    {found.before.sha256} of {found.before.date}, {found.before.tier}")
    for sign, certificates in (("+", found.change.added), ("-", found.change.gone)):
        for certificate in certificates[:_SHOWN]:
            click.echo(f"  {sign} {plain(str(certificate))}, until {certificate.not_after:%Y-%m-%d}")
        if len(certificates) > _SHOWN:
            click.echo(f"  {sign} … and {len(certificates) - _SHOWN} more")
    for note in found.notes:
        warning(note)
