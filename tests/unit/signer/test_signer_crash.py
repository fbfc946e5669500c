"""Promise 1 under SIGKILL with two processes: whichever dies, and wherever, no file is out unlogged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from simulators.killed import AFTER_ALLOW, NAME, release_until, require_agreement, visible_in

from guard.clock import utc_now
from guard.home import Home
from guard.records import Progress
from guard.recovery import mend
from guard.signer.joining import join
from guard.tools import assemble
from provenance.errors import ConfigurationError

SIGNER = """
import os, signal, sys
from pathlib import Path

import guard.attestor
import guard.signer.session
from guard.attestor import InProcess
from guard.home import Home
from guard.signer.office import Office
from guard.signer.server import Server
from guard.tools import assemble

home, path, last = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

place, name = {
    "received": (guard.signer.session, "examined"),
    "signed": (guard.attestor, "remember"),
    "registered": (guard.attestor, "log_manifest"),
    "manifest logged": (guard.attestor, "publish_facts"),
    "decided": (Office, "allow"),
    "ALLOW logged": (InProcess, "conclude"),
    "concluded": (None, ""),
}[last]
if last == "concluded":
    say = lambda line: die() if "released, entry" in line else print(line, flush=True)
else:
    say = lambda line: print(line, flush=True)
    setattr(place, name, die)
tools = assemble(Home(folder=Path(home)))
office = Office(home=Home(folder=Path(home)), tools=tools, say=say)
Server(office=office, path=Path(path), users=frozenset({os.geteuid()})).run()
"""

QUICKLY = {"manifest logged", "decision logged", "ALLOW logged"}


def steps(*names):
    return [name if name in QUICKLY else pytest.param(name, marks=pytest.mark.slow) for name in names]


def require_mended(home, client, folder, *, allowed):
    """The client's next release begins with this; afterwards all four stores agree."""
    mended = mend(client.records, client.attestor)
    assert mend(client.records, client.attestor) == ()
    require_agreement(home, client.records, folder, allowed=allowed)
    return mended


@pytest.mark.parametrize(
    "step",
    steps(
        "intent",
        "checked",
        "marked",
        "signed",
        "manifest logged",
        "written",
        "decision logged",
        "renamed",
    ),
)
def test_a_client_that_is_killed_leaves_nothing_unlogged(step, signer, joined, home, to_be_killed, tmp_path):
    source, folder = to_be_killed
    client = joined(signer())
    done = release_until(step, tmp_path / "client", source, folder)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert visible_in(folder) == ([NAME] if step == "renamed" else [])
    allowed = step in AFTER_ALLOW
    (mended,) = require_mended(home, client, folder, allowed=allowed)
    assert mended.progress is (Progress.RELEASED if allowed else Progress.ABANDONED)


class Process:
    """A signer in a process of its own, which dies where it is told to."""

    def __init__(self, home, path, last):
        arguments = [str(home.folder), str(path), last]
        self.child = subprocess.Popen([sys.executable, "-c", SIGNER, *arguments], stdout=subprocess.PIPE)
        while b"ready" not in self.child.stdout.readline():
            assert self.child.poll() is None

    def wait(self) -> int:
        self.child.stdout.close()
        return self.child.wait(60)


@pytest.mark.parametrize(
    "step",
    steps("received", "signed", "registered", "manifest logged", "decided", "ALLOW logged", "concluded"),
)
def test_a_signer_that_is_killed_leaves_nothing_unlogged(
    step, home, socket_path, signer, to_be_killed, tmp_path
):
    source, folder = to_be_killed
    doomed = Process(home, socket_path, step)
    mine = Home(folder=tmp_path / "client")
    join(mine, socket_path, now=utc_now())
    done = release_until("never", mine.folder, source, folder)
    assert done.returncode == 1
    assert b"signer" in done.stderr
    assert doomed.wait() == -signal.SIGKILL
    assert visible_in(folder) == []
    client = assemble(mine)
    with pytest.raises(ConfigurationError):
        mend(client.records, client.attestor)  # nobody answers: nothing is guessed
    signer()
    allowed = step in {"ALLOW logged", "concluded"}
    require_mended(home, client, folder, allowed=allowed)
    again = release_until("never", mine.folder, source, folder)
    assert again.returncode == (1 if allowed else 0), again.stderr.decode()  # the name is taken, or was free
    assert home.log().verify().ok


def test_the_command_ends_at_a_term_signal(home, socket_path):
    environment = {**os.environ, "GUARD_HOME": str(home.folder)}
    arguments = [sys.executable, "-m", "guard", "signer", "run", "--socket", str(socket_path)]
    child = subprocess.Popen(arguments, stderr=subprocess.PIPE, env=environment, text=True)
    assert child.stderr.readline() == f"ready on {socket_path}\n"
    child.terminate()
    assert child.wait(60) == 0
    assert child.stderr.read() == "ending; 0 clients connected\nended\n"
    child.stderr.close()
    assert not socket_path.exists()
