"""Options and arguments that several commands share."""

from __future__ import annotations

import math
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator


class NewPath(click.Path):
    """A file or folder to be made. ``-``, which elsewhere is stdout, is not one; ``./-`` is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does, without ``-``."""
        if value == "-":
            self.fail("released files are never written to stdout; name a file or folder", param, ctx)
        return super().convert(value, param, ctx)


class FiniteRange(click.FloatRange):
    """A finite number within bounds. NaN, which compares to nothing, would pass for one within any."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does, for finite numbers."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is no finite number", param, ctx)
        return number


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
WORDS = click.argument(
    "words", nargs=-1, required=True, metavar="FILE...", type=click.Path(readable=False, allow_dash=True)
)
"""Files as ``guard.inputs`` understands them: names, ``-``, ``@LIST``, patterns and folders."""
RECURSIVE = click.option(
    "-r", "--recursive", is_flag=True, help="Take every media file in the folders named, and below them."
)


JSON = click.option("--json", "json_", is_flag=True, help="The same as --format json.")
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
TRAINING_MINING = click.option(
    "--training-mining",
    type=click.Choice(["allowed", "notAllowed", "constrained"]),
    help="Say in the manifest whether models may be trained on the file and data be mined from it (CAWG); "
    "by default as training_mining in the settings says, else nothing.",
)
REGISTRY = click.option(
    "--registry",
    "registries",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also look marks up in this folder that `guard registry publish` made, or a copy. Repeatable.",
)
LOCATOR = click.option(
    "--locator",
    "locators",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="KEYFILE",
    help="Also look for marks with this key, which `guard keys export-locator` handed out. Repeatable.",
)
FORCE = click.option("--force", is_flag=True, help="Replace existing output files.")
POLICY = click.option(
    "--policy",
    metavar="PACK",
    callback=_named,
    help="Policy packs beside base: names or .yaml paths, comma-separated.",
)


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
