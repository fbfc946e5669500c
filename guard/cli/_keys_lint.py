"""``guard keys lint``."""

from __future__ import annotations

from pathlib import Path

import click

from guard.cli._options import FORMAT, about, finish
from guard.cli._output import write_document
from guard.text import plain

MAX_CHAIN = 1 << 20


@click.command("lint")
@click.argument("chain", metavar="CHAIN", type=click.Path(path_type=Path, readable=False))
@FORMAT
def lint(chain: Path, format_: str) -> None:
    """Name every rule of the C2PA certificate profile that the PEM file CHAIN breaks.

    Exit 0 for a chain that can sign, with or without warnings; 1 when a rule is broken; 2 when the file
    holds no certificates. Nothing is signed, changed or fetched.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.manifest.profile import errors_of, lint_chain  # noqa: PLC0415

    with about(chain):
        pem = read_bounded(chain, most=MAX_CHAIN)
        found = lint_chain(pem, now=utc_now(), trust=Home.locate().trust())
    code = 1 if errors_of(found) else 0
    if format_ != "text":
        write_document({"exit_code": code, "file": str(chain), "findings": to_json(found)}, format_)
        finish(code)
    for one in found:
        where = f"certificate {one.certificate}" if one.certificate else "the chain"
        name = f" {plain(one.subject)!r}" if one.subject else ""
        click.echo(f"{one.gravity:<8} {one.rule:<28} {where}{name}: {plain(one.what)} [{one.clause}]")
    if not found:
        click.echo("ok       every rule of the certificate profile is kept")
    elif not code:
        click.echo("ok       it can sign; warnings do not stop it")
    finish(code)
