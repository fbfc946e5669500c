"""A finished trial counts for as long as the code that made it is the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audits import machine
from audits.quality.lab import Setup, _run
from audits.quality.looking import Instruments

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "path",
    [
        "audits/quality/looking.py",
        "audits/rgb.py",
        "generators/oracle/network.py",
        "generators/oracle/questions.py",
        "generators/oracle/reading_adapter.py",
        "guard/drawn_clips.py",
        "guard/preview.py",
        "guard/sampling.py",
    ],
)
def test_trials_by_other_code_are_of_another_run(tmp_path, monkeypatch, path) -> None:
    for folder in ("audits", "audits/quality", "generators/oracle", "guard"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for file in (ROOT / folder).glob("*.py"):
            shutil.copyfile(file, tmp_path / folder / file.name)
    monkeypatch.setattr(machine, "__file__", str(tmp_path / "audits/machine.py"))
    before = _run(Setup(sets=()), Instruments())
    assert _run(Setup(sets=()), Instruments()) == before
    with (tmp_path / path).open("a") as file:
        file.write("# changed\n")
    assert _run(Setup(sets=()), Instruments())["code_sha256"] != before["code_sha256"]
