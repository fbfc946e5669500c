"""Options that the commands about the log share: which log, under which key, with which witnesses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provenance.errors import InputError

if TYPE_CHECKING:
    from guard.log_view import LogView
    from provenance.log.checkpoint import NoteVerifier
    from provenance.log.cosignature import WitnessVerifier

    Key = TypeVar("Key", bound=NoteVerifier)

_MOST_KEY_BYTES = 1024
_OF = {b"\x01": "log", b"\x04": "witness"}
_FOLDER = click.Path(path_type=Path, readable=False)

LOG = click.option(
    "--log",
    "folder",
    metavar="DIR",
    type=_FOLDER,
    help="A published log, or a copy of one, instead of this installation's own.",
)
KEY = click.option(
    "--key",
    metavar="KEY",
    help="Public key of that log, as `guard log verify` prints it, or a file that holds it.",
)
WITNESS = click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="KEY",
    help="Public key of a witness who has to have signed, or a file that holds it. Repeatable.",
)


def log_key(text: str | None) -> NoteVerifier:
    """The log's public key that was named; without one, that of this installation's log.

    Raises:
        InputError: ``log.key-malformed``.
        ConfigurationError: there is no installation, or no key in it; ``signer.elsewhere``.
    """
    from guard.home import Home  # noqa: PLC0415
    from provenance.keys import load_log_key  # noqa: PLC0415
    from provenance.log.checkpoint import NoteVerifier  # noqa: PLC0415

    if text is not None:
        return parsed(NoteVerifier, text)
    home = Home.locate().require()
    home.require_own_keys()
    return load_log_key(home.log_key_path).verifier


def witness_keys(texts: tuple[str, ...]) -> tuple[WitnessVerifier, ...]:
    """The witnesses that were named; ``log.key-malformed``, ``log.witness-name`` for two of one name."""
    from provenance.log.cosignature import WitnessVerifier  # noqa: PLC0415

    found = tuple(dict.fromkeys(parsed(WitnessVerifier, text) for text in texts))
    if len({one.name for one in found}) < len(found):
        what, hint = "two keys have one name, and a signature is told by its name", "name one of them"
        raise InputError("log.witness-name", what, hint=hint)
    return found


def parsed(kind: type[Key], text: str) -> Key:
    """A public key in its text form, or the first line of the file that ``text`` names.

    Raises:
        InputError: ``log.key-malformed``; as ``read_bounded``.
    """
    from provenance.files import read_bounded  # noqa: PLC0415

    where = None
    if "+" not in text or Path(text).is_file():
        where = text
        text = read_bounded(Path(text), most=_MOST_KEY_BYTES).decode("utf-8", "replace").split("\n")[0]
    try:
        return kind.parse(text.strip())
    except ValueError as error:
        raise InputError(
            "log.key-malformed",
            f"this is no public key of a {_OF[kind.algorithm]}: {error}",
            where=where,
            hint="it looks like name+1a2b3c4d+base64; put it in quotes, or name a file that holds it",
        ) from error


def view(folder: Path | None, key: str | None, witnesses: tuple[str, ...] = ()) -> LogView:
    """The log that is meant.

    Raises:
        InputError: ``usage`` for a key without a log.
    """
    from guard.agreement import require_whole  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.log_view import LogView, trust_here  # noqa: PLC0415

    if folder is None:
        if key is not None:
            raise click.UsageError("--key goes with --log or --proof: the own log has its key beside it")
        home = Home.locate().require()
        if not home.has_log():
            require_whole(home)  # says that it was lost, where something shows that it was there
        return LogView.own(home)
    return LogView.copy(folder, log_key(key), witness_keys(witnesses), trust_here(Home.locate()))


def read_note(path: Path) -> bytes:
    """A file that holds a checkpoint."""
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.log.checkpoint import MOST_NOTE_BYTES  # noqa: PLC0415

    return read_bounded(path, most=MOST_NOTE_BYTES)


def write_result(path: Path, data: bytes, *, force: bool) -> None:
    """A proof or checkpoint under a new name, whole; raises ``output.exists`` without ``force``."""
    from provenance.files import write_public  # noqa: PLC0415

    write_public(path, data, overwrite=force)


def echo_result(data: bytes) -> Any:
    """A proof or checkpoint on stdout, byte for byte."""
    click.echo(data, nl=False)


NOTE = click.Path(path_type=Path, readable=False)
RESULT = click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write there instead of stdout."
)
