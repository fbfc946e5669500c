"""How the command line speaks: errors, stages, colour.

Data goes to stdout, progress and errors to stderr. Colour only on a terminal and never under
``NO_COLOR``. Every text from outside is escaped here (``guard.text.plain``).
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from guard.serialise import SCHEMA_VERSION
from guard.text import plain
from guard.verdict import BUG
from provenance.errors import Error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provenance.canonical import Json

STAGE_WIDTH = 15
"""Column of the second word in stage lines and verdict lines."""


def colours(stream: Any) -> bool:
    """True where colour may be written: a terminal, and NO_COLOR not set."""
    return bool(stream.isatty()) and "NO_COLOR" not in os.environ


def style(text: str, *, stream: Any, **how: Any) -> str:
    """``text`` in colour where that is allowed, else as it is."""
    return click.style(text, **how) if colours(stream) else text


def stage_line(stage: str, text: str) -> None:
    """One line of progress: what stage, and what came of it."""
    name = style(f"{stage:<{STAGE_WIDTH}}", stream=sys.stderr, bold=True)
    click.echo(f"{name} {plain(text)}", err=True)


def warning(text: str) -> None:
    """Something a person should know that stops nothing."""
    click.echo(f"{style('warning', stream=sys.stderr, fg='yellow')}: {plain(text)}", err=True)


def told(error: Error, file: Path | None = None) -> dict[str, str | None]:
    """An error as a person or a program is told of it.

    Args:
        error: what went wrong; without a hint of its own it is explained by ``guard explain``.
        file: the input that was worked on, named wherever the error itself does not.
    """
    where = error.where
    if file is not None and str(file) not in (where or ""):
        where = f"{where} (for {file})" if where else str(file)
    hint = error.hint or f"guard explain {error.code}"
    return {"code": error.code, "what": error.what, "where": where, "hint": hint}


def report_error(error: Error, file: Path | None = None) -> None:
    """``error[CODE]: what`` / ``--> where`` / ``help: hint``."""
    said = told(error, file)
    head = style(f"error[{error.code}]", stream=sys.stderr, fg="red", bold=True)
    click.echo(f"{head}: {plain(error.what)}", err=True)
    if said["where"]:
        click.echo(f"  --> {plain(said['where'])}", err=True)
    click.echo(f"  help: {plain(said['hint'] or '')}", err=True)


def write_path(path: Path) -> None:
    """The path of a file that was made, on stdout: escaped for a terminal, exact for a script."""
    name = str(path)
    click.echo(plain(name, limit=len(name)) if sys.stdout.isatty() else os.fsencode(path))


def write_document(body: Mapping[str, Json], format_: str) -> None:
    """A JSON document, or one line of JSON Lines, on stdout.

    Non-ASCII is escaped: JSON readers get the text exactly, terminals get nothing to obey.
    """
    lines = format_ == "jsonl"
    document = {"schema_version": SCHEMA_VERSION, **body}
    click.echo(json.dumps(document, indent=None if lines else 2, ensure_ascii=True, sort_keys=not lines))


def bug(error: Exception, *, where: str | None = None) -> Error:
    """What nobody expected, as an error that ends with exit code 70."""
    what = f"guard met something it did not expect ({type(error).__name__}: {error})"
    found = Error("bug", what, where=where, hint="run again with guard --debug … and report the traceback")
    found.exit_code = BUG
    return found
