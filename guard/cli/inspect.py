"""``guard inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._options import FILE, FORMAT
from guard.cli._output import write_json
from guard.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.canonical import Json


@click.command("inspect")
@FILE
@FORMAT
def command(file: Path, format_: str) -> None:
    """Show every signal in a file, without judging it: container, manifest, mark, labels."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.serialise import SCHEMA_VERSION  # noqa: PLC0415
    from guard.signals import signals  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415

    found = signals(read_asset(file), Home.locate(), at=utc_now())
    if format_ != "text":
        document = {"schema_version": SCHEMA_VERSION, "file": str(file), **found}
        write_json(document, lines=format_ == "jsonl")
        return
    for section, body in found.items():
        click.echo(section)
        _print(body, indent=2)


def _print(body: Json, *, indent: int) -> None:
    """Nested values as indented lines; empty ones are left out."""
    pad = " " * indent
    if isinstance(body, dict):
        for key, value in body.items():
            if value in (None, "", [], {}):
                continue
            if isinstance(value, dict | list):
                click.echo(f"{pad}{plain(str(key))}")
                _print(value, indent=indent + 2)
            else:
                click.echo(f"{pad}{plain(str(key)):<22} {plain(str(value))}")
    elif isinstance(body, list):
        for item in body:
            if isinstance(item, dict):
                click.echo(f"{pad}-")
                _print(item, indent=indent + 2)
            else:
                click.echo(f"{pad}- {plain(str(item))}")
    else:
        click.echo(f"{pad}{plain(str(body))}")
