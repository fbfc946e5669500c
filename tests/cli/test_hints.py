"""Every command that a message recommends exists, and so does every option that it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from guard.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path for name in ("guard", "generators", "audits", "provenance") for path in (ROOT / name).rglob("*.py")
]
NOT_COMMANDS = {"command", "does", "from", "met", "never", "process", "was"}
"""Words that follow "guard" where a sentence speaks of the program."""
FOREIGN = {
    "--force-reinstall",
    "--is-inside-work-tree",
    "--no-deps",
    "--out",  # of the reference models, a program of its own
    "--porcelain",
    "--reverse",
    "--revision",
    "--upgrade",
}
"""Of the commands git, hf and pip."""
CONTEXT = click.Context(cli)


def texts(path: Path):
    """Every text of a module that may be shown; of an f-string its fixed parts. No docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def command_of(words: list[str]) -> click.Command:
    """The command that ``words`` begin with; fails where there is none."""
    found = CONTEXT.command
    while isinstance(found, click.Group):
        assert words, f"{found.name} needs a subcommand"
        name, *words = words
        inner = found.get_command(CONTEXT, name)
        assert inner is not None, f"there is no {name!r} in {found.name}"
        found = inner
    return found


def options_of(command: click.Command) -> set[str]:
    return {word for option in command.params for word in (*option.opts, *option.secondary_opts)} | {"--help"}


def every_command(group: click.Group = cli):
    for name in group.list_commands(CONTEXT):
        found = group.get_command(CONTEXT, name)
        yield from every_command(found) if isinstance(found, click.Group) else (found,)


def check(text: str) -> None:
    """``guard NAME …`` in ``text`` up to the end of the clause is a command with these options."""
    for clause in re.findall(r"\bguard ([a-z-][^.,;:()]*)", text):
        words = re.findall(r"[\w…-]+", clause)
        if words[0] in NOT_COMMANDS:
            continue
        if words[0].startswith("-"):
            assert words[0] in options_of(cli)
            continue
        known = options_of(command_of(words))
        assert {word for word in words if word.startswith("--")} <= known, clause


@pytest.mark.parametrize(
    "text", ["guard policy list", "run guard keys mend", "guard verify FILE --mend", "(guard trust)"]
)
def test_the_check_notices_what_does_not_exist(text):
    with pytest.raises(AssertionError):
        check(text)


def test_every_command_that_a_message_names_exists():
    named = [text for path in SOURCES for text in texts(path) if "guard " in text]
    assert len(named) > 40
    for text in named:
        check(text)


def test_every_option_that_a_message_names_exists_somewhere():
    known = options_of(cli).union(*map(options_of, every_command()))
    found = {
        word
        for path in SOURCES
        for text in texts(path)
        if not {"training", "reference"} & set(path.parts)  # programs of their own
        for word in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text)
    }
    assert {"--force", "--policy", "--source"} <= found
    assert found - FOREIGN <= known


def test_an_error_without_a_hint_is_explained():
    from guard.cli._output import told
    from provenance.errors import InputError

    assert told(InputError("media.damaged", "x"))["hint"] == "guard explain media.damaged"
    assert command_of(["explain"]).name in COMMANDS
