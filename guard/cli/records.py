"""``guard records``."""

from __future__ import annotations

from pathlib import Path

import click

from guard.cli._asking import confirmed
from guard.cli._options import finish
from guard.text import numbered, plain
from guard.verdict import NOT_MET
from provenance.errors import InputError


@click.group("records")
def command() -> None:
    """Erase what a private record holds: prompt, recipe, and the key that ties them to the log."""


@command.command("erase")
@click.argument("names", nargs=-1, required=True, metavar="FILE|ID...")
@click.option("--yes", is_flag=True, help="Do not ask. Nothing brings an erased record back.")
def erase(names: tuple[str, ...], yes: bool) -> None:
    """Erase the private record of each release, named by its released file or by the record's id.

    Log, registry and released file stay as they are and keep verifying; nobody can link the commitments in
    the log to the prompt any more, this installation included. Copies in backups are not reached.
    """
    from guard.home import Home  # noqa: PLC0415

    records = Home.locate().require().records()
    found = [(name, one) for name in names for one in _ids(name)]
    for _, one in found:
        records.require_erasable(one)  # all or none, as far as that can be told before
    if not yes and not confirmed(f"erase {numbered(len(found), 'private record')} for good?"):
        click.echo("nothing was erased", err=True)
        finish(NOT_MET)
    for name, one in found:
        records.erase(one)
        click.echo(f"erased {one}  {plain(name)}")


def _ids(name: str) -> tuple[str, ...]:
    """The record of that id, or those of the releases of a file's bytes."""
    from guard.home import Home  # noqa: PLC0415
    from guard.records import is_record_id  # noqa: PLC0415
    from provenance.files import open_file  # noqa: PLC0415
    from provenance.stored import sha256_of  # noqa: PLC0415

    if is_record_id(name) and not Path(name).exists():
        return (name,)
    found = Home.locate().records().of_asset(sha256_of(open_file(Path(name))))
    if not found:
        raise InputError(
            "record.unknown",
            "no private record here is of these bytes",
            where=name,
            hint="name the file exactly as it was released, or the record's id: its file name in records/",
        )
    return found
