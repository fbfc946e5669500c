"""Promise 7: verify, inspect and recover open no socket; the parser's limits come before decoding."""

from __future__ import annotations

import subprocess
import sys

import pytest

WATCHED = """
import sys

def watch(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        print("SOCKET", event, arguments, file=sys.stderr)
        sys.exit(99)

sys.addaudithook(watch)
from guard.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", [["verify"], ["verify", "--marks"], ["inspect"], ["recover"]])
def test_opens_no_socket(command, signed):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *command, str(signed[".jpg"])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SOCKET" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_the_watch_would_notice(tmp_path):
    code = WATCHED.replace("from guard.cli.main import run", "import socket; socket.socket()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 99
