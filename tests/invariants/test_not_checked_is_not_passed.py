"""Promise 5: absent, not checked, inconclusive, failed and contradicted stay five results."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

from provenance.evidence import Evidence, Outcome

BLOCKED = """
import sys
for name in {blocked!r}:
    sys.modules[name] = None
from guard.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def without(packages, *arguments):
    code = BLOCKED.format(blocked=packages)
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("outcome", [Outcome.NOT_CHECKED, Outcome.FAILED, Outcome.INCONCLUSIVE])
def test_a_silent_outcome_without_a_reason_cannot_be_made(outcome):
    with pytest.raises(ValueError, match="reason"):
        Evidence(claim="x", channel="y", outcome=outcome)


def test_without_the_extra_a_mark_is_not_checked_and_the_command_is_named(home, photograph, tmp_path):
    bare = tmp_path / "bare.png"
    Image.fromarray(photograph).save(bare)
    done = without(["cv2", "scipy"], "verify", bare)
    assert done.returncode == 3
    assert "NO_CREDENTIALS" in done.stdout
    assert "marks were not looked for" in done.stdout.splitlines()[2]
    assert "not checked  mark" in done.stdout
    assert "pip install 'mediaguard[watermark]'" in done.stdout


def test_without_the_extra_nothing_is_released_unmarked(home, photograph, tmp_path):
    bare = tmp_path / "bare.png"
    Image.fromarray(photograph).save(bare)
    done = without(["cv2", "scipy"], "release", bare, "--source", "generated", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "error[extra.missing]" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_the_extra_signing_alone_still_works(home, photograph, tmp_path):
    bare, signed = tmp_path / "bare.png", tmp_path / "signed.png"
    Image.fromarray(photograph).save(bare)
    done = without(["cv2", "scipy", "torch"], "sign", bare, "--source", "digital-capture", "-o", signed)
    assert done.returncode == 0, done.stderr
    assert without(["cv2", "scipy", "torch"], "verify", signed).returncode == 0


def test_a_stripped_file_is_not_called_fake(guard_cli, photograph, home, tmp_path):
    bare = tmp_path / "bare.png"
    Image.fromarray(photograph).save(bare)
    ran = guard_cli("verify", bare)
    assert ran.code == 3
    assert "absence proves nothing" in ran.out
    assert "fake" not in ran.out.lower()


def test_what_was_not_checked_is_listed(guard_cli, signed):
    out = guard_cli("verify", signed[".png"]).out
    assert "not checked  mark" in out
    assert "not checked  revocation" in out
