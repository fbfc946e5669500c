"""Options and arguments that several commands share."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance.errors import ConfigurationError, Error, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


class NewPath(click.Path):
    """A file or folder to be made. ``-``, which elsewhere is stdout, is not one; ``./-`` is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does, without ``-``."""
        if value == "-":
            self.fail("released files are never written to stdout; name a file or folder", param, ctx)
        return super().convert(value, param, ctx)


def _named(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not all(map(str.strip, value.split(","))):
        raise click.BadParameter("a pack without a name; leave the option away for the usual packs")
    return value


_READ = click.Path(path_type=Path, readable=False)
"""A file that may not be read is an error of that file (``input.unreadable``), not of the command line."""

FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...", type=_READ)
FILE = click.argument("file", metavar="FILE", type=_READ)
FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "jsonl"]),
    default="text",
    show_default=True,
    help="What to print on stdout.",
)
OUTPUT = click.option(
    "-o",
    "--output",
    "folder",
    type=NewPath(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the released files; made if absent.",
)
PRIVATE_NUMBER = click.option(
    "--private-number",
    metavar="N",
    type=click.IntRange(1, 255),
    help="A number of your own (which tenant, which model) for the private layer of the marks, 1 to 255; "
    "`guard watermark detect` reads it, with your private mark key only.",
)
FORCE = click.option("--force", is_flag=True, help="Replace existing output files.")
POLICY = click.option(
    "--policy",
    metavar="PACK",
    callback=_named,
    help="Policy packs beside base: names or .yaml paths, comma-separated.",
)


def passphrase_set() -> bytes | None:
    """The passphrase in the environment; a variable that is set to nothing holds none."""
    found = os.environ.get("GUARD_PASSPHRASE")
    return found.encode() if found else None


def existing_passphrase() -> bytes:
    """The passphrase of a key that has one.

    Raises:
        ConfigurationError: ``passphrase.needed`` when there is nobody to ask.
    """
    found = passphrase_set()
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "passphrase.needed",
            "the signing key is protected by a passphrase and there is no terminal to ask on",
            hint="set GUARD_PASSPHRASE",
        )
    return str(click.prompt("Passphrase of the signing key", hide_input=True, err=True)).encode()


def new_passphrase() -> bytes:
    """A passphrase for a key about to be made.

    Raises:
        ConfigurationError: ``passphrase.needed`` when there is nobody to ask.
        InputError: ``passphrase.short``.
    """
    found = passphrase_set()
    if found is None:
        if not sys.stdin.isatty():
            what = "a passphrase for the new signing key is needed and there is no terminal to ask on"
            raise ConfigurationError("passphrase.needed", what, hint="set GUARD_PASSPHRASE")
        prompt = "New passphrase for the signing key"
        found = str(click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)).encode()
    if len(found) < 8:
        raise InputError(
            "passphrase.short", "a passphrase has at least 8 characters", hint="choose a longer one"
        )
    return found


@contextmanager
def output_folders(*folders: Path) -> Iterator[None]:
    """Folders for outputs, made if absent; those made here that stay empty are removed again.

    Raises:
        InputError: ``output.folder``.
    """
    made: list[Path] = []
    try:
        for folder in folders:
            made += [part for part in (folder, *folder.parents) if not part.exists()]
            _make(folder)
        yield
    finally:
        for part in sorted(made, key=lambda part: len(part.parts), reverse=True):
            with suppress(OSError):  # not empty
                part.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the output folder cannot be made: {error.strerror}"
        hint = "name another folder with -o"
        raise InputError("output.folder", what, where=str(folder), hint=hint) from error


def debugging() -> bool:
    """Whether ``guard --debug`` was asked for: errors are then raised, not reported."""
    return bool(click.get_current_context().find_root().obj["debug"])


@contextmanager
def about(file: Path) -> Iterator[None]:
    """Errors inside that name no place are about ``file``."""
    try:
        yield
    except Error as error:
        error.where = error.where or str(file)
        raise


def finish(code: int) -> Any:
    """End the command with ``code``."""
    click.get_current_context().exit(code)
