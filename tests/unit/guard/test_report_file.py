"""Reports are written whole or not at all, and what a killed process left of one goes with the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from guard.report_file import write_whole
from provenance.errors import InputError
from provenance.files import temporaries_in, temporary_beside

KILLED = """
import os, signal, sys
from pathlib import Path
from guard import report_file
report_file.replace_atomically = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
report_file.write_whole(Path(sys.argv[1]), b"page", force=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals are a matter of POSIX")
def test_what_a_killed_process_left_goes_an_hour_later(tmp_path):
    page, unreleased = tmp_path / "note.html", temporary_beside(tmp_path / "picture.png")
    unreleased.write_bytes(b"waits for its name")
    done = subprocess.run([sys.executable, "-c", KILLED, str(page)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not page.exists()
    (left,) = set(temporaries_in(tmp_path)) - {unreleased}
    assert left.name.startswith(".guard-report-")
    write_whole(page, b"page", force=False)
    assert left.exists(), "somebody may be writing it"
    for one in (left, unreleased):
        os.utime(one, (time.time() - 4000,) * 2)
    write_whole(page, b"another", force=True)
    assert page.read_bytes() == b"another"
    assert sorted(tmp_path.iterdir()) == sorted([page, unreleased]), "partial files of releases are not ours"


def test_a_report_that_fails_leaves_nothing(tmp_path):
    page = tmp_path / "note.html"
    page.write_bytes(b"before")
    with pytest.raises(InputError) as caught:
        write_whole(page, b"page", force=False)
    assert caught.value.code == "output.exists"
    assert list(tmp_path.iterdir()) == [page]
    assert page.read_bytes() == b"before"
