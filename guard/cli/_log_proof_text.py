"""What a proof shows, as ``guard log verify --proof`` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._options import about
from guard.cli._output import report_error, told, write_document
from guard.text import plain
from guard.verdict import MET, NOT_MET, gravest
from provenance.errors import Error

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from guard.log_proofs import Proven
    from provenance.canonical import Json
    from provenance.log.checkpoint import NoteVerifier
    from provenance.log.cosignature import WitnessVerifier


def verify_proof(
    path: Path,
    verifier: NoteVerifier,
    witnesses: Sequence[WitnessVerifier],
    words: Sequence[str],
    format_: str,
) -> int:
    """Check the proof in ``path``, and that it is of each file in ``words``; the exit code."""
    from guard.log_proofs import check  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.log.proof import MAX_PROOF_BYTES, InclusionProof  # noqa: PLC0415

    with about(path):
        shown = check(
            InclusionProof.parse(read_bounded(path, most=MAX_PROOF_BYTES)), verifier, tuple(witnesses)
        )
    signed = {one.name for one in shown.vouchers}
    unmet = [f"{one.name} has not signed" for one in witnesses if one.name not in signed]
    files, errors = _files(words, shown)
    codes = [NOT_MET if unmet or not all(files.values()) else MET, *(error.exit_code for _, error in errors)]
    code = gravest(codes)
    for file, error in errors:
        report_error(error, file)
    if format_ != "text":
        write_document(_body(shown, files, errors, unmet, code), format_)
    else:
        _print(shown, files, unmet, unread=bool(errors))
    return code


def _files(words: Sequence[str], shown: Proven) -> tuple[dict[str, bool], list[tuple[Path, Error]]]:
    """Of each file, whether the proof is of its bytes."""
    from guard.inputs import named_files, stdin_asset  # noqa: PLC0415
    from provenance.files import open_file  # noqa: PLC0415
    from provenance.stored import sha256_of  # noqa: PLC0415

    found: dict[str, bool] = {}
    errors: list[tuple[Path, Error]] = []
    for one in named_files(words):
        try:
            if one.problem is not None:
                raise one.problem
            digest = stdin_asset().sha256 if one.stdin else sha256_of(open_file(one.path))
            found[str(one.path)] = shown.is_of(digest)
        except Error as error:
            errors.append((one.path, error))
    return found, errors


def _body(
    shown: Proven, files: dict[str, bool], errors: list[tuple[Path, Error]], unmet: list[str], code: int
) -> dict[str, Json]:
    from guard.serialise import to_json  # noqa: PLC0415

    body = to_json(shown)
    assert isinstance(body, dict)
    return {
        "exit_code": code,
        "proven": body,
        "unmet": list(unmet),
        "files": [{"file": file, "is_of": is_of} for file, is_of in files.items()],
        "errors": [dict(told(error, file)) for file, error in errors],
    }


def _print(shown: Proven, files: dict[str, bool], unmet: list[str], *, unread: bool) -> None:
    heading = _heading(files.values(), unread=unread)
    click.echo(f"{heading}  entry {shown.index} of {shown.size}, {plain(shown.witness)}")
    click.echo(f"    log    {plain(shown.origin)}")
    click.echo(f"    says   {plain(shown.says)}")
    click.echo(f"    time   {shown.time:%Y-%m-%d %H:%M:%S} UTC, as the log's owner claims")
    for line in unmet:
        click.echo(f"    not met  {plain(line)}")
    for file, is_of in files.items():
        word = "is what was allowed" if is_of else "is not what this entry allowed"
        click.echo(f"    {plain(file)} {word}")


def _heading(are_of: Collection[bool], *, unread: bool) -> str:
    """The first word is read as the answer about every file named: PROVEN only where it is."""
    if not all(are_of):
        return "MISMATCH"
    return "NOT CHECKED" if unread else "PROVEN"
