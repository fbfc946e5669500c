"""Commands that ask a person: answered on a terminal, and never by what happens to be on standard input."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import guard
from guard.records import Records

pty = pytest.importorskip("pty", reason="pseudo-terminals are a matter of POSIX")

PACKAGE = Path(guard.__file__).parent


def answering(answer: str, *arguments: object) -> tuple[int, str]:
    """Exit code and stderr of ``guard ARGUMENTS…`` where somebody types ``answer`` at the terminal."""
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    command = [sys.executable, "-m", "guard", *map(str, arguments)]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False, timeout=120)
    os.close(theirs)
    os.close(ours)
    return done.returncode, done.stderr


@pytest.fixture
def record(home) -> Path:
    """The record of a release that was interrupted."""
    path = home.records_folder / ("ab" * 16 + ".json")
    path.write_text("{")
    assert isinstance(home.records(), Records)
    return path


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, True), ("\n", 1, True), ("y\n", 0, False)])
def test_a_terminal_is_asked_and_no_means_no(record, answer, code, left):
    found, err = answering(answer, "records", "erase", record.stem)
    assert found == code, err
    assert "erase 1 private record for good?" in err
    assert ("nothing was erased" in err) == left
    assert record.exists() == left


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_a_standard_input_that_is_closed_is_nobody_to_ask(record):
    line = 'exec "$0" -m guard records erase "$1" <&-'
    command = ["sh", "-c", line, sys.executable, record.stem]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, record.exists()) == (2, True)
    assert "error[answer.needed]" in done.stderr


def test_questions_are_asked_in_one_place():
    """So that no command can forget what happens where nobody can be asked."""
    asking = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if name in {"confirm", "prompt", "getpass", "input", "pause", "confirmation_option", "getchar"}:
                asking.add(path.name)
    assert asking == {"_asking.py"}
