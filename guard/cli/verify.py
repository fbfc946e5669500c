"""``guard verify``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FILES, FORMAT, finish
from guard.cli._output import STAGE_WIDTH, style
from guard.text import plain
from guard.verdict import MEANING, MET, NOT_MET, Requirement, exit_code

if TYPE_CHECKING:
    from pathlib import Path

    from guard.verdict import Verdict
    from provenance.canonical import Json

_COLOUR = {MET: "green", NOT_MET: "red"}


@click.command("verify")
@FILES
@FORMAT
@click.option(
    "--require",
    type=click.Choice([r.value for r in Requirement]),
    help="Exit 0 if every file is at least this, 1 if not.",
)
@click.option("--marks", is_flag=True, help="Also read the watermark of files whose manifest is intact.")
@click.option(
    "--validation-time",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
    metavar="TIME",
    help="Judge certificates as of this time (UTC) instead of now.",
)
def command(
    files: tuple[Path, ...], format_: str, require: str | None, marks: bool, validation_time: datetime | None
) -> None:
    """Say what can be known of each file's origin, and what was not looked at.

    Opens no connection. A file without credentials is not called fake, and one with credentials is
    not called true: a manifest shows who signed these bytes.
    """
    from guard.api import verify_file  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415

    at = validation_time.replace(tzinfo=UTC) if validation_time else utc_now()
    requirement = Requirement(require) if require else None
    batch = Batch(name=RESULTS["verify"], format_=format_)
    for path in files:
        with batch.attempt(path):
            verdict = verify_file(path, at=at, marks=marks)
            code = exit_code(verdict.state, requirement, vouched=verdict.vouched, added=verdict.added)
            batch.add(verdict if requirement is None else _held(verdict, requirement, code), code, file=path)
            if format_ == "text":
                print_verdict(path, verdict, code)
                if requirement is not None:
                    met = "met" if code == MET else "not met"
                    click.echo(f"    {'required':<{STAGE_WIDTH - 6}} {requirement.value}: {met}")
    finish(batch.close())


def _held(verdict: Verdict, requirement: Requirement, code: int) -> dict[str, Json]:
    """A verdict with what ``--require`` asked of it."""
    from guard.serialise import to_json  # noqa: PLC0415

    body = to_json(verdict)
    assert isinstance(body, dict)
    return {**body, "required": {"level": requirement.value, "met": code == MET}}


def print_verdict(path: Path, verdict: Verdict, code: int) -> None:
    """One verdict line, the answers, and what was not checked."""
    import sys  # noqa: PLC0415

    from provenance.evidence import Outcome  # noqa: PLC0415

    word = verdict.state.value.upper()
    head = style(word, stream=sys.stdout, bold=True, fg=_COLOUR.get(code, "yellow"))
    click.echo(f"{head}  {plain(str(path))}")
    click.echo(f"  {MEANING[verdict.state]}")
    answers = [a for a in verdict.answers if a.outcome is not Outcome.NOT_CHECKED]
    elsewhere = " ".join((MEANING[verdict.state], *(a.text for a in answers), *verdict.conflicts))
    if code != MET and not all(clause in elsewhere for clause in verdict.reason.split("; ")):
        click.echo(f"  {plain(verdict.reason)}")
    for answer in answers:
        click.echo(f"    {answer.question:<{STAGE_WIDTH - 6}} {plain(answer.text)}")
    for conflict in verdict.conflicts:
        click.echo(f"    {'conflict':<{STAGE_WIDTH - 6}} {plain(conflict)}")
    for line in verdict.not_checked:
        click.echo(f"    not checked  {plain(line)}")
