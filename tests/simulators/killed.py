"""A release in a process of its own that dies by SIGKILL after a step, and what holds once it is mended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from guard.clock import utc_now
from guard.verdict import State
from guard.verify import verify
from provenance.codecs import read_asset
from provenance.log.leaves import unreleased

NAME = "picture.png"
AFTER_ALLOW = frozenset({"decision logged", "renamed"})
"""Steps of a release after which its file may be out."""

_DOOMED = """
import os, signal, sys
from pathlib import Path

from guard.home import Home
from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from guard.tools import assemble
from provenance.codecs import read_asset
from provenance.manifest.reading import DigitalSourceType

home, source, target, last = sys.argv[1:]
tools = assemble(Home(folder=Path(home)))
said = Statement(source_type=DigitalSourceType.DIGITAL_CREATION)
owed = ask(Stage.PLAN, said.origin(), tools, command="release").obligations

def die(step):
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

asset, output = read_asset(Path(source)), Path(target)
release_asset(asset, said, tools, plan=owed, command="release", output=output, progress=die)
"""


def release_until(step: str, home: Path, source: Path, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Release ``source`` into ``folder`` with the home in ``home``; a step there is none of lets it live."""
    arguments = [str(home), str(source), str(folder / NAME), step]
    return subprocess.run([sys.executable, "-c", _DOOMED, *arguments], capture_output=True, check=False)


def names_in(folder: Path) -> list[str]:
    """Every name, hidden ones too."""
    return [path.name for path in folder.iterdir()]


def visible_in(folder: Path) -> list[str]:
    """What a person sees there."""
    return [name for name in names_in(folder) if not name.startswith(".")]


def require_agreement(home, records, folder: Path, *, allowed: bool) -> None:
    """Log, registry, records and ``folder`` tell the same: one release that was allowed, or none at all."""
    log, registry = home.log(), home.registry()
    assert log.verify().ok
    assert registry.pending() == ()
    assert list(records.folder.glob("*.lock")) == []
    if not allowed:
        assert names_in(folder) == []
        return
    assert names_in(folder) == [NAME]
    asset = read_asset(folder / NAME)
    assert verify(asset, trust=home.trust(), at=utc_now()).state is State.DEVELOPMENT
    assert unreleased(log) == ()
    assert len(registry.by_asset(asset.sha256)) == 1
