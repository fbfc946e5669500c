"""``guard registry``: publish, withdraw, add, update, list, remove."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._options import FORMAT, FiniteRange, debugging, finish
from guard.cli._output import bug, stage_line, warning, write_document
from guard.cli._registry_text import Row, row_of
from guard.text import plain
from guard.verdict import MET
from provenance.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guard.cli._registry_text import DamagedRow
    from provenance.registry_source import FetchLimits

_NONE = "no registries were added (guard registry add URL|DIR)"
_NAME = click.argument("name")
_MOST_BYTES = click.option(
    "--most-bytes",
    type=click.IntRange(1),
    default=4 * 2**30,
    show_default=True,
    help="Of all files together.",
)
_MOST_FILES = click.option(
    "--most-files", type=click.IntRange(1), default=200_000, show_default=True, help="In the registry."
)
_SECONDS = click.option(
    "--seconds", type=FiniteRange(1), default=900.0, show_default=True, help="From beginning to end."
)


@click.group("registry")
def command() -> None:
    """Publish what marks lead to, and look marks up in what others published."""


@command.command("publish")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--without-locator",
    is_flag=True,
    help="Keep back the keys that find marks: who can find them can also forge and remove them.",
)
@FORMAT
def publish(folder: Path, without_locator: bool, format_: str) -> None:
    """Write the registry as static files into DIR, for any web server, mirror or mail attachment.

    Everything that was released goes along, and its log; no pending releases, no prompts, no records. Run
    again it changes only what is new. DIR is replaced as a whole: copy from it, put nothing else into it.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.registries import publish as publish_registry  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415

    done = publish_registry(Home.locate(), folder.absolute(), locator=not without_locator, now=utc_now())
    if format_ != "text":
        body = to_json(done)
        assert isinstance(body, dict)
        write_document({"exit_code": MET, **body, "errors": []}, format_)
        return
    snapshot, what = done.published.snapshot, done.published
    changed = f"{what.changed} files changed" if what.changed else "nothing changed"
    click.echo(f"PUBLISHED  {plain(str(folder))}")
    click.echo(f"    state      {snapshot.sequence}, {snapshot.files} files, {changed}")
    click.echo(f"    manifests  {what.manifests}, in the log of {snapshot.log_size} entries")
    click.echo(f"    look-ups   each tells one of at least {what.crowd} ids")
    click.echo(f"    key        {done.fingerprint}  ({plain(snapshot.origin)})")
    if done.locator:
        warning(
            "the keys that find marks are public with it: whoever has them can also forge and remove marks"
        )


@command.command("withdraw")
@click.argument("what", metavar="FILE|ID")
@click.option("--reason", required=True, metavar="TEXT", help="One sentence; it is published.")
@FORMAT
def withdraw(what: str, reason: str, format_: str) -> None:
    """Say that you no longer stand by something that was released here. It cannot be taken back.

    The log gets an entry, verify and recover say so here, and with the next publication elsewhere. Files that
    are out keep their signature; nothing is deleted.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415
    from guard.withdrawing import withdraw as withdraw_released  # noqa: PLC0415

    done = withdraw_released(Home.locate(), what, reason, now=utc_now(), random=secrets.token_bytes)
    if format_ != "text":
        body = to_json(done)
        assert isinstance(body, dict)
        write_document({"exit_code": MET, **body, "errors": []}, format_)
        return
    for one in done.withdrawals:
        click.echo(f"WITHDRAWN  manifest {one.manifest_sha256}")
        click.echo(f"    reason     {plain(one.reason)}")
        click.echo(f"    logged     entry {one.log_index}")
    if not done.new:
        click.echo("it had been withdrawn before, with that reason", err=True)
    stage_line("next", "guard registry publish DIR tells others")


@command.command("add")
@click.argument("place", metavar="URL|DIR")
@click.option("--name", help="What to call it here; otherwise the last part of its log's name.")
@click.option("--key", metavar="FINGERPRINT", help="Of its key, as its publisher says it: no other is taken.")
@_MOST_BYTES
@_MOST_FILES
@_SECONDS
@FORMAT
def add(
    place: str,
    name: str | None,
    key: str | None,
    most_bytes: int,
    most_files: int,
    seconds: float,
    format_: str,
) -> None:
    """Keep a verified copy of a registry that somebody else published, at an https address or in a folder.

    Its key is pinned from now on: compare the fingerprint shown with what the publisher says elsewhere, or
    give it with --key. Only this command, update and `guard trust update` open a connection.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.registries import add as add_registry  # noqa: PLC0415

    limits = _limits(most_bytes, most_files, seconds)
    fetched = add_registry(Home.locate(), place, name=name, key=key, at=utc_now(), limits=limits)
    _tell([Row.of(fetched.kept, fetched)], format_)


