"""On a terminal the names of files can do nothing; to a program they are given exactly."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PIL import Image

NAME = "evil\x1b[31m\u202egnp.png"

pty = pytest.importorskip("pty", reason="pseudo-terminals are a matter of POSIX")


@pytest.fixture
def hostile(home, tmp_path):
    Image.effect_noise((300, 300), 60).convert("RGB").save(tmp_path / NAME)
    return tmp_path


def on_a_terminal(folder, *arguments: str) -> str:
    """What ``guard ARGUMENTS…`` writes on stdout when that is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "guard", *arguments]
    done = subprocess.run(
        command,
        stdout=theirs,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    os.close(theirs)
    with os.fdopen(ours, "rb", closefd=True) as terminal:
        shown = terminal.read1(65536).decode()
    assert done.returncode == 0, done.stderr
    return shown


RELEASES = {"release": "out", "sign": f"out/{NAME}"}


@pytest.mark.parametrize("command", RELEASES)
def test_a_terminal_shows_output_names_escaped(hostile, command):
    (hostile / "out").mkdir()
    shown = on_a_terminal(hostile, command, NAME, "--source", "generated", "-o", RELEASES[command])
    assert "\\x1b[31m\\u202egnp.png" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("command", RELEASES)
def test_a_pipe_gets_output_names_as_they_are(hostile, guard_cli, command):
    ran = guard_cli(command, NAME, "--source", "generated", "-o", RELEASES[command])
    assert ran.out == f"out/{NAME}\n"
    assert "\x1b" not in ran.err
    assert (hostile / "out" / NAME).exists()


def test_a_name_that_is_no_text_is_printed_as_its_bytes(hostile):
    name = os.fsdecode(b"\xff.png")
    try:
        (hostile / NAME).rename(hostile / name)
    except OSError:
        pytest.skip("this file system takes text only")
    command = [sys.executable, "-m", "guard", "release", name, "--source", "generated", "-o", "out"]
    done = subprocess.run(command, capture_output=True, cwd=hostile, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"out/\xff.png\n"


@pytest.mark.parametrize("words", [("--help",), ("verify", NAME), ("verify", "--nothing")])
def test_a_reader_who_goes_away_is_no_verdict(hostile, words):
    """``guard … 2>&1 | true``: nothing was told, and 1 would say that something was looked at and not met."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "guard", *words], stdout=theirs, stderr=theirs, cwd=hostile, check=False
    )
    os.close(theirs)
    assert done.returncode == 2
