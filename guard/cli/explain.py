"""``guard explain CODE|RULE``."""

from __future__ import annotations

import difflib
import textwrap

import click

from guard.codes import CODES
from provenance.errors import InputError


@click.command("explain")
@click.argument("name", metavar="CODE|RULE")
def command(name: str) -> None:
    """Explain an error code (as printed in error[CODE]) or a policy rule."""
    text = CODES.get(name) or _rule(name)
    if text is None:
        near = difflib.get_close_matches(name, CODES, n=1)
        hint = f"guard explain {near[0]}" if near else "codes are printed in brackets: error[CODE]"
        raise InputError("explain.unknown", f"there is no code or rule named {name!r}", hint=hint)
    click.echo("\n\n".join(textwrap.fill(part, 92) for part in text.split("\n\n")))


def _rule(name: str) -> str | None:
    from guard.policy.pack import find_rule  # noqa: PLC0415 - reads packs only when asked for one

    rule = find_rule(name)
    return None if rule is None else rule.explanation()
