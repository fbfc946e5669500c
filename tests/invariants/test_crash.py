"""Promise 1 under SIGKILL: whatever step a release dies in, the next run mends it.

The table is in docs/decisions/0001-nothing-on-disk-before-allow.md.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from guard.clock import utc_now
from guard.records import Progress, Record
from guard.recovery import mend_interrupted
from guard.verdict import State
from guard.verify import verify
from provenance.codecs import read_asset
from provenance.locks import locked
from provenance.log.leaves import unreleased

STEPS = [
    "intent",
    "checked",
    "marked",
    "signed",
    "read back",
    "manifest logged",
    "written",
    "decision logged",
    "renamed",
]
AFTER_ALLOW = {"decision logged", "renamed"}

DOOMED = """
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


def killed_after(step: str, home, photograph, tmp_path: Path) -> Path:
    source = tmp_path / "source.png"
    Image.fromarray(photograph[:256, :256]).save(source)
    folder = tmp_path / "out"
    folder.mkdir()
    arguments = [str(home.folder), str(source), str(folder / "picture.png"), step]
    done = subprocess.run([sys.executable, "-c", DOOMED, *arguments], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return folder


@pytest.mark.parametrize("step", STEPS)
def test_the_next_run_mends_a_release_killed_after(step, home, photograph, tmp_path):
    folder = killed_after(step, home, photograph, tmp_path)
    log, registry, records = home.log(), home.registry(), home.records()
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert visible == ([folder / "picture.png"] if step == "renamed" else [])

    (mended,) = mend_interrupted(records, log, registry)

    assert log.verify().ok
    assert registry.pending() == ()
    assert list(records.folder.glob("*.lock")) == []
    assert mend_interrupted(records, log, registry) == ()
    left = [path.name for path in folder.iterdir()]
    if step in AFTER_ALLOW:
        assert mended.progress is Progress.RELEASED
        assert left == ["picture.png"]
        asset = read_asset(folder / "picture.png")
        assert verify(asset, trust=home.trust(), at=utc_now()).state is State.DEVELOPMENT
        assert unreleased(log) == ()
        assert len(registry.by_asset(asset.sha256)) == 1
    else:
        assert mended.progress is Progress.ABANDONED
        assert left == []


def test_a_running_release_is_left_alone(tools, photograph, tmp_path):
    """Recovery by a second process must not touch a release whose process is alive."""
    folder = tmp_path / "out"
    folder.mkdir()
    record = Record(
        record_id="0" * 32,
        commitment_key="1" * 64,
        created_at="2026-01-01T00:00:00+00:00",
        partial_path=str(folder / ".partial"),
        final_path=str(folder / "picture.png"),
        content_id="2" * 16,
    )
    (folder / ".partial").write_bytes(b"in work")
    with locked(tools.records.lock_path(record.record_id)):
        tools.records.write(record)
        script = (
            "import sys; from pathlib import Path; from guard.home import Home;"
            "from guard.recovery import mend_interrupted as mend; h = Home(folder=Path(sys.argv[1]));"
            "print(len(mend(h.records(), h.log(), h.registry())))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tools.records.folder.parent)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.strip() == "0"
    assert (folder / ".partial").exists()
