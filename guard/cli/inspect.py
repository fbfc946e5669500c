"""``guard inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FORMAT, JSON, RECURSIVE, WORDS, finish
from guard.text import plain
from guard.verdict import MET

if TYPE_CHECKING:
    from provenance.canonical import Json


@click.command("inspect")
@WORDS
@click.option(
    "--rubric",
    is_flag=True,
    help="Also hold each manifest against the C2PA asset rubrics, naming every check that fails (exit 1).",
)
@FORMAT
@JSON
@RECURSIVE
def command(words: tuple[str, ...], rubric: bool, format_: str, json_: bool, recursive: bool) -> None:
    """Show every signal in each file, without judging it: container, manifest, mark, labels.

    FILE is a file, - for standard input, @LIST for a file of names, a quoted pattern, or with -r a folder.
    """
    from guard.cli._progress import counted  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.inputs import named_files, opened  # noqa: PLC0415
    from guard.rubric import rubric_signal  # noqa: PLC0415
    from guard.signals import signals  # noqa: PLC0415

    home, at = Home.locate(), utc_now()
    batch = Batch(name=RESULTS["inspect"], format_="json" if json_ and format_ == "text" else format_)
    for named in counted(named_files(words, recursive=recursive), "inspect", quiet=batch.on_terminal):
        if named.skipped is not None:
            batch.skip(named.path, named.skipped)
            continue
        with batch.attempt(named.path):
            (asset, sidecar), code = opened(named), MET
            found = signals(asset, home, at=at, sidecar=sidecar)
            if rubric:
                found["rubric"], code = rubric_signal(asset, home.trust(), at=at, sidecar=sidecar)
            batch.add(found, code, file=named.path)
            if batch.format_ == "text":
                click.echo(plain(str(named.path)))
                _print(found, indent=2)
    finish(batch.close())


def _print(body: Json, *, indent: int) -> None:
    """Nested values as indented lines; empty ones are left out."""
    pad = " " * indent
    if isinstance(body, dict):
        for key, value in _outcome_first(body).items():
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


def _outcome_first(body: dict[str, Json]) -> dict[str, Json]:
    """A claim that was looked into reads as one that holds, unless what came of it is said before."""
    if not {"claim", "outcome"} <= body.keys():
        return body
    rest = {key: value for key, value in body.items() if key not in ("claim", "outcome")}
    return {"outcome": body["outcome"], "claim looked into": body["claim"], **rest}


def _word(value: Json) -> str:
    """Numbers to four digits: the rest of them says nothing to a person, and JSON has it."""
    return f"{value:.4g}" if isinstance(value, float) else plain(str(value))
