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

from guard.text import plain

if TYPE_CHECKING:
    from provenance.canonical import Json
    from provenance.errors import Error

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


def report_error(error: Error) -> None:
    """``error[CODE]: what`` / ``--> where`` / ``help: hint``."""
    head = style(f"error[{error.code}]", stream=sys.stderr, fg="red", bold=True)
    click.echo(f"{head}: {plain(error.what)}", err=True)
    if error.where:
        click.echo(f"  --> {plain(error.where)}", err=True)
    if error.hint:
        click.echo(f"  help: {plain(error.hint)}", err=True)


def write_json(value: Json, *, lines: bool = False) -> None:
    """A JSON document, or one line of JSON Lines, on stdout.

    Non-ASCII is escaped: JSON readers get the text exactly, terminals get nothing to obey.
    """
    text = json.dumps(value, indent=None if lines else 2, ensure_ascii=True, sort_keys=not lines)
    click.echo(text)
