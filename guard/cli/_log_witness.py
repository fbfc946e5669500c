"""``guard log witness``: for the witness new and sign, for the owner add, accept, list, timestamp and git."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._log_options import NOTE, RESULT, echo_result, log_key, parsed, read_note, write_result
from guard.cli._options import FORCE, FORMAT, about, finish
from guard.cli._output import write_document, write_path
from guard.text import plain
from guard.verdict import MET, NOTHING_TO_CONCLUDE

if TYPE_CHECKING:
    from provenance.canonical import Json
    from provenance.log.cosignature import WitnessSigner
    from provenance.log.witness import Witness, Witnessing


@click.group("witness")
def witness() -> None:
    """Have others vouch for the log, or vouch for the log of somebody else."""


@witness.command("new")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where the private key goes; it never leaves the witness.",
)
def new(name: str, path: Path) -> None:
    """Make a witness's key. NAME is public and its own, such as witness.example/w1.

    Prints the public key, which the log's owner and everybody who relies on the log need.
    """
    from provenance.errors import InputError  # noqa: PLC0415
    from provenance.keys import create_log_key  # noqa: PLC0415
    from provenance.log.checkpoint import NoteVerifier  # noqa: PLC0415

    if not (name.isascii() and NoteVerifier.can_be_named(name)):
        what, hint = (
            f"{name!r} cannot name a witness",
            "letters, digits, dots and slashes; no spaces, no plus sign",
        )
        raise InputError("log.witness-name", what, hint=hint)
    create_log_key(path, origin=name, kind="witness")
    click.echo(str(_signer(path).verifier))


@witness.command("sign")
@click.argument("folder", metavar="[DIR]", type=NOTE, required=False)
@click.option(
    "--request", metavar="FILE", type=NOTE, help="A proof by `guard log consistency`, instead of a copy."
)
@click.option("--log-key", "key", metavar="KEY", required=True, help="Public key of the log, or its file.")
@click.option("--key", "own", metavar="FILE", type=NOTE, required=True, help="The witness's private key.")
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The witness's memory: what it signed last for each log. Keep it.",
)
@RESULT
@FORCE
def sign(
    folder: Path | None,
    request: Path | None,
    key: str,
    own: Path,
    state: Path,
    output: Path | None,
    force: bool,
) -> None:
    """Sign the checkpoint of a published log in DIR, if it extends the one signed before.

    A smaller log, and one whose past was changed, is refused, and its checkpoint kept as evidence. The
    result is the checkpoint with this witness's signature; its owner takes it with guard log witness accept.
    """
    if (folder is None) == (request is None):
        raise click.UsageError("name the folder of the published log, or a --request")
    done = _signed(_witness(own, state), key, folder, request)
    seen = "for the first time" if done.before == 0 else f"extending the {done.before} seen before"
    click.echo(f"SIGNED  {done.checkpoint.size} entries, {seen}", err=True)
    if output is None:
        echo_result(done.note)
        return
    write_result(output, done.note, force=force)
    write_path(output)


def _signed(by: Witness, key: str, folder: Path | None, request: Path | None) -> Witnessing:
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.log.proof import MAX_PROOF_BYTES, ConsistencyProof  # noqa: PLC0415
    from provenance.log.published import Published  # noqa: PLC0415

    log = log_key(key)
    if folder is not None:
        with about(folder):
            return by.cosign_copy(Published.open(folder, log), log)
    assert request is not None
    with about(request):
        proof = ConsistencyProof.parse(read_bounded(request, most=MAX_PROOF_BYTES))
        return by.cosign_request(proof, log)


def _witness(own: Path, state: Path) -> Witness:
    from guard.clock import utc_now  # noqa: PLC0415
    from provenance.log.witness import Witness  # noqa: PLC0415

    return Witness(folder=state, signer=_signer(own), clock=lambda: int(utc_now().timestamp()))


def _signer(path: Path) -> WitnessSigner:
    from provenance.keys import load_log_key  # noqa: PLC0415
    from provenance.log.cosignature import WitnessSigner  # noqa: PLC0415

    found = load_log_key(path, kind="witness")
    return WitnessSigner(name=found.name, private_key=found.private_key)


@witness.command("add")
@click.argument("key", metavar="KEY")
def add(key: str) -> None:
    """Let a witness's signatures count for this log. KEY is the public key that the witness gave you."""
    from guard.home import Home  # noqa: PLC0415
    from provenance.log.cosignature import WitnessVerifier  # noqa: PLC0415
    from provenance.log.witnessed import add_witness  # noqa: PLC0415

    verifier = parsed(WitnessVerifier, key)
    fresh = add_witness(Home.locate().require().log_as_found(), verifier)
    click.echo(f"{plain(verifier.name)} {'is a witness of this log now' if fresh else 'was one already'}")


