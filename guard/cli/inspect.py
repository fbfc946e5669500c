"""``guard inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FILES, FORMAT, finish
from guard.text import plain
from guard.verdict import MET

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.canonical import Json


@click.command("inspect")
@FILES
@click.option(
    "--rubric",
    is_flag=True,
    help="Also hold each manifest against the C2PA asset rubrics, naming every check that fails (exit 1).",
)
@FORMAT
def command(files: tuple[Path, ...], rubric: bool, format_: str) -> None:
    """Show every signal in each file, without judging it: container, manifest, mark, labels."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.rubric import rubric_signal  # noqa: PLC0415
    from guard.signals import signals  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415

    home, at = Home.locate(), utc_now()
    batch = Batch(name=RESULTS["inspect"], format_=format_)
    for file in files:
        with batch.attempt(file):
            asset, code = read_asset(file), MET
            found = signals(asset, home, at=at)
            if rubric:
                found["rubric"], code = rubric_signal(asset, home.trust(), at=at)
            batch.add(found, code, file=file)
            if format_ == "text":
                click.echo(plain(str(file)))
                _print(found, indent=2)
    finish(batch.close())


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
                click.echo(f"{pad}{plain(str(key)):<22} {_word(value)}")
    elif isinstance(body, list):
        for item in body:
            if isinstance(item, dict):
                click.echo(f"{pad}-")
                _print(item, indent=indent + 2)
            else:
                click.echo(f"{pad}- {_word(item)}")
    else:
        click.echo(f"{pad}{_word(body)}")


def _word(value: Json) -> str:
    """Numbers to four digits: the rest of them says nothing to a person, and JSON has it."""
    return f"{value:.4g}" if isinstance(value, float) else plain(str(value))
