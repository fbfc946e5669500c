"""``guard verify``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FORMAT, JSON, LOCATOR, RECURSIVE, REGISTRY, WORDS, NewPath, finish
from guard.cli._verifying import Asked, Verifying, write_note
from guard.verdict import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.manifest.trust import TrustLists


@click.command("verify")
@WORDS
@FORMAT
@JSON
@RECURSIVE
@click.option(
    "--require",
    type=click.Choice([r.value for r in Requirement]),
    help="Exit 0 if every file is at least this, 1 if not.",
)
@click.option("--marks", is_flag=True, help="Also read the watermark of files whose manifest is intact.")
@click.option("--tree", is_flag=True, help="Draw the ingredients, with what was recorded and what is found.")
@click.option(
    "--trust-list",
    "lists",
    multiple=True,
    metavar="FILE|NAME",
    help="Trust exactly this list of signers: one of `guard trust list`, or a PEM file. Repeatable.",
)
@click.option(
    "--tsa-list",
    "authorities",
    multiple=True,
    metavar="FILE|NAME",
    help="The same for time-stamp authorities.",
)
@click.option(
    "--validation-time",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
    metavar="TIME",
    help="Judge certificates as of this time (UTC) instead of now.",
)
@click.option("--crjson", is_flag=True, help="JSON with the crJSON of each manifest beside its verdict.")
@click.option(
    "--report",
    type=NewPath(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write a note on all files: digests, versions, lists, steps, answers and limits.",
)
@click.option("--force", is_flag=True, help="Replace an existing report.")
@click.option(
    "--no-isolation",
    is_flag=True,
    help="Read formats beyond PNG, JPEG and WebP in this process too: faster, for files of your own.",
)
@REGISTRY
@LOCATOR
def command(
    words: tuple[str, ...],
    format_: str,
    json_: bool,
    recursive: bool,
    report: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Say what can be known of each file's origin, and what was not looked at.

    FILE is a file, - for standard input, @LIST for a file of names, a quoted pattern, or with -r a folder.
    Opens no connection. A file without credentials is not called fake, and one with credentials is
    not called true: a manifest shows who signed these bytes.
    """
    from guard.cli._progress import counted  # noqa: PLC0415
    from guard.inputs import named_files  # noqa: PLC0415

    if report is not None:
        _check(report, force=force)
    asked = _asked(**options)
    if format_ == "text" and (json_ or asked.crjson):
        format_ = "json"
    batch = Batch(name=RESULTS["verify"], format_=format_)
    verifying = Verifying(asked=asked, batch=batch, keep=report is not None)
    for named in counted(named_files(words, recursive=recursive), "verify", quiet=batch.on_terminal):
        verifying.one(named)
    if report is not None:
        write_note(report, verifying, options=tuple(_repeated(**options)), force=force)
    finish(batch.close())


def _asked(
    *,
    require: str | None,
    marks: bool,
    tree: bool,
    lists: tuple[str, ...],
    authorities: tuple[str, ...],
    validation_time: datetime | None,
    crjson: bool,
    no_isolation: bool,
    registries: tuple[Path, ...],
    locators: tuple[Path, ...],
) -> Asked:
    """The options as values; keys and lists are named here and opened when they are needed."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.lookup import Sources  # noqa: PLC0415

    return Asked(
        at=validation_time.replace(tzinfo=UTC) if validation_time else utc_now(),
        trust=_chosen(lists, authorities),
        marks=marks,
        requirement=Requirement(require) if require else None,
        tree=tree,
        crjson=crjson,
        isolated=not no_isolation,
        sources=Sources(home=Home.locate(), folders=registries, locators=locators),
    )


def _check(report: Path, *, force: bool) -> None:
    """Before any work: whether the note can be written."""
    from guard.report_file import check_report  # noqa: PLC0415
    from provenance.errors import InputError  # noqa: PLC0415

    if report.suffix.lower() not in (".html",):
        what = "a verification note is a page: its name ends in .html"
        raise InputError("report.format", what, where=str(report), hint="name it note.html")
    check_report(report, force=force)


def _chosen(lists: tuple[str, ...], authorities: tuple[str, ...]) -> TrustLists | None:
    """Exactly the lists that were named; None where none was."""
    if not lists and not authorities:
        return None
    from guard.chosen_lists import only  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415

    return only(Home.locate().trust(), lists, authorities, today=utc_now().date())


_DECIDING = {
    "lists": "--trust-list",
    "authorities": "--tsa-list",
    "registries": "--registry",
    "locators": "--locator",
}
"""Options of which a verdict depends on a file or folder."""


def _repeated(*, require: str | None, marks: bool, **options: Any) -> Iterator[str]:
    """The options that a verdict depends on; of files their names, without the folders they lie in."""
    for name, option in _DECIDING.items():
        for one in options[name]:
            yield from (option, Path(one).name)
    if require is not None:
        yield from ("--require", require)
    if marks:
        yield "--marks"