@witness.command("accept")
@click.argument("note", metavar="CHECKPOINT", type=NOTE)
def accept(note: Path) -> None:
    """Take the checkpoint that a witness signed; from now on it travels with the published log."""
    from guard.home import Home  # noqa: PLC0415
    from provenance.log.vouchers import by_witnesses, told  # noqa: PLC0415
    from provenance.log.witnessed import accept as file_note  # noqa: PLC0415

    log = Home.locate().require().log_as_found()
    with about(note):
        filed = file_note(log, read_note(note))
    size = log.checkpoint().size
    click.echo(f"accepted: {size} entries, {plain(told(by_witnesses([filed]), size))}")


@witness.command("list")
@FORMAT
def list_(format_: str) -> None:
    """Show the witnesses of this log and what they last signed."""
    from guard.home import Home  # noqa: PLC0415
    from guard.log_view import LogView  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415
    from provenance.log.vouchers import told  # noqa: PLC0415

    view = LogView.own(Home.locate().require())
    vouchers = view.vouchers()
    code = MET if vouchers else NOTHING_TO_CONCLUDE
    if format_ != "text":
        body: dict[str, Json] = {"size": view.head.size, "witness": told(vouchers, view.head.size)}
        keys: list[Json] = [{"name": one.name, "key": str(one)} for one in view.witnesses]
        write_document(
            {"exit_code": code, **body, "witnesses": keys, "vouchers": to_json(vouchers), "errors": []},
            format_,
        )
    else:
        click.echo(f"{view.head.size} entries, {plain(told(vouchers, view.head.size))}")
        for one in view.witnesses:
            last = max((each.size for each in vouchers if each.name == one.name), default=0)
            click.echo(f"    {plain(one.name)}  {f'up to {last} entries' if last else 'nothing signed yet'}")
            click.echo(f"        {plain(str(one))}")
    finish(code)


@witness.command("timestamp")
def timestamp() -> None:
    """Have the log's checkpoint time-stamped by the authorities in config.toml, which opens a connection.

    The token says that this history existed at that time; it counts as a witness where a list of kind tsa
    vouches for the authority (guard trust add --kind tsa).
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.log_stamps import stamp_checkpoint  # noqa: PLC0415

    home = Home.locate().require()
    done = stamp_checkpoint(home.log_as_found(), home.config().timestamp.stamper(), home.trust())
    click.echo(f"time-stamped: {done.size} entries, {done.at:%Y-%m-%d %H:%M:%S} UTC")
    if done.listed is None:
        click.echo("    the authority is on no list here, so the time-stamp is no witness yet")
    else:
        click.echo(f"    the authority is on {plain(done.listed)}")


@witness.command("git")
@click.argument("repository", metavar="REPOSITORY", type=NOTE)
def git(repository: Path) -> None:
    """Commit the log's checkpoint to a git repository; push it, and whoever has a clone is a witness.

    `guard log verify --against-git` holds the log against every checkpoint in the history of a clone.
    """
    from guard.home import Home  # noqa: PLC0415
    from guard.log_git import commit_checkpoint  # noqa: PLC0415

    done = commit_checkpoint(Home.locate().require().log_as_found(), repository)
    if done.commit is None:
        click.echo(f"nothing new: {done.size} entries are committed already")
    else:
        click.echo(f"committed {done.size} entries as {done.commit[:12]} in {plain(str(repository))}")
        click.echo("    next: git push, to somewhere that others fetch from")
