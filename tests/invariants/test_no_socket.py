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


VERIFY = (
    ["verify"],
    ["verify", "--marks"],
    ["verify", "--crjson"],
    ["verify", "--tree", "--report", "note.html"],
)


@pytest.mark.parametrize("command", [*VERIFY, ["inspect"], ["recover"]], ids=" ".join)
def test_opens_no_socket(command, signed, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *command, str(signed[".jpg"])],
        cwd=tmp_path,
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


def test_the_process_that_reads_other_formats_opens_none_either(home, tools, photograph, tmp_path):
    """It loads the same modules with a watch of its own; a socket would end it, and the verdict with it."""
    from PIL import Image

    from provenance.codecs import read_asset
    from provenance.manifest.sign import sign
    from provenance.manifest.spec import ManifestSpec

    Image.fromarray(photograph).save(tmp_path / "a.tiff")
    spec = ManifestSpec(title="a", claim_generator_version="0")
    made = sign(read_asset(tmp_path / "a.tiff"), spec, tools.signer, trust=tools.trust).asset
    (tmp_path / "a.tiff").write_bytes(made.data)
    hook = WATCHED.partition("from guard")[0]
    for watch, code in ((hook, 0), (f"{hook}\nimport socket; socket.socket()\n", 1)):
        begin = (
            f"import provenance.manifest.isolated as i; i._CODE = {watch!r} + i._CODE.replace('; ', chr(10))"
        )
        line = [sys.executable, "-c", f"{begin}\n{WATCHED}", "verify", str(tmp_path / "a.tiff")]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
