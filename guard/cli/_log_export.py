"""``guard log export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._options import FORMAT, finish
from guard.cli._output import write_document
from guard.text import plain
from guard.verdict import MET

if TYPE_CHECKING:
    from provenance.canonical import Json


@click.command("export")
@click.argument("target", metavar="DIR|URL")
@click.option(
    "--batch",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Publish entries only in whole batches of N, so that no checkpoint dates a single release.",
)
@FORMAT
def export(target: str, batch: int, format_: str) -> None:
    """Publish the log as static files (C2SP tlog-tiles) that any web server or folder serves.

    A second export adds what is new. URL is anything that fsspec writes to, such as s3://bucket/log (extra
    remote). Published entries hold digests, actions and times, no names, prompts or paths.
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.log_view import LogView  # noqa: PLC0415
    from provenance.log.export import export_log  # noqa: PLC0415
    from provenance.log.target import target_of  # noqa: PLC0415
    from provenance.log.vouchers import told  # noqa: PLC0415

    home = Home.locate().require()
    log = home.log()
    done = export_log(log, target_of(target), batch=batch)
    size = done.checkpoint.size
    witness = told(LogView.own(home).vouchers(), size)
    if format_ != "text":
        body: dict[str, Json] = {
            "target": target,
            "origin": done.checkpoint.origin,
            "key": str(log.verifier),
            "size": size,
            "root": done.checkpoint.root.hex(),
            "before": done.before,
            "withheld": done.withheld,
            "written": list(done.written),
            "witness": witness,
        }
        write_document({"exit_code": MET, **body, "errors": []}, format_)
    else:
        click.echo(f"EXPORTED  {size} entries, {size - done.before} of them new, {plain(witness)}")
        click.echo(f"    to    {plain(target)}: {len(done.written)} files written")
        click.echo(f"    log   {plain(done.checkpoint.origin)}")
        click.echo(f"    key   {plain(str(log.verifier))}")
        if done.withheld:
            click.echo(f"    {done.withheld} entries wait for their batch of {batch} to be full")
    finish(MET)
