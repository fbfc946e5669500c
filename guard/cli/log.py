"""``guard log``: verify here, the others in ``_log_…``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._log_export import export
from guard.cli._log_options import KEY, LOG, NOTE, WITNESS, log_key, read_note, view, witness_keys
from guard.cli._log_prove import consistency, prove
from guard.cli._log_witness import witness
from guard.cli._options import FORMAT, RECURSIVE, finish
from guard.cli._output import report_error, told, write_document
from guard.text import plain
from guard.verdict import MET, NOT_MET, NOTHING_TO_CONCLUDE, gravest

if TYPE_CHECKING:
    from pathlib import Path

    from guard.log_files import Gathered
    from guard.log_view import LogView
    from provenance.canonical import Json
    from provenance.log.audit import Earlier, LogReport


@click.group("log")
def command() -> None:
    """Check, prove, publish and witness the transparency log."""


for _part in (prove, consistency, export, witness):
    command.add_command(_part)


@command.command("verify")
@click.argument("words", nargs=-1, metavar="[FILE]...", type=click.Path(readable=False, allow_dash=True))
@click.option(
    "--against",
    "against",
    multiple=True,
    metavar="FILE",
    help="Hold the log against the checkpoint quoted in this published file, and in those that follow.",
)
@RECURSIVE
@click.option(
    "--against-checkpoint",
    "notes",
    multiple=True,
    metavar="FILE",
    type=NOTE,
    help="Hold the log against a checkpoint that you kept. Repeatable.",
)
@click.option(
    "--against-git",
    "clone",
    metavar="REPOSITORY",
    type=NOTE,
    help="Hold the log against every checkpoint in the history of a git clone.",
)
@click.option(
    "--proof",
    metavar="FILE",
    type=NOTE,
    help="Check this proof by `guard log prove` instead, and that it is of each FILE. Needs no log.",
)
@LOG
@KEY
@WITNESS
@FORMAT
def verify(
    words: tuple[str, ...],
    against: tuple[str, ...],
    recursive: bool,
    notes: tuple[Path, ...],
    clone: Path | None,
    proof: Path | None,
    folder: Path | None,
    key: str | None,
    witnesses: tuple[str, ...],
    format_: str,
) -> None:
    """Read the whole log and hold it against its checkpoint, its witnesses and whatever others kept.

    Each published file quotes the log's checkpoint: with a FILE from anywhere it shows whether an earlier
    entry was changed, left out, moved, or cut off since.
    """
    if proof is not None:
        if against or notes or clone or folder:
            raise click.UsageError("--proof is checked on its own, with --key, --witness and FILEs")
        from guard.cli._log_proof_text import verify_proof  # noqa: PLC0415

        finish(verify_proof(proof, log_key(key), witness_keys(witnesses), words, format_))
    seen = view(folder, key, witnesses)
    files = _files((*against, *words), seen, recursive=recursive)
    known = [*files.earlier, *_kept(notes), *_committed(clone, seen)]
    report, waiting = _audited(seen, known, files, own=folder is None)
    signed = {voucher.name for voucher in report.vouchers}
    unsigned = [one for one in witness_keys(witnesses) if one not in seen.witnesses or one.name not in signed]
    code = _code(report, files, met=not unsigned)
    unmet = [f"{one.name} has not signed" for one in unsigned]
    if format_ != "text":
        _document(report, seen, files, waiting, unmet, code, format_)
    else:
        _print(report, seen, files, waiting, unmet)
    finish(code)


def _code(report: LogReport, files: Gathered, *, met: bool) -> int:
    """The gravest of what came of the log and of each file; files that could not be read are told here."""
    unquoted = bool(files.files) and not files.earlier
    codes = [MET if report.ok and met else NOT_MET, *([NOTHING_TO_CONCLUDE] if unquoted else [])]
    for path, error in files.errors:
        report_error(error, path)
        codes.append(error.exit_code)
    return gravest(codes)


def _files(words: tuple[str, ...], seen: LogView, *, recursive: bool) -> Gathered:
    from guard.inputs import named_files  # noqa: PLC0415
    from guard.log_files import gathered  # noqa: PLC0415

    return gathered(named_files(words, recursive=recursive), seen.verifier)


def _kept(notes: tuple[Path, ...]) -> list[Earlier]:
    from provenance.log.audit import Earlier  # noqa: PLC0415

    return [Earlier(note=read_note(path), source=f"kept in {path}") for path in notes]


def _committed(clone: Path | None, seen: LogView) -> tuple[Earlier, ...]:
    if clone is None:
        return ()
    from guard.log_git import committed  # noqa: PLC0415

    return committed(clone, seen.verifier)


def _audited(
    seen: LogView, known: list[Earlier], files: Gathered, *, own: bool
) -> tuple[LogReport, int | None]:
    """The report, and how many manifests wait without an ALLOW; None where that was not looked at."""
    from dataclasses import replace  # noqa: PLC0415

    from guard.agreement import audited  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from provenance.log.leaves import unreleased  # noqa: PLC0415

    home = Home.locate()
    report = audited(home, known) if own else seen.audited(known)
    report = replace(report, problems=(*report.problems, *files.problems))
    waiting = len(unreleased(home.log_as_found())) if own and report.ok else None
    return report, waiting


def _document(
    report: LogReport,
    seen: LogView,
    files: Gathered,
    waiting: int | None,
    unmet: list[str],
    code: int,
    format_: str,
) -> None:
    from guard.serialise import to_json  # noqa: PLC0415

    body = to_json(report)
    assert isinstance(body, dict)
    more: dict[str, Json] = {
        "ok": report.ok,
        "unreleased": waiting,
        "key": str(seen.verifier),
        **body,
        "unmet": list(unmet),
        "files": to_json(files.files),
        "errors": [dict(told(error, path)) for path, error in files.errors],
    }
    write_document({"exit_code": code, **more}, format_)


def _print(report: LogReport, seen: LogView, files: Gathered, waiting: int | None, unmet: list[str]) -> None:
    word = "CONSISTENT" if report.ok else "CONTRADICTED"
    click.echo(f"{word}  {report.size} entries, {plain(report.witness)}")
    click.echo(f"    log   {plain(report.origin)}")
    click.echo(f"    key   {plain(str(seen.verifier))}")
    click.echo(f"    root  {report.root}")
    for problem in report.problems:
        click.echo(f"    {problem.code}: {plain(problem.what)}")
    for line in unmet:
        click.echo(f"    not met  {plain(line)}")
    if report.known_checkpoints:
        held = f"{report.known_checkpoints} earlier checkpoints, up to {report.known_size} entries"
        click.echo(f"    held against  {held}")
    for file in files.files:
        if file.reason is not None:
            word = "not checked" if file.size is None else "held against"
            click.echo(f"    {word}  {plain(file.file)}: {plain(file.reason)}")
    for line in report.not_checked:
        click.echo(f"    not checked  {plain(line)}")
    if waiting:
        click.echo(f"    {waiting} manifests without an ALLOW: never released")
