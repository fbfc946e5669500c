"""What the commands of ``guard bench`` share: progress, their output folder, writing into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._output import stage_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TRIALS, RESULT = "trials.jsonl", "result.json"
"""Names in the output folder."""

FORMAT_OR_MARKDOWN = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="What to print on stdout.",
)


def tenths() -> Callable[[int, int], None]:
    """A line at each tenth."""
    told = -1

    def progress(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // max(total, 1)
        if tenth > told:
            told = tenth
            stage_line("measured", f"{done} of {total}")

    return progress


def check_folder(folder: Path, *, force: bool) -> None:
    """Say before any work is done that the result cannot be written.

    Raises:
        InputError: ``output.exists``, ``output.folder``.
    """
    from provenance.errors import InputError  # noqa: PLC0415
    from provenance.files import check_writable_folder  # noqa: PLC0415

    check_writable_folder(folder)
    if force:
        (folder / TRIALS).unlink(missing_ok=True)
    elif (folder / RESULT).exists() and not (folder / TRIALS).exists():
        what = "the folder holds a result already, without the trials it was made from"
        raise InputError(
            "output.exists", what, where=str(folder), hint="name another with -o, or add --force"
        )


def write_documents(folder: Path, documents: Mapping[str, str | bytes]) -> None:
    """Each whole or not at all; earlier ones of these names are replaced."""
    from provenance.files import replace_atomically, write_temporary  # noqa: PLC0415

    for name, body in documents.items():
        final = folder / name
        data = body.encode() if isinstance(body, str) else body
        replace_atomically(write_temporary(final, data), final)
        stage_line("written", str(final))
