"""The one place where a command asks a person something, and what happens where nobody can be asked.

Only a terminal is asked. What comes through a pipe is data of the command, or of the loop around it, and is
never taken for an answer; a script answers beforehand, with an option or a variable that the hint names.
"""

from __future__ import annotations

import sys

import click

from provenance.errors import ConfigurationError, Error, InputError


def confirmed(question: str) -> bool:
    """Whether somebody at the terminal says yes.

    Raises:
        InputError: ``answer.needed`` when there is nobody to ask.
    """
    _require_terminal(
        InputError("answer.needed", f"nobody can be asked: {question.strip()}", hint="use --yes in a script")
    )
    return click.confirm(question, err=True)


def secret(prompt: str, *, twice: bool = False, otherwise: ConfigurationError) -> bytes:
    """What somebody types unseen; ``otherwise`` is raised when there is nobody to ask.

    Args:
        prompt: what is asked for.
        twice: ask once more, as for a new passphrase.
        otherwise: says what is missing and where else it can come from.
    """
    _require_terminal(otherwise)
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)).encode()


def _require_terminal(otherwise: Error) -> None:
    if sys.stdin is None or not sys.stdin.isatty():  # None where a service closed it
        raise otherwise
