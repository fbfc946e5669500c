"""``guard verify``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guard.cli._options import FILES, FORMAT, each, finish
from guard.cli._output import STAGE_WIDTH, style, write_json
from guard.text import plain
from guard.verdict import MEANING, MET, NOT_MET, Requirement, exit_code

if TYPE_CHECKING:
    from pathlib import Path

    from guard.verdict import Verdict

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
    verdicts: list[dict[str, object]] = []

    def one(path: Path) -> int:
        verdict = verify_file(path, at=at, marks=marks)
        code = exit_code(verdict.state, requirement, vouched=verdict.vouched)
        _show(path, verdict, code, format_, verdicts)
        return code

    code = each(files, one)
    if format_ == "json":
        from guard.serialise import SCHEMA_VERSION  # noqa: PLC0415

        write_json({"schema_version": SCHEMA_VERSION, "exit_code": code, "verdicts": verdicts})  # type: ignore[dict-item]
    finish(code)


def _show(path: Path, verdict: Verdict, code: int, format_: str, verdicts: list[dict[str, object]]) -> None:
    if format_ == "text":
        print_verdict(path, verdict, code)
        return
    from guard.serialise import SCHEMA_VERSION, to_json  # noqa: PLC0415

    body = to_json(verdict)
    assert isinstance(body, dict)
    document = {"file": str(path), "exit_code": code, **body}
    verdicts.append(document)
    if format_ == "jsonl":
        write_json({"schema_version": SCHEMA_VERSION, **document}, lines=True)


def print_verdict(path: Path, verdict: Verdict, code: int) -> None:
    """One verdict line, the answers, and what was not checked."""
    import sys  # noqa: PLC0415

    from provenance.evidence import Outcome  # noqa: PLC0415

    word = verdict.state.value.upper()
    head = style(word, stream=sys.stdout, bold=True, fg=_COLOUR.get(code, "yellow"))
    click.echo(f"{head}  {plain(str(path))}")
    click.echo(f"  {MEANING[verdict.state]}")
    if code != MET and verdict.reason != MEANING[verdict.state]:
        click.echo(f"  {plain(verdict.reason)}")
    for answer in (a for a in verdict.answers if a.outcome is not Outcome.NOT_CHECKED):
        click.echo(f"    {answer.question:<{STAGE_WIDTH - 6}} {plain(answer.text)}")
    for conflict in verdict.conflicts:
        click.echo(f"    {'conflict':<{STAGE_WIDTH - 6}} {plain(conflict)}")
    for line in verdict.not_checked:
        click.echo(f"    not checked  {plain(line)}")
