"""Promise 1 under SIGKILL: whatever step a release dies in, the next run mends it.

The table is in docs/decisions/0001-nothing-on-disk-before-allow.md.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from simulators.killed import AFTER_ALLOW, NAME, release_until, require_agreement, visible_in

from guard.records import Progress, Record
from guard.recovery import mend_interrupted
from provenance.locks import locked

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


@pytest.mark.parametrize("step", STEPS)
def test_the_next_run_mends_a_release_killed_after(step, home, to_be_killed):
    source, folder = to_be_killed
    done = release_until(step, home.folder, source, folder)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    log, registry, records = home.log(), home.registry(), home.records()
    assert visible_in(folder) == ([NAME] if step == "renamed" else [])

    (mended,) = mend_interrupted(records, log, registry)

    allowed = step in AFTER_ALLOW
    require_agreement(home, records, folder, allowed=allowed)
    assert mend_interrupted(records, log, registry) == ()
    assert mended.progress is (Progress.RELEASED if allowed else Progress.ABANDONED)


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
