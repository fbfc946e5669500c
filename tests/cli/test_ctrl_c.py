"""Ctrl-C once a file of a batch is as good as out: it is finished, kept, listed and said, wherever it falls.

A process of its own sends itself the signal at one of the steps between the log's ALLOW and the report.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from guard.cli._batch import Batch
from guard.records import Progress
from guard.verdict import INTERRUPTED

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/reference/verdict.schema.json").read_text(encoding="utf-8")
)
_INTERRUPTED = """
import os, signal, sys
from importlib import import_module

import generators.registry
from guard.cli.main import run
from simulators.generator import PhotographGenerator
from skimage import data

where, step, before, times, *arguments = sys.argv[1:]
generators.registry.load = lambda *_, **__: PhotographGenerator([data.astronaut(), data.coffee()])
module, _, of = where.partition(":")
owner = import_module(module)
owner = getattr(owner, of) if of else owner
real, calls = getattr(owner, step), []

def interrupted(*given, **named):
    calls.append(step)
    done = None if before == "before" else real(*given, **named)
    for _ in range(int(times) if len(calls) == 2 else 0):
        os.kill(os.getpid(), signal.SIGINT)
    return real(*given, **named) if before == "before" else done

setattr(owner, step, interrupted)
sys.exit(run(arguments))
"""
STEPS = {
    "decision logged": ("guard.attestor", "log_decision", "after"),
    "renamed": ("guard.release", "finish", "after"),
    "registered": ("guard.attestor:InProcess", "conclude", "after"),
    "recorded": ("guard.release", "_registered", "after"),
    "about to be told": ("guard.cli._report:Report", "add", "before"),
}
"""Where a Ctrl-C may fall: a name in a module or class, and whether it comes before or after the call."""


def interrupted(folder: Path, step: str, *arguments: object, times: int = 1):
    """Run ``guard ARGUMENTS…``, interrupted at ``step`` of its second file."""
    return subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, *STEPS[step], str(times), *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def require_two_kept(ran, home, folder: Path) -> dict:
    """Both files that are out are listed and counted; nothing else is there, nothing waits to be mended."""
    assert ran.returncode == INTERRUPTED, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "interrupted; 2 finished before it, kept; nothing was left half-written" in ran.stderr
    document = json.loads(ran.stdout)
    kept = sorted(path.name for path in (folder / "out").iterdir())
    assert len(kept) == 2
    assert sorted(Path(one["path"]).name for one in document["released"]) == kept
    records = home.records()
    assert [record.progress for record in records.all()] == [Progress.RELEASED] * 2
    assert list(records.unfinished()) == []
    assert home.registry().pending() == ()
    assert home.log().verify().ok
    return document


@pytest.fixture
def pictures(photograph, tmp_path) -> list[str]:
    names = [f"{letter}.png" for letter in "abcd"]
    for number, name in enumerate(names):
        Image.fromarray(photograph[number * 16 :, : 512 - number * 16][:288, :288]).save(tmp_path / name)
    return names


@pytest.mark.parametrize("step", STEPS)
def test_of_files_that_come_in_each_that_is_out_is_listed(step, pictures, home, tmp_path) -> None:
    how = ("--source", "generated", "-o", "out", "--format", "json")
    ran = interrupted(tmp_path, step, "release", *pictures, *how)
    document = require_two_kept(ran, home, tmp_path)
    assert [one["file"] for one in document["released"]] == pictures[:2]


@pytest.mark.parametrize("step", ["renamed", "about to be told"])
def test_of_pictures_that_are_made_each_that_is_out_is_listed(step, home, tmp_path) -> None:
    ran = interrupted(tmp_path, step, "generate", "a keeper", "-n", 4, "-o", "out", "--format", "json")
    document = require_two_kept(ran, home, tmp_path)
    assert document["exit_code"] == INTERRUPTED


@pytest.mark.parametrize("step", ["decision logged", "renamed"])
def test_a_second_ctrl_c_does_not_wait_and_the_file_is_listed_all_the_same(
    step, pictures, home, tmp_path
) -> None:
    how = ("--source", "generated", "-o", "out", "--format", "json")
    ran = interrupted(tmp_path, step, "release", *pictures, *how, times=2)
    document = require_two_kept(ran, home, tmp_path)
    assert [one["file"] for one in document["released"]] == pictures[:2]


def test_the_document_says_the_code_that_the_command_ends_with(pictures, home, tmp_path) -> None:
    how = ("--source", "generated", "-o", "out", "--format", "json")
    ran = interrupted(tmp_path, "renamed", "release", *pictures, *how)
    document = json.loads(ran.stdout)
    (error,) = document["errors"]
    assert (ran.returncode, document["exit_code"], error["exit_code"]) == (130, 130, 130)


def test_so_does_that_of_verdicts_as_its_schema_has_it(capsys) -> None:
    assert Batch(name="verdicts", format_="json").interrupt() == INTERRUPTED
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(SCHEMA).validate(document)
    assert document["exit_code"] == INTERRUPTED