@command.command("update")
@click.argument("names", metavar="[NAME…]", nargs=-1)
@_MOST_BYTES
@_MOST_FILES
@_SECONDS
@FORMAT
def update(names: tuple[str, ...], most_bytes: int, most_files: int, seconds: float, format_: str) -> None:
    """Fetch the present state of added registries, all of them unless some are named.

    A state that is older than the copy here, signed with another key or with a rewritten log is refused.
    Whatever becomes of one, the others are fetched; the gravest exit code counts.
    """
    from guard.cli._batch import Batch  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.registries import kept_registries  # noqa: PLC0415
    from guard.registries import update as update_registry  # noqa: PLC0415

    home, limits = Home.locate().require(), _limits(most_bytes, most_files, seconds)
    known = kept_registries(home)
    batch = Batch(name="registries", format_=format_)
    for name in names or known.names():
        with batch.attempt(), _one_alone(name):
            fetched = update_registry(home, name, at=utc_now(), limits=limits)
            row = Row.of(fetched.kept, fetched)
            batch.add(row, row.code)
            if format_ == "text":
                row.print()
    if not batch.codes and format_ == "text":
        click.echo(_NONE)
    finish(batch.close() if batch.codes else MET)


@command.command("list")
@FORMAT
def list_(format_: str) -> None:
    """Show the registries that were added, their keys, how old the copies are, and which are damaged."""
    from guard.home import Home  # noqa: PLC0415
    from guard.registries import kept_registries  # noqa: PLC0415

    known = kept_registries(Home.locate())
    rows = [row_of(known, name) for name in known.names()]
    if not rows and format_ == "text":
        click.echo(_NONE)
        return
    _tell(rows, format_)


@command.command("move")
@click.argument("url", metavar="URL")
@FORMAT
def move(url: str, format_: str) -> None:
    """Copy this installation's own registry from its file into an empty PostgreSQL database.

    All of it in one transaction, which is read back and held against the log. Nothing is changed or deleted
    here: the settings that make it count are yours to write, before anything else is released.
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.registries import move as move_registry  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415

    home = Home.locate()
    moved = move_registry(home, url)
    if format_ != "text":
        write_document({"exit_code": MET, "url": url, "moved": to_json(moved), "errors": []}, format_)
        return
    click.echo(f"MOVED  {plain(url)}")
    click.echo(f"    entries    {moved.entries}, of {moved.manifests} manifests")
    click.echo(f"    ids        {moved.ids}, and {moved.fingerprints} fingerprints")
    click.echo(f"    here       {plain(str(home.registry_path))} stays as it is")
    stage_line("next", f"before anything is released, put this into {home.config_path}; then guard doctor")
    click.echo(f"[registry]\nurl = {json.dumps(url)}", err=True)


@command.command("remove")
@_NAME
def remove(name: str) -> None:
    """Forget an added registry, its copy and the key that was pinned."""
    from guard.home import Home  # noqa: PLC0415
    from guard.registries import kept_registries  # noqa: PLC0415

    kept_registries(Home.locate().require()).remove(name)
    click.echo(f"removed {plain(name)}")


@contextmanager
def _one_alone(name: str) -> Iterator[None]:
    """What nobody expected of one registry is told, and ends nothing for the others."""
    try:
        yield
    except (Error, BrokenPipeError):
        raise
    except Exception as error:
        if debugging():
            raise
        raise bug(error, where=f"registry {name}") from error


def _limits(most_bytes: int, most_files: int, seconds: float) -> FetchLimits:
    from provenance.registry_source import FetchLimits  # noqa: PLC0415

    return FetchLimits(most_bytes=most_bytes, most_files=most_files, seconds=seconds)


def _tell(rows: Sequence[Row | DamagedRow], format_: str) -> None:
    """All rows, and the exit code."""
    from guard.cli._batch import Batch  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415

    batch = Batch(name="registries", format_=format_)
    for row in rows:
        batch.add(row, row.code)
        if format_ == "text":
            row.print(utc_now())
    finish(batch.close() if rows else MET)
