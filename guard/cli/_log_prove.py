"""``guard log prove`` and ``guard log consistency``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._log_options import (
    KEY,
    LOG,
    NOTE,
    RESULT,
    echo_result,
    log_key,
    read_note,
    view,
    write_result,
)
from guard.cli._options import FORCE, about, finish
from guard.cli._output import write_path
from guard.text import plain
from guard.verdict import MET

if TYPE_CHECKING:
    from guard.log_view import LogView
    from provenance.log.checkpoint import Checkpoint, NoteVerifier
    from provenance.log.proof import ConsistencyProof

_SHA256 = re.compile(r"[0-9a-f]{64}")


@click.command("prove")
@click.argument("what", metavar="FILE|SHA256")
@RESULT
@FORCE
@LOG
@KEY
def prove(what: str, output: Path | None, force: bool, folder: Path | None, key: str | None) -> None:
    """Prove that a released file, or a manifest, stands in the log.

    Name the file, or the SHA-256 of it or of its manifest. The proof is a C2SP tlog-proof with the entry in
    it; `guard log verify --proof` checks it anywhere, with the log's public key and nothing else.
    """
    from guard.log_proofs import prove as prove_entry  # noqa: PLC0415
    from guard.log_view import require_view  # noqa: PLC0415

    sha256 = what.lower() if _SHA256.fullmatch(what.lower()) else _digest(Path(what))
    data = prove_entry(require_view(view(folder, key)), sha256).to_bytes()
    _give(data, output, force=force)


@click.command("consistency")
@click.argument("old", metavar="OLD", type=NOTE)
@click.argument("new", metavar="[NEW]", type=NOTE, required=False)
@click.option(
    "--proof",
    metavar="FILE",
    type=NOTE,
    help="Check this proof from OLD on instead; needs no log, only its key.",
)
@RESULT
@FORCE
@LOG
@KEY
def consistency(
    old: Path,
    new: Path | None,
    proof: Path | None,
    output: Path | None,
    force: bool,
    folder: Path | None,
    key: str | None,
) -> None:
    """Prove that a checkpoint extends an earlier one: nothing changed, left out, moved or cut off.

    OLD and NEW are checkpoint files; NEW is the log's current one if left out. With -o the proof is written
    in the form in which C2SP witnesses are asked for their signature.
    """
    if proof is not None:
        if new is not None or output is not None or folder is not None:
            raise click.UsageError("--proof is checked against OLD alone, with --key")
        made, verifier = _read_proof(proof), log_key(key)
    else:
        seen = view(folder, key)
        made, verifier = _proven(seen, old, new), seen.verifier
    earlier = _opened(old, verifier)
    with about(proof or old):
        later = made.check(earlier, verifier)
    if output is not None:
        write_result(output, made.to_bytes(), force=force)
    click.echo(f"CONSISTENT  the {later.size} entries begin with the {earlier.size} of {plain(str(old))}")
    click.echo(f"    log   {plain(later.origin)}")
    click.echo(f"    by    {len(made.hashes)} hashes, under a checkpoint that the log's key signed")
    finish(MET)


def _proven(seen: LogView, old: Path, new: Path | None) -> ConsistencyProof:
    """Both checkpoints are of this log, or the error says which is not."""
    from guard.log_view import require_view  # noqa: PLC0415
    from provenance.log.proof import prove_consistency  # noqa: PLC0415

    require_view(seen)
    note = seen.note if new is None else read_note(new)
    head = seen.head if new is None else _opened(new, seen.verifier)
    for path, kept in ((new, head), (old, _opened(old, seen.verifier))):
        if path is not None:
            _require_held(seen, kept, path)
    earlier = _opened(old, seen.verifier)
    if earlier.size > head.size:
        raise click.UsageError(f"OLD covers {earlier.size} entries, NEW only {head.size}: exchange them")
    return prove_consistency(seen.tiles, note, head.size, earlier.size)


def _require_held(seen: LogView, kept: Checkpoint, path: Path) -> None:
    from provenance.log.witnessed import contradiction  # noqa: PLC0415

    problem = contradiction(seen.tiles, seen.head.size, kept)
    if problem is not None:
        problem.where = str(path)
        raise problem


def _opened(path: Path, verifier: NoteVerifier) -> Checkpoint:
    from provenance.log.checkpoint import open_checkpoint  # noqa: PLC0415

    with about(path):
        return open_checkpoint(read_note(path), verifier)


def _read_proof(path: Path) -> ConsistencyProof:
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.log.proof import MAX_PROOF_BYTES, ConsistencyProof  # noqa: PLC0415

    with about(path):
        return ConsistencyProof.parse(read_bounded(path, most=MAX_PROOF_BYTES))


def _digest(path: Path) -> str:
    from provenance.files import open_file  # noqa: PLC0415
    from provenance.stored import sha256_of  # noqa: PLC0415

    return sha256_of(open_file(path))


def _give(data: bytes, output: Path | None, *, force: bool) -> None:
    if output is None:
        echo_result(data)
        return
    write_result(output, data, force=force)
    write_path(output)
