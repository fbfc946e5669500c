"""The examples are run as a reader would run them: rightly, twice, and without arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def run(example: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = next(path for path in EXAMPLES if path.stem == example)
    command = [sys.executable, path, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def assert_one_line(ran: subprocess.CompletedProcess[str]) -> None:
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.splitlines()) == 1, ran.stderr


@pytest.mark.parametrize("example", [path.stem for path in EXAMPLES])
def test_an_example_without_arguments_or_with_a_wrong_one_says_so_in_one_line(example, tmp_path):
    assert_one_line(run(example))
    many = (tmp_path / "nothing",) * (2 if example == "release_a_picture" else 1)
    assert_one_line(run(example, *many))


def test_a_second_release_under_the_same_name_is_refused_in_one_line(home, photograph, tmp_path):
    picture, folder = tmp_path / "picture.png", tmp_path / "out"
    Image.fromarray(photograph).save(picture)
    folder.mkdir()
    first = run("release_a_picture", picture, folder)
    assert first.returncode == 0, first.stderr
    again = run("release_a_picture", picture, folder)
    assert_one_line(again)
    assert "the output exists already" in again.stderr
    assert run("verify_a_folder", folder).returncode == 0


def test_every_example_is_short():
    assert all(len(path.read_text(encoding="utf-8").splitlines()) < 40 for path in EXAMPLES)
