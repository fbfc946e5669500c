"""``guard signer``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._options import FORMAT, POLICY
from guard.cli._output import write_document
from guard.cli._passphrase import PASSPHRASE_FROM, existing_passphrase
from guard.text import plain
from provenance.errors import InputError

if TYPE_CHECKING:
    from guard.home import Home

_SOCKET = click.option(
    "--socket",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="The signer's socket; left out: the one in the settings, else signer.sock in the home folder.",
)


@click.group("signer")
def command() -> None:
    """Keep signing key, log and registry in a process of their own, for releases of other users.

    The signer looks at the final bytes itself and signs only what its own packs allow.
    """


@command.command("run")
@_SOCKET
@click.option(
    "--allow-user",
    "users",
    multiple=True,
    metavar="USER",
    help="Name or number of another user who may have bytes signed; repeat for more. Your own may.",
)
@click.option(
    "--clients",
    type=click.IntRange(1, 1024),
    default=32,
    show_default=True,
    help="Connections at a time; more are told to come back.",
)
@PASSPHRASE_FROM
@POLICY
def run(path: Path | None, users: tuple[str, ...], clients: int, policy: str | None) -> None:
    """Run the signer in the foreground, until SIGTERM or Ctrl-C; what is in hand is finished first."""
    import signal  # noqa: PLC0415

    from guard.home import Home  # noqa: PLC0415
    from guard.signer.office import Office  # noqa: PLC0415
    from guard.signer.server import Server, require_supported  # noqa: PLC0415
    from guard.tools import assemble  # noqa: PLC0415

    require_supported()
    home = Home.locate().require()
    allowed = frozenset({os.geteuid(), *map(_user, users)})
    tools = assemble(home, policy=policy, passphrase=existing_passphrase)
    tools.signer  # noqa: B018 - a client of another signer has none: said before anything listens
    office = Office(home=home, tools=tools, say=lambda line: click.echo(plain(line), err=True))
    server = Server(office=office, path=_path(path, home), users=allowed, clients=clients)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: server.stop.set())
    server.run()


@command.command("status")
@_SOCKET
@FORMAT
def status(path: Path | None, format_: str) -> None:
    """Say whether the signer answers, with which key, packs and log."""
    from guard.home import Home  # noqa: PLC0415
    from guard.signer.connecting import status as asked  # noqa: PLC0415

    where = _path(path, Home.locate())
    found = asked(where)
    if format_ != "text":
        told = {name: found.get(name) for name in ("log", "entries", "packs", "version", "locator")}
        write_document({"exit_code": 0, "socket": str(where), **told, "errors": []}, format_)
        return
    key_id, epoch = found["locator"]
    click.echo(f"READY  mediaguard {plain(str(found['version']))} at {plain(str(where))}")
    click.echo(f"    log      {plain(str(found['log']))}, {found['entries']} entries")
    click.echo(f"    packs    {plain(', '.join(map(str, found['packs'])))}")
    click.echo(f"    locator  {plain(str(key_id))}, epoch {epoch}")


@command.command("join")
@_SOCKET
def join(path: Path | None) -> None:
    """Make this home one without keys, whose releases are signed by the signer at --socket.

    It gets the signer's locator key, which marks are written with, and the roots of its development
    identities. GUARD_HOME has to name a folder that is not in use yet.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.signer.joining import join as joined  # noqa: PLC0415

    if path is None:
        raise click.UsageError("name the signer's socket: --socket PATH")
    for part in joined(Home.locate(), path.absolute(), now=utc_now()):
        click.echo(f"made  {part.what}: {plain(str(part.path))}")


def _path(named: Path | None, home: Home) -> Path:
    """The socket that was named, else that of the settings, else the usual one."""
    if named is not None:
        return named.absolute()
    return Path(home.config().signer.socket or home.folder / "signer.sock")


def _user(name: str) -> int:
    import pwd  # noqa: PLC0415 - not on every system

    if name.isascii() and name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError as error:
        hint = "give the name or the number of a user of this system"
        raise InputError(
            "signer.no-user", f"there is no user {name!r}", where="--allow-user", hint=hint
        ) from error
