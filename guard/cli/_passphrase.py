"""Where the passphrase of a signing key comes from. Never the command line, which other users can read.

``--passphrase-from`` of a command, else the variable ``GUARD_PASSPHRASE_FROM``, else ``GUARD_PASSPHRASE``,
else a prompt on the terminal. The first two take ``env:NAME``, ``file:PATH``, ``fd:NUMBER`` or ``prompt``.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from guard.cli._asking import secret
from provenance.errors import ConfigurationError, InputError

_SET = "set GUARD_PASSPHRASE, or use --passphrase-from file:PATH"
_MAX_BYTES = 4096
_SHORTEST = 8
_CHOSEN = "guard.passphrase_from"
"""Place in what click keeps for one command line."""


def _choose(ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    kind, _, rest = value.partition(":")
    if kind not in {"env", "file", "fd", "prompt"} or bool(rest) == (kind == "prompt"):
        raise click.BadParameter("one of env:NAME, file:PATH, fd:NUMBER, prompt; never the passphrase itself")
    if kind == "fd" and not (rest.isascii() and rest.isdigit()):
        raise click.BadParameter("fd: takes the number of an open file, such as fd:3")
    ctx.meta[_CHOSEN] = value


PASSPHRASE_FROM = click.option(
    "--passphrase-from",
    metavar="SOURCE",
    expose_value=False,
    callback=_choose,
    help="Where the passphrase comes from: env:NAME, file:PATH (its first line), fd:NUMBER or prompt. "
    "GUARD_PASSPHRASE_FROM sets it for every command.",
)


def passphrase_set() -> bytes | None:
    """The passphrase that can be had without asking anybody, or None.

    Raises:
        InputError: ``passphrase.source``.
    """
    source = _source()
    if source == "prompt":
        return None
    if source:
        return _read(source)
    found = os.environ.get("GUARD_PASSPHRASE")  # one that is set to nothing holds none
    return found.encode() if found else None


def existing_passphrase() -> bytes:
    """The passphrase of a key that has one.

    Raises:
        ConfigurationError: ``passphrase.needed`` when there is nobody to ask.
        InputError: ``passphrase.source``.
    """
    found = passphrase_set()
    if found is not None:
        return found
    what = "the signing key needs its passphrase, or PIN, and there is no terminal to ask on"
    needed = ConfigurationError("passphrase.needed", what, hint=_SET)
    return secret("Passphrase or PIN of the signing key", otherwise=needed)


def new_passphrase() -> bytes:
    """A passphrase for a key about to be made.

    Raises:
        ConfigurationError: ``passphrase.needed`` when there is nobody to ask.
        InputError: ``passphrase.short``, ``passphrase.source``.
    """
    found = passphrase_set()
    if found is None:
        what = "a passphrase for the new signing key is needed and there is no terminal to ask on"
        needed = ConfigurationError("passphrase.needed", what, hint=_SET)
        found = secret("New passphrase for the signing key", twice=True, otherwise=needed)
    if len(found) < _SHORTEST:
        what = f"a passphrase has at least {_SHORTEST} characters"
        raise InputError("passphrase.short", what, hint="choose a longer one")
    return found


def _source() -> str | None:
    context = click.get_current_context(silent=True)
    chosen: str | None = context.meta.get(_CHOSEN) if context is not None else None
    return chosen or os.environ.get("GUARD_PASSPHRASE_FROM")


def _read(source: str) -> bytes:
    kind, _, name = source.partition(":")
    try:
        if kind == "env":
            found = os.environ[name].encode()
        elif kind == "file":
            with Path(name).open("rb") as file:
                found = file.read(_MAX_BYTES)
        elif kind == "fd":
            found = _from_descriptor(int(name))
        else:
            raise _unusable(source, "it is none of env:NAME, file:PATH, fd:NUMBER, prompt")
    except (KeyError, OSError, ValueError, OverflowError) as error:
        why = (
            "the variable is not set" if kind == "env" else getattr(error, "strerror", None) or "no such file"
        )
        raise _unusable(source, why) from error
    line = found.split(b"\n", 1)[0].removesuffix(b"\r")
    if not line:
        raise _unusable(source, "its first line is empty")
    return line


_read_before: dict[int, bytes] = {}
"""What came out of a descriptor: it can be read once, and a batch asks for every file."""


def _from_descriptor(number: int) -> bytes:
    if number not in _read_before:
        found = b""
        while b"\n" not in found and len(found) < _MAX_BYTES and (part := os.read(number, _MAX_BYTES)):
            found += part
        _read_before[number] = found
    return _read_before[number]


def _unusable(source: str, why: str) -> InputError:
    # The kind only: somebody may have typed the passphrase where its source belongs.
    kind = source.partition(":")[0] if source.startswith(("env:", "file:", "fd:")) else "its source"
    what = f"the passphrase cannot be read from {kind}: {why}"
    return InputError("passphrase.source", what, hint="env:NAME, file:PATH, fd:NUMBER or prompt")
