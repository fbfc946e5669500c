"""``guard verify``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FORMAT, JSON, RECURSIVE, WORDS, finish
from guard.verdict import MET, Requirement, exit_code

if TYPE_CHECKING:
    from guard.inputs import Named
    from guard.verdict import Verdict
    from provenance.canonical import Json
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of every file.

    Attributes:
        at: time for which certificates are judged.
        trust: lists that count; None: those of the installation.
        marks: read the mark of intact files too.
        requirement: of ``--require``.
        tree: draw the ingredients.
        crjson: add the crJSON of each manifest.
    """

    at: datetime
    trust: TrustLists | None
    marks: bool
    requirement: Requirement | None
    tree: bool
    crjson: bool


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
def command(
    words: tuple[str, ...],
    format_: str,
    json_: bool,
    require: str | None,
    marks: bool,
    tree: bool,
    lists: tuple[str, ...],
    authorities: tuple[str, ...],
    validation_time: datetime | None,
    crjson: bool,
    recursive: bool,
) -> None:
    """Say what can be known of each file's origin, and what was not looked at.

    FILE is a file, - for standard input, @LIST for a file of names, a quoted pattern, or with -r a folder.
    Opens no connection. A file without credentials is not called fake, and one with credentials is
    not called true: a manifest shows who signed these bytes.
    """
    from guard.cli._progress import counted  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.inputs import named_files  # noqa: PLC0415

    asked = Asked(
        at=validation_time.replace(tzinfo=UTC) if validation_time else utc_now(),
        trust=_chosen(lists, authorities),
        marks=marks,
        requirement=Requirement(require) if require else None,
        tree=tree,
        crjson=crjson,
    )
    if format_ == "text" and (json_ or crjson):
        format_ = "json"
    batch = Batch(name=RESULTS["verify"], format_=format_)
    files = named_files(words, recursive=recursive)
    for named in counted(files, "verify", quiet=batch.on_terminal):
        if named.skipped is not None:
            batch.skip(named.path, named.skipped)
            continue
        with batch.attempt(named.path):
            _one(named, asked, batch)
    finish(batch.close())


def _one(named: Named, asked: Asked, batch: Batch) -> None:
    """Judge one file, and tell."""
    from guard.cli._verdict_text import print_requirement, print_verdict  # noqa: PLC0415

    verdict, asset = _judged(named, asked)
    needed = asked.requirement
    code = exit_code(verdict.state, needed, vouched=verdict.vouched, added=verdict.added)
    batch.add(_document(verdict, asset, asked, code), code, file=named.path)
    if batch.format_ != "text":
        return
    print_verdict(named.path, verdict, code, tree=asked.tree)
    if needed is not None:
        print_requirement(needed.value, met=code == MET)


def _judged(named: Named, asked: Asked) -> tuple[Verdict, Asset | None]:
    """The verdict; the bytes too where something else is to be told of them."""
    from guard.api import verify_asset, verify_file  # noqa: PLC0415

    if named.problem is not None:
        raise named.problem
    if not named.stdin:
        return verify_file(named.path, at=asked.at, marks=asked.marks, trust=asked.trust), None
    from guard.inputs import stdin_asset  # noqa: PLC0415

    asset = stdin_asset()
    return verify_asset(asset, at=asked.at, marks=asked.marks, trust=asked.trust), asset


def _chosen(lists: tuple[str, ...], authorities: tuple[str, ...]) -> TrustLists | None:
    """Exactly the lists that were named; None where none was."""
    if not lists and not authorities:
        return None
    from guard.chosen_lists import only  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415

    return only(Home.locate().trust(), lists, authorities, today=utc_now().date())


def _document(verdict: Verdict, asset: Asset | None, asked: Asked, code: int) -> Verdict | dict[str, Json]:
    """A verdict with what ``--require`` asked of it."""
    del asset
    if asked.requirement is None:
        return verdict
    from guard.serialise import to_json  # noqa: PLC0415

    body = to_json(verdict)
    assert isinstance(body, dict)
    return {**body, "required": {"level": asked.requirement.value, "met": code == MET}}
