"""Every command of the guide to the log runs, in the guide's order, on the roles that it names."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from guard.cli.main import run

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guide/log.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
(ANOTHER_LOG,) = (block for block in BLOCKS if "OLD-PUBLICATION" in block)
"""For whoever lost the key of the log; the other lines are for whoever has it."""
LINES = [
    line
    for block in BLOCKS
    if block != ANOTHER_LOG
    for line in block.splitlines()
    if line.startswith("guard ")
]
ELSEWHERE = ("s3://",)
"""What needs somebody else's server."""


def test_the_guide_has_the_commands_of_every_role():
    named = {tuple(shlex.split(line)[1:3]) for line in LINES}
    assert {("log", name) for name in ("verify", "prove", "consistency", "export", "witness")} <= named
    assert ("records", "erase") in named


@pytest.fixture
def scene(home, signed, tmp_path, monkeypatch):
    """Files under the names that the guide uses."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "released").mkdir()
    (tmp_path / "public").mkdir()
    shutil.copy(signed[".png"], tmp_path / "released/picture.png")
    shutil.copy(signed[".png"], tmp_path / "picture.png")
    (tmp_path / "log.key").write_text(f"{home.log_as_found().verifier}\n")
    shutil.copy(home.log_folder / "checkpoint", tmp_path / "kept-checkpoint")
    return tmp_path


def test_every_command_of_the_guide_runs(scene, capfd):
    owner = ("guard log export", "guard log prove")
    owner_first = sorted(LINES, key=lambda line: not line.startswith(owner))
    witness = None
    for line in owner_first:
        if any(place in line for place in ELSEWHERE):
            continue
        words = shlex.split(line, comments=True)[1:]
        if words[:3] == ["log", "witness", "add"]:
            words[3] = witness
        if words[:2] == ["records", "erase"]:
            words.append("--yes")
        capfd.readouterr()
        code = run(words)
        out, err = capfd.readouterr()
        assert code == 0, (line, out, err)
        if words[:3] == ["log", "witness", "new"]:
            witness = out.strip()


def test_the_steps_to_another_log_run(home, signed, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(home.folder)
    places = {"OLD-PUBLICATION": str(tmp_path / "old"), "NEW-PLACE": str(tmp_path / "new")}
    withdrawn = str(signed[".png"])
    assert run(["registry", "withdraw", withdrawn, "--reason", "by mistake"]) == 0
    assert run(["registry", "publish", places["OLD-PUBLICATION"]]) == 0
    home.log_key_path.unlink()
    assert run(["verify", withdrawn]) == 2
    for line in ANOTHER_LOG.splitlines():
        if line.startswith("guard "):
            words = [places.get(word, word) for word in shlex.split(line, comments=True)[1:]]
            assert run(words) == 0, (line, capfd.readouterr())
        else:
            subprocess.run(["bash", "-euc", line], check=True)
    capfd.readouterr()
    assert run(["verify", withdrawn]) == 1
    assert capfd.readouterr().out.startswith("WITHDRAWN")


def test_the_lines_about_the_log_that_the_guide_explains_are_those_that_are_printed():
    from datetime import UTC, datetime

    from provenance.log.audit import LOCAL_WITNESS
    from provenance.log.vouchers import Voucher, told

    voucher = Voucher(
        kind="cosignature", name="w1.example", size=100, at=datetime(2026, 11, 22, 10, tzinfo=UTC)
    )
    assert f"`{LOCAL_WITNESS}`" in GUIDE
    assert f"`{told((voucher,), 120)}`" in GUIDE
